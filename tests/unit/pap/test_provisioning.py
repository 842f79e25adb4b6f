"""The tree that PDPs get."""

from collections.abc import Callable

import pytest

from argus_py.pap.editing import Resources
from argus_py.pap.paps import Pap, PapNotFound, Remote
from argus_py.pap.provisioning import Provisioning, root
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import Combining, PolicySet
from argus_py.xacml.policy_xml import read_policy_set

ONE = 'resource "r" { private action "a" { rule permit { vo="atlas" } } }'
DEFAULT = Pap("default-1", "default", enabled=True, public=True, version=3)
CENTRAL = Pap("central-1", "central", enabled=True, remote=Remote("pap.example.org"), version=9)


def repository(*paps: Pap) -> MemoryPolicies:
    policies = MemoryPolicies()
    with policies.change() as writer:
        for pap in paps:
            writer.add_pap(pap)
    return policies


def test_enabled_paps_are_delivered_in_order_with_private_actions(resources_of: Callable[[str], Resources]) -> None:
    policies = repository(CENTRAL, Pap("off-1", "off"), DEFAULT)
    with policies.change() as writer:
        writer.store(CENTRAL, resources_of(ONE))
        writer.store(Pap("off-1", "off"), resources_of(ONE))
    with policies.read() as reader:
        tree = root(reader)
    first = Combining.POLICIES_FIRST_APPLICABLE
    assert tree == PolicySet(
        "root-default-1",
        first,
        (PolicySet("central-1", first, resources_of(ONE), version="9"), PolicySet("default-1", first, version="3")),
        version="1",
    )


def test_a_store_without_the_default_pap_is_not_delivered() -> None:
    with pytest.raises(PapNotFound):
        Provisioning(repository(CENTRAL)).fetch()


def test_the_tree_is_built_once_per_change(resources_of: Callable[[str], Resources]) -> None:
    policies = repository(DEFAULT)
    provisioning = Provisioning(policies)
    empty = provisioning.fetch()
    assert provisioning.fetch() is empty
    with policies.change() as writer:
        writer.store(DEFAULT, resources_of(ONE))
    assert provisioning.fetch() == PolicySet(
        empty.id,
        empty.combining,
        (PolicySet("default-1", empty.combining, resources_of(ONE), version="3"),),
    )


def test_the_document_is_written_once_per_change(resources_of: Callable[[str], Resources]) -> None:
    policies = repository(DEFAULT)
    provisioning = Provisioning(policies)
    empty = provisioning.document()
    assert provisioning.document() is empty
    with policies.change() as writer:
        writer.store(DEFAULT, resources_of(ONE))
    assert read_policy_set(provisioning.document()) == provisioning.fetch()
