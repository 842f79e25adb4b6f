"""The samples of docs/clients.md are read by what reads them at a site, as far as that is here."""

import ast
import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from lxml import etree

from argus_py.cli import pepcli, probe_wn
from argus_py.cli.probe_wn import World
from argus_py.spl.parser import parse
from argus_py.web.authorize import AnswerBody, QuestionBody
from argus_py.worker.lcmaps_db import parse_lcmaps_db
from argus_py.worker.plugins.known import PLUGINS

TEXT: Final = (Path(__file__).resolve().parent.parent / "docs" / "clients.md").read_text()
SAMPLES: Final = re.findall(r"^```([\w-]+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
RESOURCES: Final = {"http://authz-interop.org/xacml/resource/resource-type/wn", "http://example.org/ce"}
# The keys of the call-out; a value has no blank and no "#".
CALLOUT: Final = re.compile(
    r"(pep_url|pep_timeout|pep_ssl_(?:server_capath|server_cert|client_cert|client_key|client_keypasswd|validation)"
    r"|xacml_(?:resourceid|actionid|profileid)) +([^\s#]{1,255})"
)


def samples(kind: str) -> list[str]:
    found = [text for name, text in SAMPLES if name == kind]
    assert found
    return found


def commands() -> list[list[str]]:
    joined = "".join(samples("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in joined if line.startswith(("pepcli ", "argus-probe-wn "))]


def is_endpoint(url: str, port: int, path: str) -> bool:
    parts = urlsplit(url)
    return (parts.scheme, parts.port, parts.path) == ("https", port, path)


def test_every_sample_is_of_a_kind_that_is_tested() -> None:
    tested = {"spl", "lcmaps", "gsi-authz", "environment", "gsi-pep-callout", "xml", "sh", "json", "python"}
    assert {kind for kind, _ in SAMPLES} == tested


def test_the_policy_names_the_resources_of_the_samples() -> None:
    (policy,) = samples("spl")
    parse(policy)
    assert set(re.findall(r'resource "([^"]+)"', policy)) == RESOURCES
    named = re.findall(r"(?:-resourceid|xacml_resourceid|CREAM_PEPC_RESOURCEID=|--ce-resource) *(http[^\s\"]+)", TEXT)
    assert set(named) == RESOURCES


@pytest.mark.parametrize("text", samples("lcmaps"))
def test_lcmaps_files_are_read_and_their_plugins_known(text: str) -> None:
    file = parse_lcmaps_db(text, "clients.md")
    assert {module.plugin for module in file.modules.values()} <= set(PLUGINS)
    asks = next(module for module in file.modules.values() if module.plugin == "lcmaps_c_pep")
    urls = re.findall(r"https://\S+", " ".join(asks.arguments))
    assert len(urls) == 2
    assert all(is_endpoint(url, 8154, "/authz") for url in urls)


@pytest.mark.parametrize("text", samples("gsi-authz"))
def test_a_call_out_is_one_line_of_library_and_function(text: str) -> None:
    assert re.fullmatch(r"globus_mapping \S+\.so (lcmaps_callout|argus_pep_callout)\n", text)


def test_the_configuration_of_the_pep_call_out_has_keys_that_it_knows() -> None:
    (text,) = samples("gsi-pep-callout")
    pairs = [CALLOUT.fullmatch(line) for line in text.splitlines()]
    values = {pair[1]: pair[2] for pair in pairs if pair}
    assert len(values) == len(pairs)
    assert is_endpoint(values["pep_url"], 8154, "/authz")


@pytest.mark.parametrize("text", samples("environment"))
def test_environments_are_what_a_shell_reads(text: str) -> None:
    for line in text.splitlines():
        (word,) = shlex.split(line)
        name, _, value = word.partition("=")
        assert re.fullmatch(r"[A-Z0-9_]+", name)
        if name == "ARGUS_PEPD_ENDPOINTS":
            assert all(is_endpoint(url, 8154, "/authz") for url in value.split())


def test_the_handler_of_arc_is_the_one_that_is_run_in_the_tests_of_arc() -> None:
    (text,) = samples("xml")
    handler = etree.fromstring(text)
    assert is_endpoint(str(handler.findtext("PDPD")), 8152, "/authz")
    tested = (Path(__file__).parent / "e2e" / "test_arc.py").read_text()
    for element in handler.iter():
        assert f"<{element.tag}" in tested
    assert f'name="{handler.get("name")}"' in tested


def test_question_and_answer_are_of_the_interface() -> None:
    question, answer = samples("json")
    QuestionBody.model_validate_json(question)
    assert set(json.loads(answer)) == set(AnswerBody.model_fields)
    AnswerBody.model_validate_json(answer)


def test_pepcli_understands_its_line() -> None:
    (line,) = [words[1:] for words in commands() if words[0] == "pepcli"]
    options = pepcli._options(pepcli._parse(line))
    assert is_endpoint(options.pepd, 8154, "/authz")
    assert (options.resource_id in RESOURCES, bool(options.key_info)) == (True, True)


def test_the_probe_understands_its_line() -> None:
    (line,) = [words[1:] for words in commands() if words[0] == "argus-probe-wn"]
    options = probe_wn._options(line, World({}, "ops001", 500))
    assert len(options.endpoints) == 2
    assert all(is_endpoint(url, 8154, "/authz") for url in options.endpoints)
    assert (options.ce or ("",))[0] in RESOURCES


def test_the_program_imports_what_there_is() -> None:
    (program,) = samples("python")
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, alias.name) for alias in node.names)
