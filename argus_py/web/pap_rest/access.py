"""The access control list over REST."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.authorization import (
    ANYONE,
    Acl,
    BadAclEntry,
    Permission,
    Principal,
    parse_dn,
    parse_permissions,
    principal_text,
)
from argus_py.pap.use_cases import UseCases
from argus_py.web.pap_rest.asking import Answers, Changer, Reader
from argus_py.web.pap_rest.shapes import ChangeBody, Several, Strict, Text, Told

Kind = Literal["dn", "fqan", "anyone"]


class EntryBody(Strict):
    """``name``: a DN, as in RFC 2253 or with slashes, an FQAN, or ANYONE. ``permissions``: the names of flags."""

    kind: Kind
    name: Text
    permissions: Annotated[Several[Text], Field(min_length=1)]


class AclBody(Strict):
    """Of several entries of one principal the last counts."""

    entries: Several[EntryBody]


class AclEntry(Told):
    """``name``: a DN as in RFC 2253, an FQAN, or ANYONE."""

    kind: Kind
    name: str
    permissions: tuple[str, ...]


class AclTold(Told):
    entries: tuple[AclEntry, ...]


def access_router(use_cases: UseCases, answers: Answers) -> APIRouter:
    router = APIRouter(prefix="/acl", tags=["access control"])
    access = use_cases.access

    @router.get("")
    def get_acl(asked: Reader) -> AclTold:
        """Who may do what."""
        return AclTold(entries=tuple(_told(*entry) for entry in access.acl(asked).entries))

    @router.put("")
    def set_acl(asked: Changer, response: Response, body: AclBody) -> ChangeBody[None]:
        """Replace all entries."""
        return answers.of(asked, response, access.set_acl(asked, Acl(tuple(map(_entry, body.entries)))))

    @router.post("/entries")
    def add_entry(asked: Changer, response: Response, body: EntryBody) -> ChangeBody[None]:
        """Add an entry, in place of that of the same principal."""
        return answers.of(asked, response, access.add_entry(asked, *_entry(body)))

    @router.delete("/entries")
    def remove_entry(asked: Changer, response: Response, kind: Kind, name: Text) -> ChangeBody[bool]:
        """Remove the entry of a principal; the result says whether there was one."""
        return answers.of(asked, response, access.remove_entry(asked, _principal(kind, name)))

    return router


def _entry(body: EntryBody) -> tuple[Principal, Permission]:
    """Raises MalformedInput: it is none."""
    return _principal(body.kind, body.name), parse_permissions("|".join(body.permissions))


def _principal(kind: Kind, name: str) -> Principal:
    match kind:
        case "dn":
            return parse_dn(name)
        case "fqan":
            return Fqan.parse(name)
        case "anyone":
            if name != ANYONE:
                raise BadAclEntry(f"anyone is called {ANYONE}, not {name!r}")
            return ANYONE


def _told(principal: Principal, permissions: Permission) -> AclEntry:
    kind: Kind = "anyone"
    if isinstance(principal, DistinguishedName):
        kind = "dn"
    elif isinstance(principal, Fqan):
        kind = "fqan"
    flags = ("ALL",) if permissions == Permission.ALL else tuple(str(flag.name) for flag in permissions)
    return AclEntry(kind=kind, name=principal_text(principal), permissions=flags)
