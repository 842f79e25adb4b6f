"""Listings, where the recorded sequences of pap-admin do not show them."""

from collections.abc import Callable
from dataclasses import replace

from argus_py.pap.editing import Resources
from argus_py.pap.listing import ListingRequest, listing
from argus_py.pap.paps import Pap, Remote
from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings

DEFAULT = Pap("default-1", "default")


def test_a_remote_pap_is_listed_with_its_host(resources_of: Callable[[str], Resources]) -> None:
    central = Pap("central-1", "central", remote=Remote("pap.example.org", 8151))
    assert listing(central, (), ListingRequest(), DEFAULT_MAPPINGS) == (
        "\ncentral (pap.example.org:8151):\nNo policies has been found.\n"
    )


def test_a_pap_without_actions_is_listed_as_empty(resources_of: Callable[[str], Resources]) -> None:
    resources = resources_of('resource "r" { description "nothing" }')
    assert listing(DEFAULT, resources, ListingRequest(), DEFAULT_MAPPINGS).endswith("No policies has been found.\n")


def test_a_policy_that_spl_cannot_express_is_named(resources_of: Callable[[str], Resources]) -> None:
    (policy_set,) = resources_of('resource "r" { action "a" { rule permit { vo="x" } } }')
    generic = replace(policy_set, target=replace(policy_set.target, resources=policy_set.target.resources * 2))
    assert listing(DEFAULT, (generic,), ListingRequest(), DEFAULT_MAPPINGS) == (
        f"\ndefault (local):\n\nid={generic.id}: "
        "Generic XACML policy, to see this policy specify the option --show-xacml.\n"
    )


def test_an_attribute_that_has_no_name_here_is_listed_like_in_java(resources_of: Callable[[str], Resources]) -> None:
    resources = resources_of('resource "r" { action "a" { rule permit { vo="x" } } }')
    fewer = AttributeMappings(tuple(each for each in DEFAULT_MAPPINGS.mappings if each.name != "vo"))
    assert 'rule permit { unrecognized-id="x" }\n' in listing(DEFAULT, resources, ListingRequest(), fewer)
