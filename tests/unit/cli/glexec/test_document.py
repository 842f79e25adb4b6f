"""docs/glexec.md describes what there is."""

import re
from pathlib import Path

import pytest

from argus_py.worker import environment, errors, glexec_conf
from argus_py.worker.glexec_conf import parse_glexec_conf
from argus_py.worker.lcmaps_db import parse_lcmaps_db
from argus_py.worker.plugins.known import PLUGINS

DOCUMENT = (Path(__file__).parents[4] / "docs" / "glexec.md").read_text(encoding="utf-8")
DESCRIBED = {
    name for cells in re.findall(r"^\| (`.*?) \|", DOCUMENT, re.MULTILINE) for name in re.findall("`([^`]+)`", cells)
}


def test_every_key_of_the_configuration_is_described() -> None:
    without_effect = DOCUMENT[DOCUMENT.index("\nWithout effect: ") : DOCUMENT.index("\n## The policy")]
    keys = set(glexec_conf._READERS)
    described = {key for key in keys if key in DESCRIBED or f"`{key}" in without_effect}
    assert described == keys


def test_every_plugin_variable_and_exit_code_is_described() -> None:
    assert set(PLUGINS) <= DESCRIBED
    variables = {
        value for value in vars(environment).values() if isinstance(value, str) and value.startswith("GLEXEC_")
    }
    assert {name for name in variables if name != "GLEXEC_"} <= DESCRIBED
    codes = set(re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE))
    assert codes == {str(value) for name, value in vars(errors).items() if name.startswith("EXIT_")}


@pytest.mark.parametrize("policy", re.findall(r"```lcmaps\n(.*?)```", DOCUMENT, re.DOTALL))
def test_the_policies_of_the_document_can_be_read(policy: str) -> None:
    assert "glexec_get_account" in parse_lcmaps_db(policy, "docs/glexec.md").policies


def test_defaults_of_the_document_are_those_of_the_program() -> None:
    conf = parse_glexec_conf("[glexec]\n", "glexec.conf")
    for key, default in re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", DOCUMENT, re.MULTILINE):
        value = getattr(conf, key, None)
        if isinstance(value, bool):
            assert default == ("yes" if value else "no"), key
        elif isinstance(value, str | int):
            assert default == str(value), key
