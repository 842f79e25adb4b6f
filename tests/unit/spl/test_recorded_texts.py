"""The recorded texts: the same XACML and the same listings as the Java PAP, the same places of errors."""

import json
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.errors import SplError, SplMeaningError, SplSyntaxError
from argus_py.spl.lift import lift_resource
from argus_py.spl.lower import lower, lower_as_java
from argus_py.spl.parser import parse, parse_as_java
from argus_py.spl.printer import Ids, format_listing, format_resource, format_source
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.policy_xml import read_policy_set, write_policy_set

VECTORS = Path(__file__).parents[2] / "vectors" / "spl"
NAMES = sorted(path.stem for path in VECTORS.glob("*.spl"))
INVALID = sorted(path.stem for path in (VECTORS / "invalid").glob("*.spl"))
EXPECTED = json.loads((VECTORS / "invalid" / "expected.json").read_text())

# BETTER: the Java PAP takes these, and its PDPs then stumble over what it stored; or it reads something else. Read as
# the Java PAP reads, they get a warning with the same place and these words.
REFUSED = {
    "002-bare-words": (4, 25, "not an FQAN: 'cms'", "not an FQAN: 'cms'"),
    "014-openssl-dn-with-slashes": (8, 31, "not a distinguished name: '/nonsense'", "not a distinguished name"),
    "015-dn-with-commas-and-spaces": (5, 31, "not a distinguished name: 'not a dn at all'", "not a distinguished name"),
    "018-comments": (4, 29, "a second '#' ends a comment in older PAPs", "a second '#' ends a comment"),
    "022-empty-values": (1, 10, "the value is empty", "the value is empty"),
    "028-trailing-tokens-ignored": (4, 1, 'Encountered "}"', 'Encountered "}"'),
}
ACCEPTED = {
    "i20-character-above-u00ff": "UTF-8 is welcome",
    "i21-comment-at-eof-without-newline": "a comment may end with the text",
    "i27-action-at-top-level-without-resource-id": "the text is fine, the command lacks a resource",
    "i28-mixed-top-level": "the text is fine, the command lacks a resource",
}
MEANINGLESS = {
    "i10-unknown-attribute": (3, 23, 'unknown attribute "dn"'),
    "i11-empty-subject": (3, 31, "the value is empty"),
    "i12-slash-only-subject": (3, 31, "not a distinguished name"),
    "i31-unknown-attribute-in-obligation": (2, 41, 'unknown attribute "nope"'),
}


def text_of(path: Path) -> str:
    return path.read_bytes().decode()


def recorded_pap(name: str) -> PolicySet:
    """Below the outermost set."""
    pap = read_policy_set((VECTORS / f"{name}.xacml.xml").read_bytes()).children[0]
    assert isinstance(pap, PolicySet)
    return pap


def numbered_ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"


def comparable(policy_set: PolicySet | Policy) -> bytes:
    """Versions count changes and the PAP's ids have a hyphen: neither comes from the text."""
    assert isinstance(policy_set, PolicySet)
    xml = re.sub(rb'Version="\d+"', b"", write_policy_set(policy_set))
    # BETTER: the mapping shipped with Java compares this name as a string, which is always an error.
    xml = xml.replace(
        b'function:string-equal"><xacml:AttributeValue DataType="urn:oasis:names:tc:xacml:1.0:data-type:x500Name"',
        b'function:x500Name-equal"><xacml:AttributeValue DataType="urn:oasis:names:tc:xacml:1.0:data-type:x500Name"',
    )
    return re.sub(rb'PolicyId="(public|private)[-_]', rb'PolicyId="\1_', xml)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_a_text_becomes_the_xacml_of_the_java_pap(name: str) -> None:
    lowered = lower(parse(text_of(VECTORS / f"{name}.spl")), DEFAULT_MAPPINGS, numbered_ids())
    recorded = [child for child in recorded_pap(name).children if isinstance(child, PolicySet)]
    assert list(map(comparable, lowered)) == list(map(comparable, recorded))


