"""The tree that PDPs get, and the list that other PAPs get."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from argus_py.pap.editing import Resources
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, PapNotFound, Remote
from argus_py.pap.provisioning import Provisioning, public_elements, root, service_of
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference
from argus_py.xacml.policy_xml import read_policy_set

ONE = 'resource "r" { private action "a" { rule permit { vo="atlas" } } }'
NOTE = Note("test", "test")
DEFAULT = Pap("default-1", "default", enabled=True, public=True, version=3)
CENTRAL = Pap("central-1", "central", enabled=True, remote=Remote("pap.example.org"), version=9)


def repository(*paps: Pap) -> MemoryPolicies:
    policies = MemoryPolicies()
    with policies.change(Note("test", "set up")) as writer:
        for pap in paps:
            writer.add_pap(pap)
    return policies


def test_enabled_paps_are_delivered_in_order_with_private_actions(resources_of: Callable[[str], Resources]) -> None:
    policies = repository(CENTRAL, Pap("off-1", "off"), DEFAULT)
    with policies.change(Note("test", "set up")) as writer:
        writer.store(CENTRAL, resources_of(ONE))
        writer.store(Pap("off-1", "off"), resources_of(ONE))
        writer.set_ordering(("central", "default"))
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
    with policies.change(Note("test", "set up")) as writer:
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
    with policies.change(Note("test", "set up")) as writer:
        writer.store(DEFAULT, resources_of(ONE))
    assert read_policy_set(provisioning.document()) == provisioning.fetch()


def test_a_reference_is_followed_within_its_pap_or_dropped() -> None:
    there = Policy("public_a", Combining.RULES_FIRST_APPLICABLE)
    policies = holding(
        {DEFAULT: (resource("r", there), resource("s", PolicyIdReference("public_a"), PolicyIdReference("gone")))}
    )
    with policies.read() as reader:
        (of_default,) = root(reader).children
    assert isinstance(of_default, PolicySet)
    assert of_default.children == (resource("r", there), resource("s", there))


PUBLIC_CENTRAL = replace(CENTRAL, public=True)


def resource(id: str, *children: Policy | PolicySet | PolicyIdReference) -> PolicySet:
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, children)


def policy(id: str) -> Policy:
    return Policy(id, Combining.RULES_FIRST_APPLICABLE)


def holding(contents: dict[Pap, tuple[PolicySet, ...]]) -> MemoryPolicies:
    policies = repository(*contents)
    with policies.change(NOTE) as writer:
        for pap, resources in contents.items():
            writer.store(pap, resources)
    return policies


def names(elements: Iterable[PolicySet | Policy]) -> list[str]:
    return [element.id for element in elements]


def test_paps_get_what_public_paps_hold_whether_these_are_enabled_or_not() -> None:
    off, private = Pap("off-1", "off", public=True), Pap("private-1", "private", enabled=True)
    policies = holding(
        {
            PUBLIC_CENTRAL: (resource("c", policy("public_c")),),
            off: (resource("o"),),
            private: (resource("p"),),
            DEFAULT: (resource("d", policy("public_d")),),
        }
    )
    with policies.read() as reader:
        first, *others = public_elements(reader)
    assert first == PolicySet(
        "root-default-1", Combining.POLICIES_FIRST_APPLICABLE, tuple(map(PolicySetIdReference, ("d", "c", "o")))
    )
    assert others == [
        resource("d", PolicyIdReference("public_d")),
        policy("public_d"),
        resource("c", PolicyIdReference("public_c")),
        policy("public_c"),
        resource("o"),
    ]


def test_private_actions_and_all_references_to_them_stay_here() -> None:
    inner = resource("inner", policy("private_3"), policy("public_4"))
    r = resource("r", policy("private_1"), policy("public_2"), PolicyIdReference("gone"), inner)
    policies = holding({DEFAULT: (r, resource("s", PolicyIdReference("private_1"), PolicyIdReference("public_2")))})
    with policies.read() as reader:
        _, *others = public_elements(reader)
    assert others == [
        resource("r", PolicyIdReference("public_2"), resource("inner", policy("public_4"))),
        policy("public_2"),
        resource("s", PolicyIdReference("public_2")),
    ]


def test_what_came_along_two_ways_is_sent_once() -> None:
    other = replace(PUBLIC_CENTRAL, id="ngi-1", alias="ngi")
    c = resource("c", policy("public_c"))
    policies = holding({DEFAULT: (), PUBLIC_CENTRAL: (c,), other: (resource("n"), c)})
    with policies.read() as reader:
        assert names(public_elements(reader)) == ["root-default-1", "c", "public_c", "n"]


def test_nobody_is_sent_what_was_copied_from_him() -> None:
    policies = holding({DEFAULT: (resource("d"),), PUBLIC_CENTRAL: (resource("c"),)})
    provisioning = Provisioning(policies)
    for_all = provisioning.public_document("http://argus.example.org/pap")
    for_central = provisioning.public_document("https://pap.example.org:8150/pap/services/ProvisioningService")
    assert (b'"c"' in for_all, b'"c"' in for_central, b'"d"' in for_central) == (True, False, True)


def test_a_pap_that_knows_no_better_name_than_localhost_is_sent_all() -> None:
    local = replace(PUBLIC_CENTRAL, remote=Remote("localhost"))
    policies = holding({DEFAULT: (), local: (resource("c"),)})
    asker = "https://localhost:8150/pap/services/ProvisioningService"
    assert b'"c"' in Provisioning(policies).public_document(asker)


def test_the_public_document_is_written_once_per_change() -> None:
    policies = holding({DEFAULT: (resource("d"),), PUBLIC_CENTRAL: (resource("c"),)})
    provisioning = Provisioning(policies)
    first = provisioning.public_document()
    provisioning.public_document("https://pap.example.org:8150/pap/services/ProvisioningService")
    assert provisioning.public_document() is first
    with policies.change(NOTE) as writer:
        writer.store(DEFAULT, (resource("e"),))
    assert b'"e"' in provisioning.public_document()


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/pap/services/", "https://h:8150/pap/services/ProvisioningService"),
        ("/pap/services", "https://h:8150/pap/services/ProvisioningService"),
    ],
)
def test_the_service_of_a_remote_is_below_its_path(path: str, url: str) -> None:
    assert service_of(Remote("h", path=path)) == url
