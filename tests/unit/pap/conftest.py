"""A PAP in memory whose ids are counted."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.pap.access import AccessControl
from argus_py.pap.administration import Administration, ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.chronicle import Chronicle
from argus_py.pap.distribution import Distribution
from argus_py.pap.editing import Resources
from argus_py.pap.listing import ListingRequest
from argus_py.pap.objects import Objects
from argus_py.pap.overview import Overview
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, by_alias
from argus_py.pap.request import Asked
from argus_py.pap.state import State
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.spl.printer import Ids
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import PolicySet

ADMIN = Admin(DistinguishedName.parse_slash("/DC=org/DC=example/CN=Admin"))


def counter() -> Callable[[], str]:
    """Ids 1, 2, 3 ..."""
    numbers = itertools.count(1)
    return lambda: str(next(numbers))


@dataclass
class MemoryPap:
    """Who has ``asked`` may do everything that ``acl`` lets anyone do; ``refreshed`` are the paps fetched anew."""

    acl: Acl
    repository: MemoryPolicies = field(default_factory=MemoryPolicies)
    asked: Asked = field(default_factory=lambda: Asked(ADMIN))
    refreshed: list[Pap] = field(default_factory=list)

    def __post_init__(self) -> None:
        new_id = counter()
        ensure_default_pap(self.repository, new_id)
        gate = Gate(lambda: self.acl)
        self.service = Administration(self.repository, gate, DEFAULT_MAPPINGS, new_id)
        self.overview = Overview(self.repository, gate, DEFAULT_MAPPINGS)
        self.objects = Objects(self.repository, gate, new_id)
        self.distribution = Distribution(self.repository, gate, new_id, self.refreshed.append)
        self.access = AccessControl(self.repository, gate)
        self.chronicle = Chronicle(self.repository, gate)

    def text(self, ids: Ids = Ids.NONE) -> str:
        return self.service.listing(self.asked, ListingRequest((DEFAULT_ALIAS,), ids))

    def state(self) -> State:
        with self.repository.read() as reader:
            return State.read(reader)

    def resources(self, alias: str = DEFAULT_ALIAS) -> Resources:
        with self.repository.read() as reader:
            return reader.resources(by_alias(reader.paps(), alias))


@pytest.fixture
def pap() -> MemoryPap:
    return MemoryPap(Acl(((ANYONE, Permission.ALL),)))


@pytest.fixture
def closed_pap() -> MemoryPap:
    return MemoryPap(Acl())


@pytest.fixture
def resources_of() -> Callable[[str], Resources]:
    """The resources that an SPL text becomes, with ids that count up in the order of the text."""

    def lowered(text: str) -> Resources:
        new = lower(parse(text), DEFAULT_MAPPINGS, counter())
        return tuple(element for element in new if isinstance(element, PolicySet))

    return lowered
