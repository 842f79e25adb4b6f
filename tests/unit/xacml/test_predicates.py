"""Predicates: what asks the same is one, and a question tells which are true."""

import itertools

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import AttributeDesignator, AttributeValue, Category, Match
from argus_py.xacml.predicates import Facts, Predicate, Vocabulary, sought_by
from argus_py.xacml.request_attributes import RequestAttributes

GROUPS = ("/vo", "/vo/a", "/vo/a/b", "/vo/ab", "/v")
FQANS = tuple(f"{group}{role}" for group in GROUPS for role in ("", "/Role=x", "/Role=y/Capability=z"))
PATTERNS = tuple(
    f"{group}{below}{role}" for group in GROUPS for below in ("", "/*") for role in ("", "/Role=x", "/Role=*")
)


def match(
    function: str, datatype: str, text: str, attribute_id: str, *, must_be_present: bool = False
) -> PreparedMatch:
    asked = AttributeDesignator(Category.SUBJECT, attribute_id, datatype, must_be_present=must_be_present)
    return PreparedMatch.of(Match(function, AttributeValue(datatype, text), asked))


def fqan_match(text: str) -> PreparedMatch:
    return match(Glite.FQAN_REGEXP_MATCH, DataType.FQAN, text, Glite.FQAN)


def name_is(text: str) -> PreparedMatch:
    return match(FunctionUri.X500_NAME_EQUAL, DataType.X500_NAME, text, AttributeId.SUBJECT_ID)


def facts(vocabulary: Vocabulary, attribute_id: str, datatype: str, *values: str) -> Facts:
    request = Request((Subject((Attribute(attribute_id, values, datatype),)),))
    return Facts(RequestAttributes(request), vocabulary.questions())


def predicate_of(vocabulary: Vocabulary, match: PreparedMatch) -> Predicate:
    sought = sought_by(match)
    assert sought is not None
    return vocabulary.predicate(sought)


def test_fqan_patterns_are_found_that_match() -> None:
    vocabulary = Vocabulary()
    predicates = {text: predicate_of(vocabulary, fqan_match(text)) for text in PATTERNS}
    for fqan, (text, predicate) in itertools.product(FQANS, predicates.items()):
        expected = FqanPattern.parse(text).matches(Fqan.parse(fqan))
        assert predicate.matched(facts(vocabulary, Glite.FQAN, DataType.FQAN, fqan)) is expected, (fqan, text)


def test_matches_that_ask_the_same_are_one_predicate() -> None:
    vocabulary = Vocabulary()
    assert predicate_of(vocabulary, name_is("CN=a,O=x")) is predicate_of(vocabulary, name_is("cn=A, o=X"))
    assert predicate_of(vocabulary, name_is("CN=a,O=x")) is not predicate_of(vocabulary, name_is("CN=b,O=x"))
    assert len(vocabulary.questions()) == 1


def test_a_value_that_cannot_be_read_is_the_answer_to_all_that_ask_for_it() -> None:
    vocabulary = Vocabulary()
    predicate = predicate_of(vocabulary, name_is("CN=a"))
    assert isinstance(predicate.matched(facts(vocabulary, AttributeId.SUBJECT_ID, DataType.X500_NAME, "?")), Fault)


@pytest.mark.parametrize(
    "other",
    [
        match(FunctionUri.STRING_EQUAL, DataType.STRING, "a", "x", must_be_present=True),
        match("urn:oasis:names:tc:xacml:1.0:function:string-greater-than", DataType.STRING, "a", "x"),
        match(FunctionUri.STRING_REGEXP_MATCH, DataType.STRING, "(", "x"),
    ],
    ids=["may be missing", "compares in another way", "can only be an error"],
)
def test_what_cannot_be_looked_up_is_no_predicate(other: PreparedMatch) -> None:
    assert sought_by(other) is None