@pytest.mark.parametrize("name", NAMES)
def test_read_as_the_java_pap_reads_every_text_becomes_its_xacml(name: str) -> None:
    reading = parse_as_java(text_of(VECTORS / f"{name}.spl"), ignore_rest=name == "028-trailing-tokens-ignored")
    lowered = lower_as_java(reading.elements, DEFAULT_MAPPINGS, numbered_ids())
    recorded = [child for child in recorded_pap(name).children if isinstance(child, PolicySet)]
    assert list(map(comparable, lowered.elements)) == list(map(comparable, recorded))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_else_gets_a_warning_when_read_as_the_java_pap_does(name: str) -> None:
    reading = parse_as_java(text_of(VECTORS / f"{name}.spl"), ignore_rest=name == "028-trailing-tokens-ignored")
    warnings = (*reading.warnings, *lower_as_java(reading.elements, DEFAULT_MAPPINGS, numbered_ids()).warnings)
    assert bool(warnings) is (name in REFUSED)
    if name in REFUSED:
        line, column, _, words = REFUSED[name]
        assert words in " ".join(each.text for each in warnings if (each.line, each.column) == (line, column))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("extension", "ids"), [("lp.txt", Ids.NONE), ("lp-sai.txt", Ids.RULES)])
def test_a_stored_policy_is_listed_byte_for_byte(name: str, extension: str, ids: Ids) -> None:
    resources = [
        lift_resource(child, DEFAULT_MAPPINGS) for child in recorded_pap(name).children if isinstance(child, PolicySet)
    ]
    if not any(resource.actions for resource in resources):
        resources = []  # COMPAT: a pap without any action is listed as one without policies
    listing = format_listing("default (local)", [format_resource(resource, ids) for resource in resources])
    assert listing == text_of(VECTORS / f"{name}.{extension}")


def test_private_actions_stay_private() -> None:
    # BETTER: the Java PAP loses the word when it loads a file, as vector 010 shows.
    [resource] = parse(text_of(VECTORS / "010-private-action.spl"))
    [policy_set] = lower([resource], DEFAULT_MAPPINGS, numbered_ids())
    assert isinstance(policy_set, PolicySet)
    assert [policy.id.partition("_")[0] for policy in policy_set.policies()] == ["private", "public"]
    assert "    private\n    action" in format_resource(lift_resource(policy_set, DEFAULT_MAPPINGS))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_an_export_says_the_same(name: str) -> None:
    elements = parse(text_of(VECTORS / f"{name}.spl"))
    assert parse(format_source(elements)) == elements


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_work_or_be_misread_is_refused_with_its_place(name: str) -> None:
    line, column, words, _ = REFUSED[name]
    with pytest.raises(SplError) as refusal:
        lower(parse(text_of(VECTORS / f"{name}.spl")), DEFAULT_MAPPINGS, numbered_ids())
    problem = refusal.value.problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.text


@pytest.mark.parametrize("name", [name for name in INVALID if name not in MEANINGLESS and name not in ACCEPTED])
def test_a_syntax_error_begins_and_is_placed_as_in_java(name: str) -> None:
    recorded = re.match(r"(Encountered .*?|Lexical error) at line (\d+), column (\d+)\.", EXPECTED[name]["message"])
    assert recorded is not None
    with pytest.raises(SplSyntaxError) as refusal:
        parse(text_of(VECTORS / "invalid" / f"{name}.spl"))
    problem = refusal.value.problems[0]
    assert str(refusal.value).startswith(recorded[0])
    assert [str(problem.line), str(problem.column)] == [recorded[2], recorded[3]]


@pytest.mark.parametrize("name", [name for name in INVALID if EXPECTED[name]["class"] == "ParseException"])
def test_what_could_have_stood_there_is_what_java_expects(name: str) -> None:
    expected = re.findall(r"^ {4}(\S+) \.\.\.$", EXPECTED[name]["message"], re.MULTILINE)
    words = ["a text" if word == "<STRING>" else word for word in expected if word not in ("<ID>", "<ID2>")]
    with pytest.raises(SplSyntaxError) as refusal:
        parse(text_of(VECTORS / "invalid" / f"{name}.spl"))
    assert refusal.value.problems[0].text.endswith(f". Was expecting {' or '.join(words)}.")


@pytest.mark.parametrize("name", ACCEPTED)
def test_some_texts_that_java_refuses_are_taken(name: str) -> None:
    assert parse(text_of(VECTORS / "invalid" / f"{name}.spl"))


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_name_or_value_without_meaning_is_placed(name: str) -> None:
    line, column, words = MEANINGLESS[name]
    with pytest.raises(SplMeaningError) as refusal:
        lower(parse(text_of(VECTORS / "invalid" / f"{name}.spl")), DEFAULT_MAPPINGS, numbered_ids())
    [problem] = refusal.value.problems
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.text
