"""Who may administrate: the access control list in the store, and its commands.

BETTER: Java lets an administrator remove the last entry that lets anybody change the list.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/authz_management/
"""

from collections.abc import Callable
from dataclasses import replace

from argus_py.errors import Conflict
from argus_py.pap.authorization import ANYONE, Acl, Act, Gate, Permission, Principal, principal_text
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.request import Asked, Outcome, command_text
from argus_py.pap.state import State
from argus_py.pap.transactions import Transactions


class NobodyCouldChangeIt(Conflict):
    """Without this entry nobody could change the access control list any more."""

    def __init__(self) -> None:
        super().__init__(
            "the last entry with CONFIGURATION_READ and CONFIGURATION_WRITE is not allowed to go: "
            "nobody could put it back"
        )


class StoredAcl:
    """The list of a store as it is now; nobody may anything while none has been set."""

    def __init__(self, repository: PolicyRepository) -> None:
        self._repository = repository

    def __call__(self) -> Acl:
        """Raises Unavailable."""
        with self._repository.read() as reader:
            return reader.acl() or Acl()


class AccessControl:
    """All raise ActNotPermitted and Unavailable; those that change the list also RevisionChanged."""

    def __init__(self, repository: PolicyRepository, gate: Gate) -> None:
        self._repository = repository
        self._transactions = Transactions(repository, gate)
        self._gate = gate

    def acl(self, asked: Asked) -> Acl:
        self._gate.admit(asked.admin, Act.GET_ACL)
        with self._repository.read() as reader:
            return reader.acl() or Acl()

    def set_acl(self, asked: Asked, acl: Acl) -> Outcome[None]:
        """Replace all entries; of several of one principal the last counts. Raises NobodyCouldChangeIt."""
        self._gate.admit(asked.admin, Act.SET_ACL)
        entries = f"{len(acl.entries)} {'entry' if len(acl.entries) == 1 else 'entries'}"
        return self._change(asked, f"set-acl ({entries})", lambda _: Acl.of(acl.entries))

    def add_entry(self, asked: Asked, principal: Principal, permissions: Permission) -> Outcome[None]:
        """Add an entry, or replace that of the principal. Raises NobodyCouldChangeIt."""
        self._gate.admit(asked.admin, Act.ADD_ACE)
        command = command_text("add-ace", principal_text(principal), str(permissions))
        return self._change(asked, command, lambda acl: acl.with_entry(principal, permissions))

    def remove_entry(self, asked: Asked, principal: Principal) -> Outcome[bool]:
        """Gives whether there was one. Raises NobodyCouldChangeIt."""
        self._gate.admit(asked.admin, Act.REMOVE_ACE)
        command = command_text("remove-ace", principal_text(principal))
        outcome = self._change(asked, command, lambda acl: acl.without(principal))
        return outcome.giving(not outcome.difference.is_empty)

    def _change(self, asked: Asked, command: str, change: Callable[[Acl], Acl]) -> Outcome[None]:
        def changed(state: State) -> State:
            before = state.acl or Acl()
            after = change(before)
            return state if after == before else replace(state, acl=administrable(after))

        return self._transactions.make(asked, command, None, changed).giving(None)


def administrable(acl: Acl) -> Acl:
    """The list itself. Raises NobodyCouldChangeIt: no entry, with what anyone has, is enough to change it."""
    of_anyone = next((permissions for principal, permissions in acl.entries if principal == ANYONE), Permission(0))
    if not any(Act.SET_ACL.needs in permissions | of_anyone for _, permissions in acl.entries):
        raise NobodyCouldChangeIt
    return acl
