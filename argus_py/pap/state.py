"""Everything of a PAP that has a history, as one value: how it is read, written, and compared with another one.

What was taken up from which file stands in the settings of the store as well; it is no part of this, so that undoing
such a change does not make it be done again.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Generic, TypeVar

from argus_py.pap.authorization import Acl, Act
from argus_py.pap.editing import Resources
from argus_py.pap.paps import Pap, PapNotFound
from argus_py.pap.ports import PolicyReader, PolicyWriter
from argus_py.pap.take_up import POLL_INTERVAL
from argus_py.xacml.policy import Policy, PolicySet

T = TypeVar("T")

Loose = tuple[PolicySet | Policy, ...]
_SECOND: Final = timedelta(seconds=1)
_NO_POLICIES: Final[tuple[Resources, Loose]] = (), ()


@dataclass(frozen=True, slots=True)
class Held:
    """A pap and what is stored with it; ``loose``: what no other part of it refers to."""

    pap: Pap
    resources: Resources = ()
    loose: Loose = ()


@dataclass(frozen=True, slots=True)
class State:
    """``held`` is in the order of creation. ``poll_interval`` is in whole seconds, None: nobody has set it."""

    held: tuple[Held, ...] = ()
    ordering: tuple[str, ...] = ()
    acl: Acl | None = None
    poll_interval: timedelta | None = None

    @classmethod
    def read(cls, reader: PolicyReader) -> "State":
        seconds = reader.setting(POLL_INTERVAL)
        return cls(
            tuple(Held(pap, reader.resources(pap), reader.loose(pap)) for pap in reader.created()),
            reader.ordering(),
            reader.acl(),
            None if seconds is None else int(seconds) * _SECOND,
        )

    def of(self, alias: str) -> Held:
        """Raises PapNotFound."""
        for held in self.held:
            if held.pap.alias == alias:
                return held
        raise PapNotFound(alias)

    def holding(self, new: Held) -> "State":
        """``new`` in place of what is held of the pap with its id."""
        return replace(self, held=tuple(new if held.pap.id == new.pap.id else held for held in self.held))


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    before: T
    after: T


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not the same in two states: None, or empty, what is. A pap that came has no before, one gone no after."""

    paps: tuple[Changed[Held | None], ...] = ()
    ordering: Changed[tuple[str, ...]] | None = None
    acl: Changed[Acl | None] | None = None
    poll_interval: Changed[timedelta | None] | None = None

    @classmethod
    def between(cls, before: State, after: State) -> "Difference":
        """Quick where the two share their parts, as a state and one made from it do."""
        old, new = ({held.pap.id: held for held in state.held} for state in (before, after))
        ids = dict.fromkeys([*old, *new])
        return cls(
            tuple(Changed(old.get(id), new.get(id)) for id in ids if old.get(id) != new.get(id)),
            _changed(before.ordering, after.ordering),
            _changed(before.acl, after.acl),
            _changed(before.poll_interval, after.poll_interval),
        )

    @property
    def is_empty(self) -> bool:
        return not self.paps and not self.touches_configuration

    @property
    def acts_of_seeing(self) -> frozenset[Act]:
        """What those may do who may be told of it."""
        acts = {Act.LIST_PAPS} if self.touches_configuration else set()
        for changed in self.paps:
            if _policies_of(changed.before) != _policies_of(changed.after):
                held = [each for each in (changed.before, changed.after) if each and _policies_of(each) != _NO_POLICIES]
                acts |= {Act.LIST_LOCAL_POLICIES if each.pap.is_local else Act.LIST_REMOTE_POLICIES for each in held}
        return frozenset(acts)

    @property
    def of_policies(self) -> frozenset[str]:
        """The ids of the paps that stay and have other policies."""
        return frozenset(
            changed.after.pap.id
            for changed in self.paps
            if changed.before and changed.after and _policies_of(changed.before) != _policies_of(changed.after)
        )

    @property
    def touches_configuration(self) -> bool:
        """Whether anything but the policies of paps differs."""
        return bool(self.ordering or self.acl or self.poll_interval) or any(
            _settings_of(changed.before) != _settings_of(changed.after) for changed in self.paps
        )


def _changed(before: T, after: T) -> Changed[T] | None:
    return None if before == after else Changed(before, after)


def _policies_of(held: Held | None) -> tuple[Resources, Loose]:
    return (held.resources, held.loose) if held else _NO_POLICIES


def _settings_of(held: Held | None) -> Pap | None:
    """The version counts the policies, and is none of the settings."""
    return None if held is None else replace(held.pap, version=0)


def write_state(writer: PolicyWriter, before: State, after: State) -> Difference:
    """Make ``after`` of the state ``before``; gives how they differ. Raises PapExists."""
    difference = Difference.between(before, after)
    for changed in difference.paps:
        if changed.before and not changed.after:
            writer.remove_pap(changed.before.pap)
    known = {held.pap.id for held in before.held}
    for index, held in enumerate(after.held):
        if held.pap.id not in known:
            writer.add_pap(held.pap, index)
    for changed in difference.paps:
        new = changed.after
        if new and (changed.before or new.resources or new.loose):
            writer.store(new.pap, new.resources, new.loose)
    if after.ordering != writer.ordering():
        writer.set_ordering(after.ordering)
    if difference.acl and after.acl is not None:
        writer.set_acl(after.acl)
    if difference.poll_interval:
        interval = after.poll_interval
        writer.set_setting(POLL_INTERVAL, None if interval is None else str(interval // _SECOND))
    return difference
