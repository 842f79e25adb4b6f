"""What PDPs get: one tree made of all enabled paps.

BETTER: built once per change of the store, where Java reads all its files again for every PDP that asks.

Source: argus-pap:src/main/java/org/glite/authz/pap/services/provisioning/ProvisioningServiceUtils.java
"""

from argus_py.pap.editing import Resources
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, by_alias
from argus_py.pap.ports import PolicyReader, PolicyRepository
from argus_py.xacml.policy import Combining, PolicySet


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


class Provisioning:
    """A PolicySource over a policy repository, for the PDP in the same process and the ProvisioningService."""

    def __init__(self, repository: PolicyRepository) -> None:
        self._repository = repository
        self._built: tuple[int, PolicySet] | None = None  # of which revision; replaced as a whole

    def fetch(self) -> PolicySet:
        """Raises Unavailable: the store cannot be reached. Raises PapNotFound: it is not set up."""
        built = self._built
        if built is None or built[0] != self._repository.revision():
            with self._repository.read() as reader:
                built = self._built = reader.revision, root(reader)
        return built[1]
