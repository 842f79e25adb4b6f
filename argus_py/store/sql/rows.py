"""Values as rows and back: paps, the access control list, the ordering, times."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.authorization import ANYONE, Acl, Permission, Principal
from argus_py.pap.history import Change, Note
from argus_py.pap.paps import Pap, Remote, RemoteState

Values = dict[str, str | int | bool | None]

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class UnreadableRow(Unavailable):
    """What the table ``table`` holds cannot be read by this program; ``reason`` says why."""

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"what is stored in the table {table!r} cannot be read: {reason}")
        self.table = table
        self.reason = reason


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def moment(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def _optional(convert: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else convert(value)


def pap_columns(pap: Pap, modified_at: datetime | None) -> Values:
    """The columns of a pap except its place: id and position."""
    remote = pap.remote
    return {
        "alias": pap.alias,
        "enabled": pap.enabled,
        "public": pap.public,
        "version": pap.version,
        "modified_at": _optional(milliseconds, modified_at),
        "remote_hostname": remote.hostname if remote else None,
        "remote_port": remote.port if remote else None,
        "remote_path": remote.path if remote else None,
        "remote_protocol": remote.protocol if remote else None,
        "remote_dn": remote.dn if remote else None,
    }


def pap_of(row: Row[Any]) -> Pap:
    remote = None
    if row.remote_hostname is not None:
        remote = Remote(row.remote_hostname, row.remote_port, row.remote_path, row.remote_protocol, row.remote_dn)
    return Pap(row.id, row.alias, row.enabled, row.public, remote, row.version)


def modified_at_of(row: Row[Any]) -> datetime | None:
    found: datetime | None = _optional(moment, row.modified_at)
    return found


def ordering_text(ordering: tuple[str, ...]) -> str:
    return json.dumps(ordering)


def ordering_of(text: str | None) -> tuple[str, ...]:
    """Raises UnreadableRow."""
    if text is None:
        return ()
    try:
        return tuple(map(str, json.loads(text)))
    except (ValueError, TypeError) as error:
        raise UnreadableRow("ordering", str(error)) from error


def acl_text(acl: Acl) -> str:
    return json.dumps([(*_principal_texts(principal), _flags(granted)) for principal, granted in acl.entries])


def acl_of(text: str | None) -> Acl | None:
    """Raises UnreadableRow: nobody may do anything then."""
    if text is None:
        return None
    try:
        entries = [(_principal_of(kind, principal), _granted(flags)) for kind, principal, flags in json.loads(text)]
    except (MalformedInput, ValueError, KeyError, TypeError) as error:
        raise UnreadableRow("acl", str(error)) from error
    return Acl(tuple(entries))


def _principal_texts(principal: Principal) -> tuple[str, str]:
    if isinstance(principal, DistinguishedName):
        return "dn", principal.rfc2253()
    if isinstance(principal, Fqan):
        return "fqan", str(principal)
    return "anyone", principal


def _principal_of(kind: str, text: str) -> Principal:
    """Raises MalformedInput. Raises ValueError: no such kind."""
    if kind == "dn":
        return DistinguishedName.parse_rfc2253(text)
    if kind == "fqan":
        return Fqan.parse(text)
    if kind == "anyone":
        return ANYONE
    raise ValueError(f"{kind!r} is no kind of principal")


def _flags(permissions: Permission) -> list[str]:
    return [str(flag.name) for flag in permissions]


def _granted(flags: list[str]) -> Permission:
    """Raises KeyError."""
    granted = Permission(0)
    for flag in flags:
        granted |= Permission[flag]
    return granted


def note_columns(note: Note) -> Values:
    return {"author": _storable(note.author), "command": _storable(note.command), "pap": _optional(_storable, note.pap)}


def _storable(text: str) -> str:
    """Whatever came with a command may stand in it: what a database cannot hold becomes U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def change_of(row: Row[Any]) -> Change:
    return Change(row.revision, moment(row.made_at), Note(row.author, row.command, row.pap))


def remote_state_columns(state: RemoteState) -> Values:
    return {
        "confirmed_at": _optional(milliseconds, state.confirmed_at),
        "failed_at": _optional(milliseconds, state.failed_at),
        "reason": _optional(_storable, state.reason),
        "quarantined": state.quarantined,
    }


def remote_state_of(row: Row[Any]) -> RemoteState:
    return RemoteState(
        _optional(moment, row.confirmed_at), _optional(moment, row.failed_at), row.reason, row.quarantined
    )
