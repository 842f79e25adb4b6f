"""What the administration needs from a policy store."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from argus_py.pap.paps import Pap
from argus_py.xacml.policy import PolicySet


class PolicyReader(Protocol):
    """One consistent state of the store; changes committed meanwhile are not seen."""

    @property
    def revision(self) -> int:
        """Grows with every committed change and never goes back; equal revisions mean equal content."""

    @property
    def changed_at(self) -> datetime:
        """When the last change was committed; 1970 for a store that never changed."""

    def paps(self) -> tuple[Pap, ...]:
        """All paps in the order in which their policies are evaluated."""

    def resources(self, pap: Pap) -> tuple[PolicySet, ...]:
        """The resource PolicySets of a pap in order, their Policies embedded; empty for a pap without policies."""


class PolicyWriter(PolicyReader, Protocol):
    """A change under way: reads see it, other readers do not before it is committed."""

    def add_pap(self, pap: Pap) -> None:
        """Put a new pap behind the others. Raises PapExists: its alias is taken."""

    def store(self, pap: Pap, resources: tuple[PolicySet, ...]) -> None:
        """Make ``resources`` the policies of a pap, and the fields of ``pap`` its own.

        Raises PapNotFound: no pap has this id.
        """


class PolicyRepository(Protocol):
    """Every method raises Unavailable when the store cannot be reached or is locked for too long."""

    def revision(self) -> int:
        """The revision of the last committed change, cheap enough to be asked every second."""

    def read(self) -> AbstractContextManager[PolicyReader]: ...

    def change(self) -> AbstractContextManager[PolicyWriter]:
        """One transaction: committed when the block ends, undone when it raises.

        Writers of all threads and processes take turns from the first line of the block on, so nothing they read in it
        can be outdated when they write. A committed change is on disk and survives a crash.
        """

    def on_commit(self, tell: Callable[[], None]) -> None:
        """``tell`` is called after every change made by this object, in the thread that made it; must not raise."""
