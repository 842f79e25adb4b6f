"""What a PAP can do, for those who serve it: one store and one gate behind all of it."""

from collections.abc import Callable
from dataclasses import dataclass

from argus_py.pap.access import AccessControl
from argus_py.pap.administration import Administration
from argus_py.pap.authorization import Gate
from argus_py.pap.chronicle import Chronicle
from argus_py.pap.distribution import Distribution, Refresher
from argus_py.pap.objects import Objects
from argus_py.pap.overview import Overview
from argus_py.pap.ports import PolicyRepository
from argus_py.spl.attributes import AttributeMappings


@dataclass(frozen=True, slots=True)
class UseCases:
    administration: Administration
    overview: Overview
    objects: Objects
    distribution: Distribution
    access: AccessControl
    chronicle: Chronicle

    @classmethod
    def of(
        cls,
        repository: PolicyRepository,
        gate: Gate,
        mappings: AttributeMappings,
        new_id: Callable[[], str],
        refresher: Refresher,
    ) -> "UseCases":
        return cls(
            Administration(repository, gate, mappings, new_id),
            Overview(repository, gate, mappings),
            Objects(repository, gate, new_id),
            Distribution(repository, gate, new_id, refresher),
            AccessControl(repository, gate),
            Chronicle(repository, gate),
        )
