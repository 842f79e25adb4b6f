"""Who may do what on a PAP: permissions, the access control list, and the one gate every act passes.

COMPAT: the file ``pap_authorization.ini`` has a syntax of its own, not that of the other ini files: see ``parse_acl``.
BETTER: Java never grants anything to FQAN entries, and compares DNs as text, so that ``emailAddress=`` never matches.

Source: argus-pap:src/main/java/org/glite/authz/pap/authz/AuthzConfigurationParser.java
"""

import re
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


class Act(Enum):
    """What can be asked of a PAP, in words that complete "may not ...", and the flags it needs, all of them."""

    LIST_LOCAL = "list the policies of a local pap", Permission.POLICY_READ_LOCAL
    LIST_REMOTE = "list the policies of a remote pap", Permission.POLICY_READ_REMOTE
    ADD_POLICIES = "add policies", Permission.POLICY_WRITE
    UPDATE = "update policies", Permission.POLICY_READ_LOCAL | Permission.POLICY_WRITE
    ADD_RULE = "add a rule", Permission.POLICY_WRITE
    BAN = "ban", Permission.POLICY_WRITE
    UNBAN = "lift a ban", Permission.POLICY_READ_LOCAL | Permission.POLICY_WRITE
    REMOVE = "remove policies", Permission.POLICY_WRITE
    REMOVE_ALL = "remove all policies", Permission.POLICY_WRITE
    MOVE = "move policies", Permission.POLICY_WRITE
    CHANGE_OBLIGATIONS = "change obligations", Permission.POLICY_READ_LOCAL | Permission.POLICY_WRITE
    ASK_WHO_MAY = "ask who may do what", Permission.POLICY_READ_LOCAL | Permission.POLICY_READ_REMOTE
    FETCH_AS_PDP = "fetch policies as a PDP", Permission.POLICY_READ_LOCAL | Permission.POLICY_READ_REMOTE

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

    def __init__(self, acl: Acl) -> None:
        self._acl = acl

    def admit(self, admin: Admin, act: Act) -> None:
        """Raises ActNotPermitted."""
        missing = act.needs & ~self._acl.permissions_of(admin)
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
    entries: dict[object, tuple[Principal, Permission]] = {}
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
            principal, permissions = _entry(line, stanza)
            key = _spelled(principal) if isinstance(principal, DistinguishedName) else principal
            entries[key] = principal, permissions
        except MalformedInput as error:
            problems.append((number, str(error)))
    if problems:
        raise AclSyntaxError(source, tuple(problems))
    return Acl(tuple(entries.values()))


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
