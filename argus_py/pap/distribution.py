"""The commands about paps: which there are, where they come from, in which order, and how often they are fetched.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/pap_management/, papmanagement/PapManager.java
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from argus_py.errors import Conflict, MalformedInput
from argus_py.model.dn import MAX_TEXT_LENGTH
from argus_py.pap.authorization import Act, Gate
from argus_py.pap.paps import ALIAS, Pap, Remote, RemoteState, by_alias
from argus_py.pap.ports import PolicyReader, PolicyRepository
from argus_py.pap.request import Asked, Outcome, command_text
from argus_py.pap.state import Held, State
from argus_py.pap.take_up import DEFAULT_POLL_INTERVAL, POLL_INTERVAL
from argus_py.pap.transactions import Transactions

SHORTEST_POLLING_INTERVAL: Final = timedelta(seconds=1)  # BETTER: 0 is a busy loop in Java
LONGEST_POLLING_INTERVAL: Final = timedelta(days=366)  # beyond it nothing would ever be fetched

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_PATH: Final = re.compile(r"/[\x21-\x7e]{0,1000}")
_PROTOCOLS: Final = ("https", "http")

Refresher = Callable[[Pap], None]  # fetches the policies of a remote pap now; raises what went wrong


class DefaultPapIsFixed(Conflict):
    """The pap ``default`` can neither be added nor updated nor removed."""


class PapIsLocal(Conflict):
    """Nothing can be fetched for the pap ``alias``."""

    def __init__(self, alias: str) -> None:
        super().__init__(f'"{alias}" is local, nothing to refresh')
        self.alias = alias


class BadOrdering(MalformedInput):
    """The ``alias`` cannot stand in an order of the paps as it does."""

    def __init__(self, alias: str, reason: str) -> None:
        super().__init__(f"Error in remote paps order: {reason}")
        self.alias = alias


class BadPap(MalformedInput):
    """A pap that cannot be; says which field is wrong."""


class BadPollingInterval(MalformedInput):
    """An ``interval`` that is too short or too long."""

    def __init__(self, interval: timedelta) -> None:
        super().__init__(
            f"the polling interval cannot be {interval.total_seconds():.10g} seconds: it must be at least "
            f"{SHORTEST_POLLING_INTERVAL.seconds} second and at most {LONGEST_POLLING_INTERVAL.days} days"
        )
        self.interval = interval


@dataclass(frozen=True, slots=True)
class PapRecord:
    """A pap, when it or its policies were last changed, and what is known of the copying of a remote one."""

    pap: Pap
    modified_at: datetime | None
    remote_state: RemoteState | None


class Distribution:
    """All but ``ping`` raise ActNotPermitted; those that change something also RevisionChanged; all Unavailable."""

    def __init__(
        self, repository: PolicyRepository, gate: Gate, new_id: Callable[[], str], refresher: Refresher
    ) -> None:
        self._repository = repository
        self._transactions = Transactions(repository, gate)
        self._gate = gate
        self._new_id = new_id
        self._refresher = refresher

    def ping(self) -> int:
        """The revision of the store, so that who answers can also serve. Anybody may ask."""
        return self._repository.revision()

    def exists(self, asked: Asked, alias: str) -> bool:
        self._gate.admit(asked.admin, Act.PAP_EXISTS)
        with self._repository.read() as reader:
            return any(pap.alias == alias for pap in reader.paps())

    def get_pap(self, asked: Asked, alias: str) -> PapRecord:
        """Raises PapNotFound."""
        self._gate.admit(asked.admin, Act.GET_PAP)
        with self._repository.read() as reader:
            return _record(reader, by_alias(reader.paps(), alias), self._repository.remote_states())

    def all_paps(self, asked: Asked) -> tuple[PapRecord, ...]:
        """In the order of evaluation."""
        self._gate.admit(asked.admin, Act.LIST_PAPS)
        with self._repository.read() as reader:
            remote_states = self._repository.remote_states()
            return tuple(_record(reader, pap, remote_states) for pap in reader.paps())

    def add_pap(self, asked: Asked, pap: Pap) -> Outcome[bool]:
        """False if its alias is taken. An id that is not ``ALIAS-UUID`` is replaced by one that is.

        Raises DefaultPapIsFixed, BadPap.
        """
        self._gate.admit(asked.admin, Act.ADD_PAP)
        if pap.is_default:
            raise DefaultPapIsFixed(f"Forbidden alias: {pap.alias}")
        if not re.fullmatch(ALIAS, pap.alias):
            raise BadPap(f"a pap cannot have the alias {pap.alias!r}: letters, digits, '-' and '_', at most 63 in all")
        check_remote(pap.remote)
        proposed = re.fullmatch(f"{re.escape(pap.alias)}-{_UUID}", pap.id)
        new = replace(pap, id=pap.id if proposed else f"{pap.alias}-{self._new_id()}", version=0)

        def added(state: State) -> State:
            if _known(state, pap.alias):
                return state
            return replace(state, held=(*state.held, Held(new)))

        return _noting_difference(self._transactions.make(asked, _pap_command("add-pap", new), pap.alias, added))

    def update_pap(self, asked: Asked, pap: Pap) -> Outcome[bool]:
        """Give the pap with this alias other settings; it keeps its id and its policies. False if there is none.

        Raises DefaultPapIsFixed, BadPap.
        """
        self._gate.admit(asked.admin, Act.UPDATE_PAP)
        if pap.is_default:
            raise DefaultPapIsFixed(f'Invalid request. "{pap.alias}" cannot be updated')
        check_remote(pap.remote)

        def updated(state: State) -> State:
            if not _known(state, pap.alias):
                return state
            there = state.of(pap.alias)
            return state.holding(replace(there, pap=replace(pap, id=there.pap.id, version=there.pap.version)))

        outcome = self._transactions.make(asked, _pap_command("update-pap", pap), pap.alias, updated)
        return outcome.giving(_known(outcome.value, pap.alias))

    def remove_pap(self, asked: Asked, alias: str) -> Outcome[bool]:
        """With its policies. False if there is none. Raises DefaultPapIsFixed.

        BETTER: the order of the others stays; Java drops its last entry, whichever pap that is.
        """
        self._gate.admit(asked.admin, Act.REMOVE_PAP)

        def without(state: State) -> State:
            if not _known(state, alias):
                return state
            if state.of(alias).pap.is_default:
                raise DefaultPapIsFixed("Deleting the default pap is not allowed")
            held = tuple(each for each in state.held if each.pap.alias != alias)
            return replace(state, held=held, ordering=tuple(each for each in state.ordering if each != alias))

        return _noting_difference(self._transactions.make(asked, command_text("remove-pap", alias), alias, without))

    def set_enabled(self, asked: Asked, alias: str, enabled: bool) -> Outcome[None]:
        """Raises PapNotFound."""
        self._gate.admit(asked.admin, Act.SET_ENABLED)

        def switched(state: State) -> State:
            held = state.of(alias)
            return state.holding(replace(held, pap=replace(held.pap, enabled=enabled)))

        command = command_text("enable-pap" if enabled else "disable-pap", alias)
        return self._transactions.make(asked, command, alias, switched).giving(None)

    def ordering(self, asked: Asked) -> tuple[str, ...]:
        """The aliases as they were set; empty: none."""
        self._gate.admit(asked.admin, Act.GET_ORDER)
        with self._repository.read() as reader:
            return reader.ordering()

    def set_ordering(self, asked: Asked, aliases: tuple[str, ...]) -> Outcome[None]:
        """No aliases: no ordering. Raises BadOrdering: an alias is unknown or there twice."""
        self._gate.admit(asked.admin, Act.SET_ORDER)

        def ordered(state: State) -> State:
            seen: set[str] = set()
            for alias in aliases:
                if not _known(state, alias):
                    raise BadOrdering(alias, f'unknown alias "{alias}"')
                if alias in seen:
                    raise BadOrdering(alias, f'alias "{alias}" appears more than one time')
                seen.add(alias)
            return replace(state, ordering=aliases)

        return self._transactions.make(asked, command_text("set-paps-order", *aliases), None, ordered).giving(None)

    def polling_interval(self, asked: Asked) -> timedelta:
        self._gate.admit(asked.admin, Act.GET_POLLING_INTERVAL)
        with self._repository.read() as reader:
            return polling_interval(reader)

    def set_polling_interval(self, asked: Asked, interval: timedelta) -> Outcome[None]:
        """Fractions of a second are dropped. Raises BadPollingInterval."""
        self._gate.admit(asked.admin, Act.SET_POLLING_INTERVAL)
        if not SHORTEST_POLLING_INTERVAL <= interval <= LONGEST_POLLING_INTERVAL:
            raise BadPollingInterval(interval)
        whole = interval - interval % timedelta(seconds=1)
        command = command_text("set-polling-interval", f"{whole.total_seconds():.0f}")
        return self._transactions.make(asked, command, None, lambda state: replace(state, poll_interval=whole)).giving(
            None
        )

    def refresh(self, asked: Asked, alias: str) -> bool:
        """Fetch the policies of a remote pap now; false if there is no such pap.

        Raises PapIsLocal, and what the refresher raises.
        """
        self._gate.admit(asked.admin, Act.REFRESH_POLICY_CACHE)
        with self._repository.read() as reader:
            found = [pap for pap in reader.paps() if pap.alias == alias]
        for pap in found:
            if pap.is_local:
                raise PapIsLocal(alias)
            self._refresher(pap)
        return bool(found)


def _record(reader: PolicyReader, pap: Pap, remote_states: Mapping[str, RemoteState]) -> PapRecord:
    return PapRecord(pap, reader.modified_at(pap), remote_states.get(pap.id))


def polling_interval(reader: PolicyReader) -> timedelta:
    seconds = reader.setting(POLL_INTERVAL)
    return DEFAULT_POLL_INTERVAL if seconds is None else timedelta(seconds=int(seconds))


def _known(state: State, alias: str) -> bool:
    return any(held.pap.alias == alias for held in state.held)


def _noting_difference(outcome: Outcome[State]) -> Outcome[bool]:
    return outcome.giving(not outcome.difference.is_empty)


def check_remote(remote: Remote | None) -> None:
    """Whether a copy could come from there, as far as it can be known here. Raises BadPap."""
    if remote is None:
        return
    if remote.protocol not in _PROTOCOLS:
        raise BadPap(f"the protocol {remote.protocol!r} is neither https nor http")
    if not _HOSTNAME.fullmatch(remote.hostname):
        raise BadPap(f"{remote.hostname!r} is not the name of a host")
    if not 0 < remote.port < 65536:
        raise BadPap(f"{remote.port} is not the number of a port")
    if not _PATH.fullmatch(remote.path):
        raise BadPap(f"{remote.path!r} is not the path of an URL")
    if remote.dn is not None and not (remote.dn.isprintable() and 0 < len(remote.dn) <= MAX_TEXT_LENGTH):
        raise BadPap(f"{remote.dn[:MAX_TEXT_LENGTH]!r} cannot be the name of its certificate")


def _pap_command(name: str, pap: Pap) -> str:
    visibility = "--public" if pap.public else "--private"
    if pap.remote is None:
        return command_text(name, "--local", visibility, pap.alias)
    dn = () if pap.remote.dn is None else (pap.remote.dn,)
    return command_text(name, visibility, pap.alias, pap.remote.endpoint, *dn)
