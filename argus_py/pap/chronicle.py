"""The history of a PAP: what was changed, by whom, how it differs, and taking a change back.

BETTER: the Java PAP keeps no history.
"""

from collections.abc import Container, Iterable

from argus_py.errors import Conflict
from argus_py.pap.access import administrable
from argus_py.pap.authorization import Act, Admin, Gate
from argus_py.pap.history import Change
from argus_py.pap.paps import RemotePapIsReadOnly
from argus_py.pap.ports import PolicyRepository, RevisionNotFound
from argus_py.pap.request import Asked, Outcome, command_text
from argus_py.pap.state import Difference, State
from argus_py.pap.transactions import Transactions
from argus_py.pap.undo import Touched, undone


class UndoConflict(Conflict):
    """What the change ``revision`` did to an ``element`` cannot be taken back: ``touched_by`` has changed it since."""

    def __init__(self, revision: int, element: str, touched_by: int) -> None:
        super().__init__(f"revision {revision} cannot be undone: {element} was changed by revision {touched_by} since")
        self.revision = revision
        self.element = element
        self.touched_by = touched_by


class Chronicle:
    """All raise ActNotPermitted and Unavailable."""

    def __init__(self, repository: PolicyRepository, gate: Gate) -> None:
        self._repository = repository
        self._transactions = Transactions(repository, gate)
        self._gate = gate

    def changes(self, asked: Asked, before: int | None = None, limit: int = 50) -> tuple[Change, ...]:
        """The newest first, those with a lower revision than ``before`` only."""
        self._gate.admit(asked.admin, Act.READ_HISTORY)
        return self._repository.changes(before, limit)

    def difference(self, asked: Asked, from_revision: int, to_revision: int) -> Difference:
        """Between the states after two changes. Raises RevisionNotFound."""
        self._gate.admit(asked.admin, Act.READ_HISTORY)
        found = Difference.between(self._state(from_revision), self._state(to_revision))
        self._admit_all(asked.admin, found.acts_of_seeing)
        return found

    def undo(self, asked: Asked, revision: int) -> Outcome[None]:
        """Take back what one change did, by a new change; nothing happens if it has been taken back already.

        Raises RevisionNotFound, UndoConflict, NobodyCouldChangeIt, RevisionChanged. Raises RemotePapIsReadOnly: it has
        changed a copy.
        """
        if not self._gate.permits(asked.admin, Act.UNDO_CONFIGURATION):
            self._gate.admit(asked.admin, Act.UNDO_POLICIES)  # before anything is read
        if revision < 1:
            raise RevisionNotFound(revision)
        before, after = self._state(revision - 1), self._state(revision)
        made = Difference.between(before, after)
        if made.of_policies:
            self._gate.admit(asked.admin, Act.UNDO_POLICIES)
        if made.touches_configuration or not made.of_policies:
            self._gate.admit(asked.admin, Act.UNDO_CONFIGURATION)

        def taken_back(now: State) -> State:
            _check_local(now, made.of_policies)
            state = undone(before, after, now)
            if state.acl is not None and state.acl != now.acl:
                administrable(state.acl)
            self._admit_all(asked.admin, Difference.between(now, state).acts_of_seeing)  # the answer tells it
            return state

        try:
            return self._transactions.make(
                asked, command_text("undo", str(revision)), _only_alias(made), taken_back
            ).giving(None)
        except Touched as touched:
            raise UndoConflict(revision, touched.element, self._toucher(revision, before, after)) from touched

    def _toucher(self, revision: int, before: State, after: State) -> int:
        """The change since which ``revision`` cannot be undone: it could after the one before it."""
        could, cannot = revision, self._repository.revision()
        while cannot - could > 1:
            middle = (could + cannot) // 2
            try:
                undone(before, after, self._state(middle))
            except Touched:
                cannot = middle
            else:
                could = middle
        return cannot

    def _state(self, revision: int) -> State:
        with self._repository.read(revision) as reader:
            return State.read(reader)

    def _admit_all(self, admin: Admin, acts: Iterable[Act]) -> None:
        for act in acts:
            self._gate.admit(admin, act)


def _check_local(now: State, pap_ids: Container[str]) -> None:
    """Raises RemotePapIsReadOnly: what was there before would be in force until the copy is renewed, and bans not."""
    for held in now.held:
        if held.pap.id in pap_ids and not held.pap.is_local:
            raise RemotePapIsReadOnly(held.pap.alias)


def _only_alias(difference: Difference) -> str | None:
    """Of the pap that a change was about, if it was about one."""
    aliases = {held.pap.alias for changed in difference.paps for held in (changed.before, changed.after) if held}
    return aliases.pop() if len(aliases) == 1 else None
