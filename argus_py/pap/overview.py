"""The policies as values, for programs: in pages, who is banned by them, and what is suspicious about them.

Pages are parts of one state of the store, so that whoever reads all of them gets policies that were in force together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from argus_py.pap.authorization import Act, Gate
from argus_py.pap.bans import Ban, current_bans
from argus_py.pap.editing import Resources
from argus_py.pap.lint.findings import Finding
from argus_py.pap.lint.linter import lint
from argus_py.pap.lint.sources import source_of_pap
from argus_py.pap.paps import Pap, by_alias
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.request import Asked
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.policy_xml import PolicySetChild

Element = TypeVar("Element", bound=PolicySetChild)


@dataclass(frozen=True, slots=True)
class Page:
    """Policies of a pap at a ``revision`` of the store: those of its ``total`` pieces that were asked for.

    A piece is a rule, or an element without any. Elements are there with the pieces of theirs that are meant.
    """

    revision: int
    resources: Resources
    total: int


class Overview:
    """All raise ActNotPermitted, Unavailable."""

    def __init__(self, repository: PolicyRepository, gate: Gate, mappings: AttributeMappings) -> None:
        self._repository = repository
        self._gate = gate
        self._mappings = mappings

    def page(self, asked: Asked, alias: str, start: int, count: int, revision: int | None = None) -> Page:
        """``revision`` None: as it is now. Raises PapNotFound, RevisionNotFound."""
        with self._repository.read(revision) as reader:
            pap = by_alias(reader.paps(), alias)
            self._admit_listing(asked, pap)
            resources = reader.resources(pap)
            return Page(reader.revision, tuple(_part(resources, start, count)), sum(map(_size, resources)))

    def bans(self, asked: Asked, resource: str | None = None, action: str | None = None) -> tuple[Ban, ...]:
        """Those of the enabled paps, in the order of evaluation; see ``bans.current_bans``."""
        self._gate.admit(asked.admin, Act.ASK_WHO_MAY)
        with self._repository.read() as reader:
            enabled = [(pap.alias, reader.resources(pap)) for pap in reader.paps() if pap.enabled]
        return current_bans(enabled, self._mappings, resource, action)

    def lint(self, asked: Asked, aliases: tuple[str, ...] | None = None) -> tuple[Finding, ...]:
        """``aliases`` None: of the enabled paps, in their order. Raises PapNotFound."""
        with self._repository.read() as reader:
            paps = reader.paps()
            if aliases is None:
                chosen = [pap for pap in paps if pap.enabled]
            else:
                chosen = [by_alias(paps, alias) for alias in dict.fromkeys(aliases)]
            for pap in chosen:
                self._admit_listing(asked, pap)
            sources = [source_of_pap(pap.alias, reader.resources(pap)) for pap in chosen]
        return lint(sources, self._mappings)

    def _admit_listing(self, asked: Asked, pap: Pap) -> None:
        self._gate.admit(asked.admin, Act.LIST_LOCAL_POLICIES if pap.is_local else Act.LIST_REMOTE_POLICIES)


def _size(element: PolicySetChild) -> int:
    """In pieces."""
    if isinstance(element, Policy):
        return max(1, len(element.rules))
    return max(1, sum(map(_size, element.children))) if isinstance(element, PolicySet) else 1


def _part(elements: Iterable[Element], start: int, count: int) -> Iterator[Element]:
    """What has some of the ``count`` pieces behind the first ``start`` ones."""
    for element in elements:
        size = _size(element)
        if start < size and count > 0:
            yield _cut(element, start, count)
            count -= size - start
        start = max(0, start - size)


def _cut(element: Element, start: int, count: int) -> Element:
    if isinstance(element, Policy):
        return replace(element, rules=element.rules[start : start + count])
    if isinstance(element, PolicySet):
        return replace(element, children=tuple(_part(element.children, start, count)))
    return element
