import pytest

from argus_py.config.ini import Findings, parse_ini
from argus_py.config.static_attributes import read_attributes
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType


def attributes(text: str, *names: str, issuer: str | None = None) -> tuple[Attribute, ...]:
    findings = Findings()
    found = read_attributes(parse_ini(text, "static.ini"), names, issuer, findings)
    assert (findings.errors, findings.warnings) == ([], [])
    return found


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("values = 1", Attribute("a", ("1",))),
        ("values = 1, 2 ,,3 4,", Attribute("a", ("1", "2", "3 4"))),
        ("values = 1|2;3\nvalueDelimiter = |;", Attribute("a", ("1", "2", "3"))),
        ("values = 1-]^2\nvalueDelimiter = ]-^", Attribute("a", ("1", "2"))),
        ("values = 1, 2\nvalueDelimiter =  x", Attribute("a", ("1, 2",))),
        (f"values = 1\ndatatype = {DataType.INTEGER}\nissuer = me", Attribute("a", ("1",), DataType.INTEGER, "me")),
    ],
)
def test_a_section_defines_an_attribute(keys: str, expected: Attribute) -> None:
    assert attributes(f"[A]\nid = a\n{keys}", "A") == (expected,)


def test_attributes_without_an_issuer_have_that_of_the_site() -> None:
    text = "[A]\nid = a\nvalues = 1\n[B]\nid = b\nvalues = 2\nissuer = me"
    a, b = attributes(text, "A", "B", issuer="site")
    assert (a.issuer, b.issuer) == ("site", "me")


def test_attributes_stand_in_the_order_listed() -> None:
    text = "[A]\nid = a\nvalues = 1\n[B]\nid = b\nvalues = 2"
    assert [attribute.id for attribute in attributes(text, "B", "A", "B")] == ["b", "a", "b"]


def test_everything_that_is_missing_is_told() -> None:
    findings = Findings()
    read_attributes(parse_ini("[A]\nvalue = 1", "static.ini"), ["A", "X"], None, findings)
    assert [str(problem) for problem in findings.errors] == [
        "static.ini:1: INI configuration section A does not contain the required property values",
        "static.ini:1: INI configuration section A does not contain the required property id",
        "static.ini: INI section X does not exist but was listed as an attribute definition section",
    ]
    assert [problem.place.key for problem in findings.warnings] == ["value"]
