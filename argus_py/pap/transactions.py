"""How a change is made: one transaction from what is stored to what shall be."""

import logging
from collections.abc import Callable

from argus_py.pap.authorization import Gate
from argus_py.pap.history import Note
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.request import Asked, Outcome, RevisionChanged
from argus_py.pap.state import State, write_state

_log = logging.getLogger(__name__)


class _DryRun(Exception):
    """Undoes a transaction that has done all it should; carries its ``outcome``."""

    def __init__(self, outcome: Outcome[State]) -> None:
        self.outcome = outcome


class Transactions:
    """Whoever is here has passed the gate."""

    def __init__(self, repository: PolicyRepository, gate: Gate) -> None:
        self._repository = repository
        self._gate = gate

    def make(
        self,
        asked: Asked,
        command: str,
        alias: str | None,
        change: Callable[[State], State],
    ) -> Outcome[State]:
        """Store what ``change`` makes of the state now, if that is another one; ``alias`` is for the history.

        Raises RevisionChanged, Unavailable, and what ``change`` raises. Raises ActNotPermitted: it is a dry run, and
        what it would tell, which a change does not, may not be seen.
        """
        note = Note(asked.admin.dn.readable(), command, alias)
        try:
            with self._repository.change(note) as writer:
                if asked.expected_revision not in (None, writer.revision):
                    raise RevisionChanged(asked.expected_revision, writer.revision)
                before = State.read(writer)
                after = change(before)
                difference = write_state(writer, before, after)
                revision = writer.revision
                if asked.dry_run:
                    for act in difference.acts_of_seeing:
                        self._gate.admit(asked.admin, act)
                    raise _DryRun(Outcome(after, revision, None, difference))
        except _DryRun as done:
            return done.outcome
        if difference.is_empty:
            return Outcome(after, revision, None, difference)
        _log.info("%s: %s, pap %s", note.author, command, alias)
        return Outcome(after, revision, revision + 1, difference)
