"""The question of ``/authz`` and its answer as JSON objects: the second wire of the PEP daemon, on /v1/authorize.

What is made of a question goes the way of a request in Hessian: past the same information points, decision point and
obligations. Whoever is refused gets 200 and an answer that says so; other statuses come with problem details.

Certificates come as PEM text, and a private key anywhere in the body refuses it unread: it has left the machine of its
owner, and no log is to have it. A subject without certificates is named by DN and FQANs; what that is worth the
information points say, and those of the profiles want certificates unless pepd.ini does not require them.

The reason of a Deny stays in the audit log. Who asks learns whether it was the policy, the mapping or a failure.
"""

import base64
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from starlette.responses import Response as HttpResponse

from argus_py.credentials import pem
from argus_py.errors import CredentialRejected, MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Decision, Obligation, Response
from argus_py.pdp.question import MAX_LENGTH, MAX_NAMES, PROFILE_IDS, Profile, Question
from argus_py.pep.attributes import find, first_value, set_environment
from argus_py.pep.ports import Call, NameService
from argus_py.web.problems import problem

_log = logging.getLogger(__name__)

RETRY_AFTER: Final = {"Retry-After": "5"}  # seconds, as on the other wire
_KEY: Final = b"PRIVATE KEY-----"  # ends the first line of every kind of it

Pem = Annotated[str, StringConstraints(min_length=1, max_length=pem.MAX_TEXT_LENGTH)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]


class QuestionBody(BaseModel):
    """May this subject do this action on this resource, and under which account?"""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        json_schema_extra={
            "oneOf": [
                {"required": ["certificates"], "not": {"anyOf": [{"required": ["subject"]}, {"required": ["fqans"]}]}},
                {"required": ["subject"], "not": {"required": ["certificates"]}},
            ]
        },
    )

    certificates: Annotated[
        Pem | None, Field(description="PEM chain of the subject, proxy first; VOMS attributes are read from it.")
    ] = None
    subject: Annotated[
        Text | None, Field(description="In the place of certificates: the DN, RFC 2253 or with slashes.")
    ] = None
    fqans: Annotated[
        list[Text], Field(max_length=MAX_NAMES, description="Of a subject named by DN, the primary FQAN first.")
    ] = []
    pilot_certificates: Annotated[
        Pem | None, Field(description="PEM chain of the pilot job that asks for the subject.")
    ] = None
    resource: Annotated[Text, Field(description="resource-id, by which policies are chosen.")]
    action: Annotated[Text, Field(description="action-id.")]
    profile: Annotated[
        Literal["grid-wn", "grid-ce", "common"], Field(description="Of worker nodes, of compute elements, of EMI.")
    ] = "grid-wn"

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.certificates is None) == (self.subject is None):
            raise ValueError("give one of certificates and subject")
        if self.certificates is not None and self.fqans:
            raise ValueError("fqans go with subject: certificates have their own")
        return self


class Group(BaseModel):
    name: str
    gid: int | None


class Assignment(BaseModel):
    id: str
    value: str | None
    datatype: str | None


class ObligationBody(BaseModel):
    id: str
    fulfill_on: Literal["Permit", "Deny"]
    assignments: list[Assignment]


class AnswerBody(BaseModel):
    """Only the decision ``Permit`` permits. Numbers are those of the host of the daemon, null where it has none."""

    request_id: Annotated[str, Field(description="By which the logs of all daemons know the request.")]
    decision: Literal["Permit", "Deny", "NotApplicable", "Indeterminate"]
    reason: Annotated[
        Literal["permitted", "denied", "not-applicable", "indeterminate", "unmapped"],
        Field(description="unmapped: the policy permits, but there is no account; the decision is Indeterminate."),
    ]
    status: Annotated[str, Field(description="XACML status code.")]
    message: Annotated[str | None, Field(description="What went wrong, for people.")]
    subject: Annotated[str | None, Field(description="Whom was decided upon: the DN as in RFC 2253.")]
    fqans: Annotated[list[str], Field(description="Of the subject, the primary one first.")]
    account: Annotated[str | None, Field(description="Null also with Permit, if the policy does not ask for one.")]
    uid: int | None
    gid: Annotated[int | None, Field(description="Of the primary group.")]
    groups: Annotated[list[Group], Field(description="The primary group first.")]
    obligations: list[ObligationBody]


