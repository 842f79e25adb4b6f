"""What the commands of pap-admin ask of a PAP: one port, for the REST interface of ours and the SOAP services of Java.

Nothing heavy is imported here: commands are listed, completed and checked without a PAP.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from argus_py.errors import ArgusError, Unavailable
from argus_py.pap.history import Change
from argus_py.pap.paps import Pap

if TYPE_CHECKING:
    from argus_py.pap.editing import Resources


class Refused(ArgusError):
    """The PAP said no: ``cause`` names the error for programs, without a module.

    ``unreadable``: what was sent cannot be read, a policy text or an attribute.
    """

    def __init__(self, cause: str, message: str, *, unreadable: bool = False) -> None:
        super().__init__(message)
        self.cause = cause
        self.unreadable = unreadable


class Impossible(ArgusError):
    """A command cannot be done, whatever the PAP says."""


class JavaPapCannot(Impossible):
    """Only the PAP of argus_py can do this."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this PAP cannot {what}: it is a Java PAP, or was asked by --soap; a PAP of argus_py can")


class RepositoryCorrupted(Impossible):
    """What a PAP lists does not fit together."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Error: the repository seems to be corrupted, {reason}")  # COMPAT: the words of Java


class PapLost(Unavailable):
    """No answer came, or not one of a PAP; the text is what people are told."""


@dataclass(frozen=True, slots=True)
class ListingForm:
    """``resource`` and ``action`` are exact values, None: all. With ``xacml`` the others do not matter."""

    ids: Literal["none", "actions", "rules"] = "none"
    resource: str | None = None
    action: str | None = None
    xacml: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """By exact values (patterns)."""

    resource: str
    action: str


@dataclass(frozen=True, slots=True)
class NewRule:
    """``attributes`` by name and value. Either the ``scope`` is given or the ``action_id``.

    Its place is the top, the ``bottom``, or beside a rule of the action.
    """

    permit: bool
    attributes: tuple[tuple[str, str], ...]
    scope: Scope | None = None
    action_id: str | None = None
    before: str | None = None
    after: str | None = None
    bottom: bool = False
    obligation: str | None = None
    obligation_scope: str = "resource"


@dataclass(frozen=True, slots=True)
class Beside:
    """Before or after the element ``id``."""

    id: str
    after: bool


@dataclass(frozen=True, slots=True)
class AddedAction:
    value: str
    id: str


@dataclass(frozen=True, slots=True)
class AddedResource:
    value: str
    id: str
    actions: tuple[AddedAction, ...]


Added = tuple[AddedResource, ...] | tuple[AddedAction, ...]


@dataclass(frozen=True, slots=True)
class AclEntry:
    """``name``: a DN in slash form, an FQAN, or ``ANYONE``; ``permissions``: the names of flags."""

    kind: Literal["dn", "fqan", "anyone"]
    name: str
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """What differs at one ``place``; each line begins with ``-``, ``+`` or a blank."""

    place: str
    lines: tuple[str, ...]


Difference = tuple[Hunk, ...]


class PapService(Protocol):
    """``alias`` names a pap of the PAP. All raise Refused and PapLost.

    What a Java PAP has not raises JavaPapCannot there.
    """

    def ping(self) -> str:
        """The version of the PAP."""

    def listing(self, aliases: Sequence[str] | None, form: ListingForm) -> str:
        """The text of list-policies; ``aliases`` None: of all paps. Raises RepositoryCorrupted."""

    def policies(self, alias: str) -> "Resources":
        """Of one pap, as values. Raises RepositoryCorrupted."""

    def ban(self, alias: str, attribute: str, value: str, scope: Scope, *, private: bool) -> bool:
        """False if it is there already."""

    def unban(self, alias: str, attribute: str, value: str, scope: Scope) -> bool:
        """False if there is no such ban."""

    def add_rule(self, alias: str, rule: NewRule) -> None: ...

    def add_policies(self, alias: str, text: str, place: Beside | None, resource_id: str | None) -> Added:
        """At the end without a ``place``. Gives what was added, in the order of the text."""

    def update_policy(self, alias: str, id: str, text: str) -> None: ...

    def remove(self, alias: str, ids: Sequence[str]) -> Iterable[str]:
        """Gives the ids that are gone, while it is iterated: all at once, or one after the other."""

    def remove_all(self, alias: str) -> None: ...

    def move(self, alias: str, id: str, place: Beside) -> None: ...

    def add_obligation(self, alias: str, id: str, obligation: str) -> None: ...

    def remove_obligation(self, alias: str, id: str, obligation: str) -> None: ...

    def paps(self) -> tuple[Pap, ...]:
        """In their order."""

    def pap(self, alias: str) -> Pap | None:
        """None if there is none."""

    def was_copied(self, pap: Pap) -> bool:
        """Whether a remote pap is known to have been copied; False: perhaps not."""

    def has_pap(self, alias: str) -> bool: ...

    def add_pap(self, pap: Pap) -> bool:
        """False if there is one with this alias."""

    def update_pap(self, pap: Pap) -> bool:
        """False if there is none with this alias."""

    def remove_pap(self, alias: str) -> bool:
        """False if there is none."""

    def set_enabled(self, alias: str, enabled: bool) -> None: ...

    def ordering(self) -> tuple[str, ...]:
        """Empty if none is defined."""

    def set_ordering(self, aliases: Sequence[str]) -> None: ...

    def polling_interval(self) -> timedelta: ...

    def set_polling_interval(self, interval: timedelta) -> None: ...

    def refresh(self, alias: str) -> bool:
        """Fetch the policies of a remote pap now. False if there is no such pap."""

    def acl(self) -> tuple[AclEntry, ...]: ...

    def add_ace(self, entry: AclEntry) -> None:
        """In place of the entry of this principal, if there is one."""

    def remove_ace(self, entry: AclEntry) -> None:
        """Nothing happens if there is none."""

    def provision(self, as_pdp: bool) -> str:
        """What PDPs, or other PAPs, get from it: an answer in XML."""

    def changes(self, before: int | None, limit: int) -> tuple[Change, ...]:
        """The newest first, those with a lower revision than ``before`` only."""

    def difference(self, from_revision: int, to_revision: int) -> Difference: ...

    def undo(self, revision: int) -> Difference:
        """What was done to take the change back."""
