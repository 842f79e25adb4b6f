"""docs/spl.md tells the truth; its grammar is tested beside the properties."""

import re
import shlex
from pathlib import Path

import pytest

from argus_py.cli.argus import command_line
from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMapping, parse_mappings
from argus_py.spl.formatter import format_text

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "spl.md").read_text()
MATCH = {"equal": "string-equal", "pattern": "string-regexp-match", "name": "x500Name-equal", "fqan": "fqan-match"}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table in a section, below its head."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [re.split(r" *\| *", row[1:-1].strip()) for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]]


def in_the_table(mapping: AttributeMapping) -> list[str]:
    prefixes = dict(re.findall(r"`([GEU])` is\s`(\S+)`", DOCUMENT))
    [match] = [word for word, function in MATCH.items() if re.fullmatch(rf".*[:/]{function}", mapping.function)]
    [id] = [
        f"`{prefix}`{mapping.attribute_id.removeprefix(uri)}"
        for prefix, uri in prefixes.items()
        if mapping.attribute_id.startswith(uri)
    ]
    return [f"`{mapping.name}`", id, mapping.category.value.lower(), match]


def test_the_table_of_attributes_is_that_of_the_package() -> None:
    assert rows("Attributes") == [in_the_table(mapping) for mapping in DEFAULT_MAPPINGS.mappings]


def test_the_attribute_of_a_site_can_be_read() -> None:
    mandatory = "".join(
        f"id = {each.name}\n{each.name}.xacml-id = {each.attribute_id}\n{each.name}.xacml-datatype = {each.datatype}\n"
        f"{each.name}.xacml-target-element = {each.name}\n{each.name}.xacml-match-function = {each.function}\n"
        for each in (DEFAULT_MAPPINGS.resource, DEFAULT_MAPPINGS.action)
    )
    [block] = blocks("ini")
    assert parse_mappings(mandatory + block, "f.ini").named("group")


def test_every_example_is_listed_with_its_question() -> None:
    listed = {re.sub(r"\[(.*)\].*", r"\1", file): question for question, file in rows("Examples")}
    first_lines = {path.name: path.read_text().splitlines()[0] for path in (ROOT / "policies").glob("*.spl")}
    assert listed == {name: line[2 : line.index("?") + 1] for name, line in first_lines.items()}


def test_the_policy_on_the_page_is_formatted() -> None:
    policy = blocks("")[0]
    assert format_text(policy) == policy


@pytest.mark.parametrize("line", "".join(blocks("sh")).splitlines())
def test_the_commands_on_the_page_are_understood(line: str) -> None:
    program, *arguments = shlex.split(line.partition(">")[0], comments=True)
    assert program == "argus"
    command_line().parse_args(arguments)
