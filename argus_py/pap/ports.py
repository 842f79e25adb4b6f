"""What the administration needs from a policy store."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol

from argus_py.errors import Conflict, MalformedInput, NotFound
from argus_py.pap.authorization import Acl
from argus_py.pap.history import Change, Note
from argus_py.pap.paps import Pap, RemoteState
from argus_py.xacml.policy import Policy, PolicySet

# Characters of the id of whatever is stored; those of the PAP have 44. In a store, three of them are the key of a row:
# PostgreSQL allows 2,700 octets. PDPs write them into their logs, and in Java they are names of files.
MAX_ID_LENGTH: Final = 200


class RevisionNotFound(NotFound):
    """The store never had, or has forgotten, its state of ``revision``."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"there is no revision {revision}")
        self.revision = revision


class RepeatedId(Conflict):
    """The pap ``alias`` would hold twice ``what``: a policy set, a policy, or a rule of one policy with the same id."""

    def __init__(self, alias: str, what: str) -> None:
        super().__init__(f"the pap {alias!r} would hold the {what} twice")
        self.alias = alias
        self.what = what


class UnfitId(MalformedInput):
    """An ``id`` that cannot be the key of anything."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(f"the id {id[:40]!r}... cannot be stored: {reason}")
        self.id = id
        self.reason = reason


class PolicyReader(Protocol):
    """One consistent state of the store; changes committed meanwhile are not seen."""

    @property
    def revision(self) -> int:
        """Grows with every committed change and never goes back; equal revisions mean equal content."""

    @property
    def changed_at(self) -> datetime:
        """When the change of ``revision`` was committed; 1970 for a store that never changed."""

    def paps(self) -> tuple[Pap, ...]:
        """All paps in the order in which their policies are evaluated: ``paps.in_order`` of their creation."""

    def created(self) -> tuple[Pap, ...]:
        """All paps in the order of their creation."""

    def ordering(self) -> tuple[str, ...]:
        """The aliases whose order an administrator has set; empty: none."""

    def modified_at(self, pap: Pap) -> datetime | None:
        """When its policies were last changed; None: never since it was added."""

    def resources(self, pap: Pap) -> tuple[PolicySet, ...]:
        """The resource PolicySets of a pap in order, their Policies embedded; empty for a pap without policies."""

    def loose(self, pap: Pap) -> tuple[PolicySet | Policy, ...]:
        """What is stored with the pap and referenced by nothing in it; goes to no PDP and no PAP."""

    def acl(self) -> Acl | None:
        """None: nobody has ever set one."""

    def setting(self, key: str) -> str | None: ...


class PolicyWriter(PolicyReader, Protocol):
    """A change under way: reads see it, other readers do not before it is committed."""

    def add_pap(self, pap: Pap, index: int | None = None) -> None:
        """Put a new pap behind the others, or one that comes back to its index in the order of their creation.

        Raises PapExists: its alias, or its id, is taken. Raises UnfitId."""

    def remove_pap(self, pap: Pap) -> None:
        """With its policies; its alias leaves the ordering. Raises PapNotFound: no pap has this id."""

    def store(
        self, pap: Pap, resources: tuple[PolicySet, ...], loose: tuple[PolicySet | Policy, ...] | None = None
    ) -> None:
        """Make ``resources`` and ``loose`` (None: as it is) the policies of a pap, and the fields of ``pap`` its own.

        Raises PapNotFound: no pap has this id. Raises PapExists: its alias is that of another one. Raises RepeatedId,
        UnfitId. What cannot be written as XACML, or not be read again, is refused when the change is committed at the
        latest, as MalformedInput.
        """

    def set_ordering(self, aliases: tuple[str, ...]) -> None: ...

    def set_acl(self, acl: Acl) -> None: ...

    def set_setting(self, key: str, text: str | None) -> None:
        """None: forget it."""


class PolicyRepository(Protocol):
    """Every method raises Unavailable when the store cannot be reached or is locked for too long."""

    def revision(self) -> int:
        """The revision of the last committed change, cheap enough to be asked every second."""

    def read(self, revision: int | None = None) -> AbstractContextManager[PolicyReader]:
        """The state now, or that after the change ``revision``. Raises RevisionNotFound."""

    def change(self, note: Note) -> AbstractContextManager[PolicyWriter]:
        """One transaction: committed when the block ends, undone when it raises. ``note`` stands in the history.

        Writers of all threads and processes take turns from the first line of the block on, so nothing they read in it
        can be outdated when they write. A committed change is on disk and survives a crash; its revision is the next
        number. A block that writes nothing is no change.
        """

    def changes(self, before: int | None = None, limit: int = 50) -> tuple[Change, ...]:
        """The committed changes, the newest first, those with a lower revision than ``before`` only."""

    def remote_states(self) -> Mapping[str, RemoteState]:
        """By pap id; no entry for a pap that nobody has tried to copy yet."""

    def note_remote(self, pap: Pap, state: RemoteState) -> None:
        """No change of the policy: the revision stays. Nothing happens if the pap is gone."""

    def on_commit(self, tell: Callable[[], None]) -> None:
        """``tell`` is called after every change made by this object, in the thread that made it; must not raise."""
