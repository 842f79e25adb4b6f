"""A question to the PDP in the words of administrators, and the request that a PEP daemon would make of it.

The attributes are those that its profile points prove of a proxy with these names. Its other points, and what clients
add, are not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import NULL, Fqan
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.xacml.values import trim

MAX_NAMES: Final = 500  # FQANs, or issuers; the most that a VOMS server was seen to give are some thirty
MAX_LENGTH: Final = 4096  # characters of a resource or an action; names of services have a hundred


class UnusableQuestion(MalformedInput):
    """Something that no request may lack is missing, or there is too much of something; carries its ``name``."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


class Profile(Enum):
    """How worker nodes and services speak, by the short names of the profiles."""

    WORKER_NODE = "grid-wn"
    COMPUTE_ELEMENT = "grid-ce"
    COMMON = "common"


PROFILE_IDS: Final = {
    Profile.WORKER_NODE: Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),
    Profile.COMPUTE_ELEMENT: Attribute(Glite.PROFILE_ID, (Glite.PROFILE_COMPUTE_ELEMENT,), DataType.ANY_URI),
    Profile.COMMON: Attribute(DciSec.PROFILE_ID, (DciSec.PROFILE_COMMON_AUTHZ,), DataType.ANY_URI),
}


@dataclass(frozen=True, slots=True)
class Question:
    """``fqans``: the primary one first; the VO is that of its group. ``issuers``: CAs from the issuing one upwards."""

    subject: DistinguishedName
    resource: str
    action: str
    fqans: tuple[Fqan, ...] = ()
    issuers: tuple[DistinguishedName, ...] = ()
    profile: Profile = Profile.WORKER_NODE

    @classmethod
    def parse(
        cls,
        subject: str,
        resource: str,
        action: str,
        *,
        fqans: Sequence[str] = (),
        issuers: Sequence[str] = (),
        profile: Profile = Profile.WORKER_NODE,
    ) -> "Question":
        """DNs in slash form or as RFC 2253. Raises DnSyntaxError, FqanSyntaxError, UnusableQuestion."""
        for name, names in (("fqans", fqans), ("issuers", issuers)):
            if len(names) > MAX_NAMES:
                raise UnusableQuestion(name, f"more than {MAX_NAMES} of them")
        return cls(
            _dn("subject", subject),
            _text("resource", resource),
            _text("action", action),
            tuple(map(Fqan.parse, fqans)),
            tuple(_dn("issuers", issuer) for issuer in issuers),
            profile,
        )

    def request(self) -> Request:
        membership = _common if self.profile is Profile.COMMON else _glite
        return Request(
            (Subject((*self._names(), *(membership(self.fqans) if self.fqans else ()))),),
            (Resource((Attribute(AttributeId.RESOURCE_ID, (self.resource,)),)),),
            Action((Attribute(AttributeId.ACTION_ID, (self.action,)),)),
            Environment((PROFILE_IDS[self.profile],)),
        )

    def _names(self) -> tuple[Attribute, ...]:
        subject = Attribute(AttributeId.SUBJECT_ID, (self.subject.rfc2253(),), DataType.X500_NAME)
        if not self.issuers:
            return (subject,)
        ids = DciSec if self.profile is Profile.COMMON else Glite
        issuers = tuple(issuer.rfc2253() for issuer in self.issuers)
        return (
            subject,
            Attribute(ids.SUBJECT_ISSUER, issuers, DataType.X500_NAME),
            Attribute(ids.X509_SUBJECT_ISSUER, issuers[:1], DataType.X500_NAME),
        )


def _glite(fqans: tuple[Fqan, ...]) -> tuple[Attribute, ...]:
    texts = tuple(map(str, fqans))
    return (
        Attribute(Glite.VIRTUAL_ORGANIZATION, (_vo(fqans[0]),)),
        Attribute(Glite.PRIMARY_FQAN, texts[:1], DataType.FQAN),
        Attribute(Glite.FQAN, texts, DataType.FQAN),
    )


def _common(fqans: tuple[Fqan, ...]) -> tuple[Attribute, ...]:
    """A role belongs to the group that is named as its issuer."""
    primary = fqans[0]
    attributes = [
        Attribute(DciSec.VIRTUAL_ORGANIZATION, tuple(dict.fromkeys(map(_vo, fqans)))),
        Attribute(DciSec.PRIMARY_GROUP, (primary.group,)),
        Attribute(DciSec.GROUP, tuple(dict.fromkeys(fqan.group for fqan in fqans))),
    ]
    if primary.role != NULL:
        attributes.append(Attribute(DciSec.PRIMARY_ROLE, (primary.role,), issuer=primary.group))
    roles: dict[str, dict[str, None]] = {}
    for fqan in fqans:
        if fqan.role != NULL:
            roles.setdefault(fqan.group, {})[fqan.role] = None
    return (*attributes, *(Attribute(DciSec.ROLE, tuple(found), issuer=group) for group, found in roles.items()))


def _vo(fqan: Fqan) -> str:
    return fqan.group.split("/")[1]


def _dn(name: str, text: str) -> DistinguishedName:
    parse = DistinguishedName.parse_slash if text.startswith("/") else DistinguishedName.parse_rfc2253
    dn = parse(text)
    if not dn.rdns:
        raise UnusableQuestion(name, "the DN is empty")
    return dn


def _text(name: str, text: str) -> str:
    if not trim(text):
        raise UnusableQuestion(name, "it is empty")
    if len(text) > MAX_LENGTH:
        raise UnusableQuestion(name, f"it is longer than {MAX_LENGTH} characters")
    return text
