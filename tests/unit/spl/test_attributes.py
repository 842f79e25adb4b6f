"""The mapping file of a site."""

import pytest

from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.spl.attributes import DEFAULT_MAPPINGS, MappingError, parse_mappings
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.policy import Category

MANDATORY = f"""
id = resource
resource.xacml-id = {AttributeId.RESOURCE_ID}
resource.xacml-datatype = {DataType.STRING}
resource.xacml-target-element = resource
resource.xacml-match-function = {FunctionUri.STRING_REGEXP_MATCH}
id = action
action.xacml-id = {AttributeId.ACTION_ID}
action.xacml-datatype = {DataType.STRING}
action.xacml-target-element = Action
action.xacml-match-function = {FunctionUri.STRING_REGEXP_MATCH}
"""
SITE = f"""
# what the site adds
! in Java's syntax
id = group
group.xacml-id = \\
    urn:site:group, and a second one that does not count
group.xacml-id = urn:repeated
group.xacml-datatype={DataType.FQAN}
group.xacml-target-element = SUBJECT
group.xacml-match-function = {Glite.FQAN_REGEXP_MATCH}
group.xacml-match-function-datatype = {DataType.STRING}
"""


def test_there_are_26_shipped_names() -> None:
    assert len(DEFAULT_MAPPINGS.mappings) == 26
    vo = DEFAULT_MAPPINGS.named("vo")
    assert vo is not None
    assert DEFAULT_MAPPINGS.of_attribute(Glite.VIRTUAL_ORGANIZATION) is vo
    assert DEFAULT_MAPPINGS.named("dn") is None
    assert DEFAULT_MAPPINGS.of_attribute("urn:unknown") is None


def test_a_file_is_read_in_the_syntax_of_java() -> None:
    mapping = parse_mappings(MANDATORY + SITE, "f.ini").named("group")
    assert mapping is not None
    assert mapping.attribute_id == "urn:site:group"
    assert mapping.category is Category.SUBJECT
    assert (mapping.datatype, mapping.value_datatype) == (DataType.FQAN, DataType.STRING)
    assert parse_mappings(MANDATORY, "f.ini").action.value_datatype == DataType.STRING


@pytest.mark.parametrize("separator", ["=", " = ", ":", " : ", " ", "\t"])
def test_a_name_ends_at_an_equals_sign_a_colon_or_a_blank(separator: str) -> None:
    assert parse_mappings(MANDATORY.replace(" = ", separator), "f.ini") == parse_mappings(MANDATORY, "f.ini")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'Cannot find id "resource"'),
        (MANDATORY.replace("id = action\n", ""), 'Cannot find id "action"'),
        (MANDATORY + "id = vo\n", 'undefined xacml-id for id "vo"'),
        (MANDATORY.replace("action.xacml-datatype", "action.datatype"), 'undefined xacml-datatype for id "action"'),
        (MANDATORY + "id = action\n", 'duplicated id "action"'),
        (MANDATORY.replace(AttributeId.ACTION_ID, AttributeId.RESOURCE_ID), "duplicated xacml-id"),
        (MANDATORY.replace("= Action", "= verb"), 'xacml-target-element "verb" not recognized'),
        (MANDATORY.replace(DataType.STRING, "urn:d"), 'the data type "urn:d" of id "resource" is not known'),
        (MANDATORY.replace(FunctionUri.STRING_REGEXP_MATCH, "urn:f"), 'the match function "urn:f"'),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_culprit(text: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        parse_mappings(text, "f.ini")


def test_ids_may_be_a_list() -> None:
    text = MANDATORY.replace("id = resource\n", "").replace("id = action\n", "id = resource, action\n")
    assert [mapping.name for mapping in parse_mappings(text, "f.ini").mappings] == ["resource", "action"]


def test_a_reference_stands_for_the_value_of_its_key() -> None:
    text = MANDATORY.replace(
        f"action.xacml-datatype = {DataType.STRING}",
        "base = http://www.w3.org\nschema = ${base}/2001/XMLSchema\naction.xacml-datatype = ${schema}#string",
    )
    assert parse_mappings(text, "f.ini") == parse_mappings(MANDATORY, "f.ini")


def test_a_reference_to_nothing_stays() -> None:
    mappings = parse_mappings(MANDATORY.replace(AttributeId.ACTION_ID, "urn:${user.home}"), "f.ini")
    assert mappings.action.attribute_id == "urn:${user.home}"


@pytest.mark.parametrize(
    "value",
    ["${resource.xacml-id}", "x${resource.xacml-id}", "${a}\na = ${b}\nb = ${a}", "${a}${a}\na = " + "x" * 3000],
)
def test_references_in_a_circle_or_to_too_much_are_refused(value: str) -> None:
    with pytest.raises(MappingError, match=r"^f\.ini: the references in a value of id \"resource\" go on for too long"):
        parse_mappings(MANDATORY.replace(AttributeId.RESOURCE_ID, value), "f.ini")
