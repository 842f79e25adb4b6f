"""What PDPs get: one tree made of all enabled paps.

BETTER: built and written once per change of the store, where Java reads all its files again for every PDP that asks.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/provisioning/ProvisioningServiceUtils.java
"""

import threading
from dataclasses import dataclass
from functools import cached_property

from argus_py.pap.editing import Resources
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, by_alias
from argus_py.pap.ports import PolicyReader, PolicyRepository
from argus_py.xacml.policy import Combining, PolicySet
from argus_py.xacml.policy_xml import write_policy_set


def root(reader: PolicyReader) -> PolicySet:
    """Root, paps in their order, resources, actions. An enabled pap without policies appears as an empty set.

    Raises PapNotFound: the store is not set up, the pap ``default`` is missing.
    """
    paps = reader.paps()
    return PolicySet(
        id=f"root-{by_alias(paps, DEFAULT_ALIAS).id}",
        combining=Combining.POLICIES_FIRST_APPLICABLE,
        children=tuple(_pap_root(pap, reader.resources(pap)) for pap in paps if pap.enabled),
    )


def _pap_root(pap: Pap, resources: Resources) -> PolicySet:
    return PolicySet(pap.id, Combining.POLICIES_FIRST_APPLICABLE, resources, version=str(pap.version))


@dataclass(frozen=True)
class _Built:
    revision: int
    root: PolicySet

    @cached_property
    def document(self) -> bytes:
        return write_policy_set(self.root)


class Provisioning:
    """A PolicySource over a policy repository, for the PDP in the same process and the ProvisioningService."""

    def __init__(self, repository: PolicyRepository) -> None:
        self._repository = repository
        self._building = threading.Lock()  # all PDPs ask at the same moment: when there is something new
        self._built: _Built | None = None

    def fetch(self) -> PolicySet:
        """Raises Unavailable: the store cannot be reached. Raises PapNotFound: it is not set up."""
        return self._current().root

    def document(self) -> bytes:
        """The same in XML. Raises as ``fetch``."""
        built = self._current()
        with self._building:
            return built.document

    def _current(self) -> _Built:
        revision = self._repository.revision()
        with self._building:
            if self._built is None or self._built.revision != revision:
                with self._repository.read() as reader:
                    self._built = _Built(reader.revision, root(reader))
            return self._built
