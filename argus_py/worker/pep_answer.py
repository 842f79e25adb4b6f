"""What a worker node makes of the answer: an account, or a refusal that says why. Nothing else is a permit.

Source: lcmaps-plugins-c-pep 1.2 (what it needs); argus-pep-api-c:src/argus/profiles.h
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from argus_py.errors import ArgusError
from argus_py.model.dn import escape_controls
from argus_py.model.identifiers import AuthzInterop, DciSec, Glite
from argus_py.model.response import Decision, Obligation, Response, Result

_MAX_MESSAGE: Final = 300  # characters of a status message that go into a log line
_MAX_ID: Final = 2**32 - 2


class NoAccount(ArgusError):
    """The answer gives no account; ``reason`` continues "Argus ..."."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Argus {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """``groups``: the primary one first, maybe none at all. What the server calls by name is looked up here."""

    user: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberedAccount:
    """By the obligations of the AuthZ Interoperability profile."""

    uid: int
    gid: int
    secondary_gids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Family:
    obligation: str
    user_id: str
    primary_group_id: str
    group_id: str


_FAMILIES: Final = (
    _Family(Glite.LOCAL_ENVIRONMENT_MAP_POSIX, Glite.USER_ID, Glite.PRIMARY_GROUP_ID, Glite.GROUP_ID),
    _Family(DciSec.MAP_LOCAL_USER_POSIX, DciSec.USER_ID, DciSec.PRIMARY_GROUP_ID, DciSec.GROUP_ID),
)


def read_account(response: Response) -> NamedAccount | NumberedAccount:
    """Raises NoAccount: anything but one Permit with one account."""
    if len(response.results) != 1:
        raise NoAccount(f"answers with {len(response.results)} results, where one was asked for")
    (result,) = response.results
    if result.decision is not Decision.PERMIT:
        raise NoAccount(f"answers {result.decision.value}{_message(result)}")
    obligations = [each for each in result.obligations if each.fulfill_on.decision is Decision.PERMIT]
    for family in _FAMILIES:
        found = [each for each in obligations if each.id == family.obligation]
        if found:
            return _named(found, family)
    if any(each.id == AuthzInterop.UIDGID for each in obligations):
        return _numbered(obligations)
    raise NoAccount("permits without mapping: its answer names no account")


def _message(result: Result) -> str:
    message = result.status.message
    return f": {escape_controls(message[:_MAX_MESSAGE])}" if message else ""


def _named(obligations: list[Obligation], family: _Family) -> NamedAccount:
    primary = _values(obligations, family.primary_group_id)
    groups = tuple(dict.fromkeys((*primary, *_values(obligations, family.group_id))))
    if len(set(primary)) > 1:
        raise NoAccount("names several primary groups")
    return NamedAccount(_only(_values(obligations, family.user_id), "account"), groups if primary else ())


def _numbered(obligations: list[Obligation]) -> NumberedAccount:
    both = [each for each in obligations if each.id == AuthzInterop.UIDGID]
    secondary = [each for each in obligations if each.id == AuthzInterop.SECONDARY_GIDS]
    return NumberedAccount(
        _number(_only(_values(both, AuthzInterop.POSIX_UID), "account")),
        _number(_only(_values(both, AuthzInterop.POSIX_GID), "primary group")),
        tuple(map(_number, _values(secondary, AuthzInterop.POSIX_GID))),
    )


def _values(obligations: Iterable[Obligation], attribute_id: str) -> list[str]:
    return [
        each.value
        for obligation in obligations
        for each in obligation.assignments
        if each.attribute_id == attribute_id and each.value
    ]


def _only(values: list[str], what: str) -> str:
    """The same one several times is one."""
    different = list(dict.fromkeys(values))
    if len(different) != 1:
        raise NoAccount(f"names {'several' if different else 'no'} {what}{'s' if different else ''}")
    return different[0]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= _MAX_ID):
        raise NoAccount(f"gives {escape_controls(text[:20])!r} for a number")
    return int(text)
