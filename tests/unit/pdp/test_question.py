"""A question in words, and the request that it stands for."""

import pytest

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.pdp.question import MAX_LENGTH, MAX_NAMES, Profile, Question, UnusableQuestion

ALICE = "/C=CH/CN=Alice"
FQANS = ("/dteam/Role=pilot", "/dteam", "/ops/sub/Role=NULL/Capability=NULL", "/dteam/Role=admin")


def subject(question: Question) -> list[Attribute]:
    (subject,) = question.request().subjects
    return list(subject.attributes)


def test_a_question_without_groups_names_the_subject_alone() -> None:
    request = Question.parse(ALICE, "wn", "run").request()
    (who,), (what,), action, environment = request.subjects, request.resources, request.action, request.environment
    assert who.attributes == (Attribute(AttributeId.SUBJECT_ID, ("CN=Alice,C=CH",), DataType.X500_NAME),)
    assert what.attributes == (Attribute(AttributeId.RESOURCE_ID, ("wn",)),)
    assert action
    assert action.attributes == (Attribute(AttributeId.ACTION_ID, ("run",)),)
    assert environment
    assert environment.attributes == (Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),)


def test_both_forms_of_a_name_ask_the_same() -> None:
    assert Question.parse("CN=Alice,C=CH", "wn", "run") == Question.parse(ALICE, "wn", "run")


@pytest.mark.parametrize("profile", [Profile.WORKER_NODE, Profile.COMPUTE_ELEMENT])
def test_the_first_fqan_is_primary_and_tells_the_vo(profile: Profile) -> None:
    assert subject(Question.parse(ALICE, "wn", "run", fqans=FQANS, profile=profile))[1:] == [
        Attribute(Glite.VIRTUAL_ORGANIZATION, ("dteam",)),
        Attribute(Glite.PRIMARY_FQAN, ("/dteam/Role=pilot",), DataType.FQAN),
        Attribute(Glite.FQAN, ("/dteam/Role=pilot", "/dteam", "/ops/sub", "/dteam/Role=admin"), DataType.FQAN),
    ]


def test_the_common_profile_has_groups_and_the_roles_in_them() -> None:
    question = Question.parse(ALICE, "wn", "run", fqans=FQANS, issuers=("/CN=CA", "/CN=Root"), profile=Profile.COMMON)
    assert subject(question)[1:] == [
        Attribute(DciSec.SUBJECT_ISSUER, ("CN=CA", "CN=Root"), DataType.X500_NAME),
        Attribute(DciSec.X509_SUBJECT_ISSUER, ("CN=CA",), DataType.X500_NAME),
        Attribute(DciSec.VIRTUAL_ORGANIZATION, ("dteam", "ops")),
        Attribute(DciSec.PRIMARY_GROUP, ("/dteam",)),
        Attribute(DciSec.GROUP, ("/dteam", "/ops/sub")),
        Attribute(DciSec.PRIMARY_ROLE, ("pilot",), issuer="/dteam"),
        Attribute(DciSec.ROLE, ("pilot", "admin"), issuer="/dteam"),
    ]


def test_a_primary_group_without_a_role_has_no_primary_role() -> None:
    question = Question.parse(ALICE, "wn", "run", fqans=("/dteam",), profile=Profile.COMMON)
    assert [each.id for each in subject(question)][1:] == [
        DciSec.VIRTUAL_ORGANIZATION,
        DciSec.PRIMARY_GROUP,
        DciSec.GROUP,
    ]


def test_issuers_are_those_of_the_certificate_first() -> None:
    assert subject(Question.parse(ALICE, "wn", "run", issuers=("/CN=CA", "/CN=Root")))[1:] == [
        Attribute(Glite.SUBJECT_ISSUER, ("CN=CA", "CN=Root"), DataType.X500_NAME),
        Attribute(Glite.X509_SUBJECT_ISSUER, ("CN=CA",), DataType.X500_NAME),
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("", "wn", "run"), "subject: the DN is empty"),
        (("Alice", "wn", "run"), "Alice"),
        ((ALICE, " \t", "run"), "resource: it is empty"),
        ((ALICE, "wn", ""), "action: it is empty"),
        ((ALICE, "wn", "x" * (MAX_LENGTH + 1)), f"action: it is longer than {MAX_LENGTH} characters"),
    ],
)
def test_what_no_request_may_lack_must_be_there(words: tuple[str, str, str], reason: str) -> None:
    with pytest.raises(MalformedInput, match=reason):
        Question.parse(*words)


def test_fqans_and_issuers_must_be_some() -> None:
    with pytest.raises(MalformedInput, match="not an FQAN: 'dteam'"):
        Question.parse(ALICE, "wn", "run", fqans=("dteam",))
    with pytest.raises(UnusableQuestion, match=f"fqans: more than {MAX_NAMES} of them"):
        Question.parse(ALICE, "wn", "run", fqans=("/dteam",) * (MAX_NAMES + 1))
    with pytest.raises(UnusableQuestion, match="issuers: the DN is empty"):
        Question.parse(ALICE, "wn", "run", issuers=("",))
