"""Who may do what on a PAP: permissions, the access control list, and the one gate every act passes.

COMPAT: the file ``pap_authorization.ini`` has a syntax of its own, not that of the other ini files: see ``parse_acl``.
BETTER: Java never grants anything to FQAN entries, and compares DNs as text, so that ``emailAddress=`` never matches.

Source: argus-pap:src/main/java/org/glite/authz/pap/authz/AuthzConfigurationParser.java
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final, Literal

from argus_py.errors import ConfigurationError, MalformedInput, NotPermitted
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan


class Permission(Flag):
    """The flags of the file; ``ALL`` stands for the other five."""

    POLICY_READ_LOCAL = auto()
    POLICY_READ_REMOTE = auto()
    POLICY_WRITE = auto()
    CONFIGURATION_READ = auto()
    CONFIGURATION_WRITE = auto()
    ALL = POLICY_READ_LOCAL | POLICY_READ_REMOTE | POLICY_WRITE | CONFIGURATION_READ | CONFIGURATION_WRITE

    def __str__(self) -> str:
        return "|".join(str(flag.name) for flag in self)


_READ, _READ_REMOTE, _WRITE = (
    Permission.POLICY_READ_LOCAL,
    Permission.POLICY_READ_REMOTE,
    Permission.POLICY_WRITE,
)
_LOOK, _CONFIGURE = Permission.CONFIGURATION_READ, Permission.CONFIGURATION_WRITE


class Act(Enum):
    """What can be asked of a PAP, in words that complete "may not ...", and the flags it needs, all of them.

    Named as the operations of the Java PAP, where it has them.
    """

    PAP_EXISTS = "ask whether a pap exists", _LOOK
    GET_PAP = "see a pap", _LOOK
    LIST_PAPS = "list the paps", _LOOK
    GET_ORDER = "see the order of the paps", _LOOK
    GET_POLLING_INTERVAL = "see the polling interval", _LOOK
    ADD_PAP = "add a pap", _CONFIGURE
    SET_ENABLED = "enable or disable a pap", _CONFIGURE
    SET_ORDER = "set the order of the paps", _CONFIGURE
    SET_POLLING_INTERVAL = "set the polling interval", _CONFIGURE
    UPDATE_PAP = "update a pap", _LOOK | _CONFIGURE
    REMOVE_PAP = "remove a pap", _LOOK | _CONFIGURE
    REFRESH_POLICY_CACHE = "refresh the copy of a remote pap", _READ_REMOTE | _WRITE

    BAN = "ban", _WRITE
    UNBAN = "lift a ban", _READ | _WRITE
    ADD_RULE = "add a rule", _WRITE
    PURGE = "purge policies", _READ | _WRITE
    ERASE_REPOSITORY = "remove all policies", _WRITE

    ADD_POLICIES = "add policies", _WRITE
    ADD_POLICY_SET = "add a policy set", _WRITE
    STORE_POLICY = "store a policy", _WRITE
    STORE_POLICY_SET = "store a policy set", _WRITE
    REMOVE_POLICY = "remove a policy", _WRITE
    REMOVE_POLICY_SET = "remove a policy set", _WRITE
    REMOVE_OBJECT_BY_ID_AND_REFERENCES = "remove policies", _WRITE
    MOVE = "move policies", _WRITE
    UPDATE_POLICY = "update policies", _READ | _WRITE
    UPDATE_POLICY_SET = "update a policy set", _READ | _WRITE
    CHANGE_OBLIGATIONS = "change obligations", _READ | _WRITE

    LIST_LOCAL_POLICIES = "list the policies of a local pap", _READ
    LIST_LOCAL_POLICY_SET = "list the policy sets of a local pap", _READ
    GET_LOCAL_POLICY = "see a policy of a local pap", _READ
    GET_LOCAL_POLICY_SET = "see a policy set of a local pap", _READ
    GET_LOCAL_ROOT_POLICY_SET = "see the root policy set of a local pap", _READ
    HAS_LOCAL_POLICY = "ask for a policy of a local pap", _READ
    HAS_LOCAL_POLICY_SET = "ask for a policy set of a local pap", _READ
    LIST_REMOTE_POLICIES = "list the policies of a remote pap", _READ_REMOTE
    LIST_REMOTE_POLICY_SET = "list the policy sets of a remote pap", _READ_REMOTE
    GET_REMOTE_POLICY = "see a policy of a remote pap", _READ_REMOTE
    GET_REMOTE_POLICY_SET = "see a policy set of a remote pap", _READ_REMOTE
    GET_REMOTE_ROOT_POLICY_SET = "see the root policy set of a remote pap", _READ_REMOTE
    HAS_REMOTE_POLICY = "ask for a policy of a remote pap", _READ_REMOTE
    HAS_REMOTE_POLICY_SET = "ask for a policy set of a remote pap", _READ_REMOTE
    ASK_WHO_MAY = "ask who may do what", _READ | _READ_REMOTE

    GET_ACL = "see the access control list", _LOOK
    SET_ACL = "set the access control list", _LOOK | _CONFIGURE
    ADD_ACE = "add an entry of the access control list", _LOOK | _CONFIGURE
    REMOVE_ACE = "remove an entry of the access control list", _LOOK | _CONFIGURE

    READ_HISTORY = "read the history", _READ | _LOOK  # changes of the access control list stand in it
    UNDO_POLICIES = "undo a change of policies", _READ | _WRITE
    UNDO_CONFIGURATION = "undo a change of the configuration", _LOOK | _CONFIGURE

    FETCH_AS_PDP = "fetch policies as a PDP", _READ | _READ_REMOTE
    FETCH_AS_PAP = "fetch policies as a PAP", _READ

    def __init__(self, words: str, needs: Permission) -> None:
        self.words = words
        self.needs = needs


@dataclass(frozen=True, slots=True)
class Admin:
    """An authenticated caller: the subject of its end entity certificate and the FQANs proven by its proxy."""

    dn: DistinguishedName
    fqans: tuple[Fqan, ...] = ()


ANYONE: Final = "ANYONE"
Principal = DistinguishedName | Fqan | Literal["ANYONE"]


@dataclass(frozen=True, slots=True)
class Acl:
    """Permissions add up over all entries that fit; there are no negative entries, wildcards or group hierarchies."""

    entries: tuple[tuple[Principal, Permission], ...] = ()

    @classmethod
    def of(cls, entries: Iterable[tuple[Principal, Permission]]) -> "Acl":
        """One entry for each principal: the last one given, at the place of the first."""
        kept: dict[object, tuple[Principal, Permission]] = {}
        for principal, permissions in entries:
            kept[identity_of(principal)] = principal, permissions
        return cls(tuple(kept.values()))

    def with_entry(self, principal: Principal, permissions: Permission) -> "Acl":
        return Acl.of((*self.entries, (principal, permissions)))

    def without(self, principal: Principal) -> "Acl":
        gone = identity_of(principal)
        return Acl(tuple(entry for entry in self.entries if identity_of(entry[0]) != gone))

    def permissions_of(self, admin: Admin) -> Permission:
        granted = Permission(0)
        for principal, permissions in self.entries:
            if _is(admin, principal):
                granted |= permissions
        return granted


def _is(admin: Admin, principal: Principal) -> bool:
    if isinstance(principal, DistinguishedName):
        return _spelled(admin.dn) == _spelled(principal)
    if isinstance(principal, Fqan):
        return principal in admin.fqans
    return True


def principal_text(principal: Principal) -> str:
    """As commands take it: a DN in the form of RFC 2253, in which nothing in a value looks like another attribute."""
    return principal.readable() if isinstance(principal, DistinguishedName) else str(principal)


def identity_of(principal: Principal) -> object:
    """Equal for two spellings of one principal."""
    return _spelled(principal) if isinstance(principal, DistinguishedName) else principal


def _spelled(dn: DistinguishedName) -> tuple[tuple[str, str], ...]:
    """Labels have synonyms, values have not: one letter of another case is another person to a CA.

    BETTER: Java compares slash forms, where ``CN=robot/CN=admin`` with a slash in its value is ``/CN=robot/CN=admin``.
    """
    return tuple((attribute.type, attribute.value) for rdn in dn.rdns for attribute in reversed(rdn))


class ActNotPermitted(NotPermitted):
    """The ``admin`` lacks the flags ``missing`` for the ``act``."""

    def __init__(self, admin: Admin, act: Act, missing: Permission) -> None:
        super().__init__(f"Insufficient privileges: {admin.dn.readable()} may not {act.words}: {missing} is missing")
        self.admin = admin
        self.act = act
        self.missing = missing


class Gate:
    """The one place where an act is let through or refused."""

    def __init__(self, acl: Callable[[], Acl]) -> None:
        self._acl = acl

    def permissions_of(self, admin: Admin) -> Permission:
        return self._acl().permissions_of(admin)

    def permits(self, admin: Admin, act: Act) -> bool:
        return act.needs in self.permissions_of(admin)

    def admit(self, admin: Admin, act: Act) -> None:
        """Raises ActNotPermitted."""
        missing = act.needs & ~self._acl().permissions_of(admin)
        if missing:
            raise ActNotPermitted(admin, act, missing)


class BadAclEntry(MalformedInput):
    """A line, or a part of one, that is no entry of an access control list."""


class AclSyntaxError(ConfigurationError):
    """The ``problems`` of an authorization file, each (line, text)."""

    def __init__(self, source: str, problems: tuple[tuple[int, str], ...]) -> None:
        super().__init__("\n".join(f"{source}, line {line}: {text}" for line, text in problems))
        self.source = source
        self.problems = problems


_BLANKS = " \t\f\r"
_ENTRY = re.compile(r"(?P<principal>.+):\s*(?P<flags>\w+(?:\|\w+)*)\|?")
_QUOTED = re.compile(r'"(?P<dn>[^"]+)"')
_STANZAS = ("[dn]", "[fqan]")


def parse_acl(text: str, source: str) -> Acl:
    """Read the text of the file ``source``; of several entries of one principal the last counts.

    >>> print(parse_acl('[dn]\\n"/DC=org/CN=Admin" : ALL\\nANYONE : POLICY_READ_LOCAL\\n', "acl").entries[1][1])
    POLICY_READ_LOCAL

    Raises AclSyntaxError: listing every bad line.
    """
    entries: list[tuple[Principal, Permission]] = []
    problems: list[tuple[int, str]] = []
    stanza = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.rstrip(_BLANKS)
        if not line or line[0] in "#;":
            continue
        try:
            if line.startswith("["):
                stanza = _stanza(line)
                continue
            entries.append(_entry(line, stanza))
        except MalformedInput as error:
            problems.append((number, str(error)))
    if problems:
        raise AclSyntaxError(source, tuple(problems))
    return Acl.of(entries)


def _stanza(line: str) -> str:
    if line not in _STANZAS:
        raise BadAclEntry(f"Stanza '{line}' is not supported!")
    return line


def _entry(line: str, stanza: str) -> tuple[Principal, Permission]:
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise BadAclEntry(f"'{line}' does not match the PRINCIPAL : PERMISSION format!")
    return _principal(found["principal"].strip(_BLANKS), stanza), parse_permissions(found["flags"])


def _principal(text: str, stanza: str) -> Principal:
    quoted = _QUOTED.fullmatch(text)
    if (text == ANYONE or quoted) and stanza != "[dn]":
        raise BadAclEntry(f"{text} stands outside of the [dn] stanza")
    if text == ANYONE:
        return ANYONE
    if quoted:
        return parse_dn(quoted["dn"])
    if stanza != "[fqan]":
        raise BadAclEntry(f"{text} stands outside of the [fqan] stanza, or is a DN without its double quotes")
    return Fqan.parse(text)


def parse_dn(text: str) -> DistinguishedName:
    """In either form, as administrators write it. Raises DnSyntaxError."""
    return DistinguishedName.parse_slash(text) if text.startswith("/") else DistinguishedName.parse_rfc2253(text)


def parse_permissions(text: str) -> Permission:
    """Flags joined by ``|``. Raises BadAclEntry: an unknown flag."""
    permissions = Permission(0)
    for name in text.split("|"):
        if name not in Permission.__members__:
            raise BadAclEntry(f"Unknown permission passed as argument! '{name}'.")
        permissions |= Permission[name]
    return permissions


def format_acl(acl: Acl) -> str:
    """The text of an authorization file, as the Java daemon writes it at every change. Reads back the same."""
    in_dn, in_fqan = ["[dn]", ""], ["", "[fqan]", ""]
    for principal, permissions in acl.entries:
        if isinstance(principal, Fqan):
            in_fqan.append(f"{principal} : {_flags(permissions)}")
        elif isinstance(principal, DistinguishedName):
            in_dn.append(f'"{principal.slash()}" : {_flags(permissions)}')
        else:
            in_dn.append(f"{principal} : {_flags(permissions)}")
    return "\n".join([*in_dn, *in_fqan, ""])


def _flags(permissions: Permission) -> str:
    return "ALL" if permissions is Permission.ALL else str(permissions)
