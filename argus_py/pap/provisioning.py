"""What PDPs and other PAPs get: one tree of all enabled paps, and a flat list of what all public paps hold.

In the list an element stands once, where the first pap of the order has it: a pap that was copied along two ways would
else make Java PAPs stop in the middle of it. What was copied from the PAP that asks is not sent back to it, or two PAPs
that copy each other would keep alive what both of them have removed.

BETTER: built and written once per change of the store, and written anew are the rules that have changed, where Java
reads all its files again for everybody who asks.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/provisioning/ProvisioningServiceUtils.java
"""

import operator
import threading
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from argus_py.pap.editing import Resources, is_private
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote, by_alias
from argus_py.pap.ports import PolicyReader, PolicyRepository
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference
from argus_py.xacml.references import resolve
from argus_py.xacml.rule_octets import PolicyWriter

_REFERENCE: Final = PolicyIdReference | PolicySetIdReference
_REFERRED: Final = {PolicyIdReference: Policy, PolicySetIdReference: PolicySet}
_Name = tuple[type[PolicySet] | type[Policy], str]
_Child = PolicySet | Policy | PolicyIdReference | PolicySetIdReference
_ANYBODY: Final = ("localhost", "127.0.0.1", "::1")  # as a name of oneself it means somebody else to everybody else


def root(reader: PolicyReader) -> PolicySet:
    """Root, paps in their order, resources, actions. An enabled pap without policies appears as an empty set.

    Raises PapNotFound: the store is not set up, the pap ``default`` is missing.
    """
    return tree(reader.paps(), reader.resources)


def tree(paps: tuple[Pap, ...], resources: Callable[[Pap], Resources]) -> PolicySet:
    """The same of paps that are in no store here."""
    return PolicySet(
        id=root_id(paps),
        combining=Combining.POLICIES_FIRST_APPLICABLE,
        children=tuple(_pap_root(pap, resources(pap)) for pap in paps if pap.enabled),
    )


def root_id(paps: tuple[Pap, ...]) -> str:
    """What a PAP is known by in its answers. Raises PapNotFound: the pap ``default`` is missing."""
    return f"root-{by_alias(paps, DEFAULT_ALIAS).id}"


def public_elements(reader: PolicyReader, without: frozenset[str] = frozenset()) -> tuple[PolicySet | Policy, ...]:
    """A root that refers to every resource, then each resource followed by its actions, to which it refers.

    Private actions are left out, and so are references to them or to nothing; ``without`` are the ids of public paps
    that are left out. Raises as ``root``.
    """
    paps = reader.paps()
    elements: dict[_Name, PolicySet | Policy] = {}
    for pap in paps:
        if pap.public and pap.id not in without:
            for element in _flat(reader.resources(pap)):
                elements.setdefault((type(element), element.id), element)
    sets = tuple(PolicySetIdReference(id) for kind, id in elements if kind is PolicySet)
    root = PolicySet(root_id(paps), Combining.POLICIES_FIRST_APPLICABLE, sets)
    return root, *(_followed(element, elements) for element in elements.values())


def _pap_root(pap: Pap, resources: Resources) -> PolicySet:
    tree = PolicySet(pap.id, Combining.POLICIES_FIRST_APPLICABLE, resources, version=str(pap.version))
    return _with_children(resolve(tree).root, lambda child: not isinstance(child, _REFERENCE))


def _flat(resources: Resources) -> Iterator[PolicySet | Policy]:
    """Each resource with references to its public actions, then these."""
    for resource in resources:
        policies = [policy for policy in resource.policies() if not is_private(policy)]
        public = _with_children(resource, lambda child: not (isinstance(child, Policy) and is_private(child)))
        yield replace(
            public, children=tuple(PolicyIdReference(c.id) if isinstance(c, Policy) else c for c in public.children)
        )
        yield from policies


def _followed(element: PolicySet | Policy, elements: Container[_Name]) -> PolicySet | Policy:
    """The element, with references to nothing but these elements."""
    if isinstance(element, Policy):
        return element
    return _with_children(
        element, lambda child: not isinstance(child, _REFERENCE) or (_REFERRED[type(child)], child.id) in elements
    )


def _with_children(policy_set: PolicySet, wanted: Callable[[_Child], bool]) -> PolicySet:
    """Of it and the sets in it, those that are wanted; the same object if all are."""
    children = tuple(
        _with_children(child, wanted) if isinstance(child, PolicySet) else child
        for child in policy_set.children
        if wanted(child)
    )
    unchanged = len(children) == len(policy_set.children) and all(map(operator.is_, children, policy_set.children))
    return policy_set if unchanged else replace(policy_set, children=children)


_State = tuple[int, datetime]
"""Of a store: its revision, and when that was made; a restored backup counts on from a number that was there before."""


@dataclass
class _Built:
    state: _State
    root: PolicySet
    document: bytes | None = None


class Provisioning:
    """A PolicySource over a policy repository, for the PDP in the same process and the ProvisioningService."""

    def __init__(self, repository: PolicyRepository) -> None:
        self._repository = repository
        self._building = threading.Lock()  # all who ask do so at the same moment: when there is something new
        self._writer, self._public_writer = PolicyWriter(), PolicyWriter()
        self._built: _Built | None = None
        self._public: dict[tuple[_State, frozenset[str]], bytes] = {}  # by the paps that are left out, too

    def fetch(self) -> PolicySet:
        """Raises Unavailable: the store cannot be reached. Raises PapNotFound: it is not set up."""
        with self._building:
            return self._current().root

    def document(self) -> bytes:
        """The same in XML. Raises as ``fetch``."""
        with self._building:
            built = self._current()
            if built.document is None:
                built.document = self._writer.write((built.root,))
            return built.document

    def public_document(self, asker: str | None = None) -> bytes:
        """What other PAPs get, in XML: one element after the other. Raises as ``fetch``.

        ``asker``: the URL of the ProvisioningService of the one who asks, as it calls itself.
        """
        with self._building, self._repository.read() as reader:
            theirs = frozenset(pap.id for pap in reader.paps() if asker is not None and _is_copied_from(pap, asker))
            state = _state(reader)
            key = state, theirs
            if key not in self._public:
                others = {known: octets for known, octets in self._public.items() if known[0] == state}
                self._public = others | {key: self._public_writer.write(public_elements(reader, theirs))}
            return self._public[key]

    def _current(self) -> _Built:
        with self._repository.read() as reader:
            state = _state(reader)
            if self._built is None or self._built.state != state:
                self._built = _Built(state, root(reader))
        return self._built


def _state(reader: PolicyReader) -> _State:
    return reader.revision, reader.changed_at


def service_of(remote: Remote) -> str:
    """The URL of the ProvisioningService, by which PAPs call themselves too unless they are told otherwise."""
    return f"{remote.endpoint.rstrip('/')}/ProvisioningService"


def _is_copied_from(pap: Pap, asker: str) -> bool:
    remote = pap.remote
    return remote is not None and remote.hostname not in _ANYBODY and service_of(remote) == asker