class UnreadableQuestion(MalformedInput):
    """The body is no such object, or its certificates are no PEM; ``problems`` name field and fault."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class PrivateKeySent(MalformedInput):
    """The body has a private key in it; nothing of the body is kept or logged."""

    def __init__(self) -> None:
        super().__init__("there is a private key in the request; send certificates alone, and regard the key as lost")


class JsonWire:
    """A Wire; ``names`` None: this machine does not know the accounts and groups."""

    def __init__(self, names: NameService | None) -> None:
        self._names = names

    def read(self, body: bytes) -> Request:
        """Raises PrivateKeySent, UnreadableQuestion; what DNs and FQANs raise that are none."""
        if _KEY in body:
            raise PrivateKeySent
        try:
            asked = QuestionBody.model_validate_json(body)
        except ValidationError as error:
            # Without the input, and cut: the name of a field that we do not have is the client's.
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            raise UnreadableQuestion(*(f"{_place(each['loc'])}: {each['msg']}" for each in faults[:10])) from None
        return _request(asked)

    def write(self, response: Response, call: Call) -> HttpResponse:
        told = _answer(response, call, self._names).model_dump()
        return HttpResponse(json.dumps(told), media_type="application/json")  # in ASCII, whatever the texts

    def refuse(self, error: MalformedInput, call: Call) -> HttpResponse:
        if isinstance(error, PrivateKeySent):
            name, title = "private-key", "Private key in the request"
        else:
            name, title = "unreadable-question", "Unreadable question"
        return problem(400, str(error), name=name, title=title, request_id=call.id)

    def busy(self) -> HttpResponse:
        return problem(503, "too many requests are waiting", headers=RETRY_AFTER)

    def too_large(self, limit: int) -> HttpResponse:
        return problem(413, f"the request is larger than {limit} octets", headers={"Connection": "close"})


def _place(location: Iterable[str | int]) -> str:
    return ".".join(map(str, location))[:100] or "question"


def _request(asked: QuestionBody) -> Request:
    profile = Profile(asked.profile)
    if asked.certificates is None:
        assert asked.subject is not None
        question = Question.parse(asked.subject, asked.resource, asked.action, fqans=asked.fqans, profile=profile)
        request = question.request()
    else:
        request = Request(
            (Subject((_key_info(asked.certificates, profile),)),),
            (Resource((Attribute(AttributeId.RESOURCE_ID, (asked.resource,)),)),),
            Action((Attribute(AttributeId.ACTION_ID, (asked.action,)),)),
            Environment((PROFILE_IDS[profile],)),
        )
    if asked.pilot_certificates is None:
        return request
    pilot = Attribute(AttributeId.KEY_INFO, (asked.pilot_certificates,))
    return set_environment(request, (pilot,))


def _key_info(certificates: str, profile: Profile) -> Attribute:
    """As clients of the profile send it: the text, or the DER of each certificate."""
    if profile is not Profile.COMMON:
        return Attribute(AttributeId.KEY_INFO, (certificates,))
    try:
        parsed = pem.parse_certificates(certificates)
    except CredentialRejected as error:
        raise UnreadableQuestion(f"certificates: {error}") from error
    blocks = (base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in parsed)
    return Attribute(AttributeId.KEY_INFO, tuple(blocks), DataType.BASE64_BINARY)


def _answer(response: Response, call: Call, names: NameService | None) -> AnswerBody:
    # Nobody sends several results; if somebody does, the request is permitted only by all of them.
    result = next((each for each in response.results if each.decision is not Decision.PERMIT), response.results[0])
    fulfilled = [each for each in result.obligations if each.fulfill_on.decision is result.decision]
    account = _account(fulfilled) if result.decision is Decision.PERMIT else _Account()
    groups = [Group(name=group, gid=names.gid(group) if names else None) for group in account.groups]
    subject = _subject(response.request)
    return AnswerBody(
        request_id=call.id,
        decision=result.decision.value,
        reason=_reason(result.decision, response.trail.decision),
        status=result.status.code.value,
        message=result.status.message,
        subject=first_value(subject, AttributeId.SUBJECT_ID),
        fqans=_fqans(subject),
        account=account.login,
        uid=names.uid(account.login) if names and account.login else None,
        gid=groups[0].gid if groups else None,
        groups=groups,
        obligations=list(map(_obligation, fulfilled)),
    )


def _reason(
    sent: Decision, decided: str | None
) -> Literal["permitted", "denied", "not-applicable", "indeterminate", "unmapped"]:
    """``decided`` is the word of the decision point, if there was one."""
    match sent:
        case Decision.PERMIT:
            return "permitted"
        case Decision.DENY:
            return "denied"
        case Decision.NOT_APPLICABLE:
            return "not-applicable"
        case Decision.INDETERMINATE:
            return "unmapped" if decided == Decision.PERMIT.value else "indeterminate"


def _subject(request: Request | None) -> tuple[Attribute, ...]:
    """The attributes of the one that policies decide upon."""
    subjects = request.subjects if request else ()
    return tuple(attribute for subject in subjects if subject.is_access_subject for attribute in subject.attributes)


def _fqans(subject: tuple[Attribute, ...]) -> list[str]:
    primary = first_value(subject, Glite.PRIMARY_FQAN)
    listed = [fqan for attribute in find(subject, Glite.FQAN) for fqan in attribute.values]
    return list(dict.fromkeys(([primary] if primary else []) + listed))


@dataclass(frozen=True, slots=True)
class _Account:
    """``login`` None: there is none."""

    login: str | None = None
    groups: tuple[str, ...] = ()


def _account(obligations: Iterable[Obligation]) -> _Account:
    """What worker nodes read on the other wire; none if there are several names for it, of which others read any.

    Without a primary group there is none at all: no other one is taken for it.
    """
    posix = [each for each in obligations if each.id == Glite.LOCAL_ENVIRONMENT_MAP_POSIX]
    logins, primary, groups = (
        _assigned(posix, attribute_id) for attribute_id in (Glite.USER_ID, Glite.PRIMARY_GROUP_ID, Glite.GROUP_ID)
    )
    if len(logins) != 1 or len(primary) > 1:
        return _Account()
    return _Account(logins[0], tuple(dict.fromkeys((*primary, *groups))) if primary else ())


def _assigned(obligations: Iterable[Obligation], attribute_id: str) -> tuple[str, ...]:
    """Each value once."""
    assignments = (assignment for obligation in obligations for assignment in obligation.assignments)
    return tuple(dict.fromkeys(each.value for each in assignments if each.attribute_id == attribute_id and each.value))


def _obligation(obligation: Obligation) -> ObligationBody:
    return ObligationBody(
        id=obligation.id,
        fulfill_on=obligation.fulfill_on.value,
        assignments=[
            Assignment(id=each.attribute_id, value=each.value, datatype=each.datatype)
            for each in obligation.assignments
        ],
    )
