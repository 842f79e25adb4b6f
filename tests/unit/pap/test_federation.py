"""What the answer of a remote PAP means for its copy."""

from dataclasses import replace
from pathlib import Path

import pytest

from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.response import Effect, Obligation
from argus_py.pap.editing import Resources
from argus_py.pap.federation import Element, UnusableAnswer, copy_of, ids_of_ours, take_up
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.soap import envelope, saml
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.policy_xml import policy_from_element, policy_set_from_element

VECTORS = Path(__file__).parents[2] / "vectors" / "soap" / "pap"
REMOTE = Remote("central.example.org")
CENTRAL = Pap("central-1", "central", enabled=True, public=True, remote=REMOTE)
DEFAULT = Pap("default-1", "default", enabled=True, public=True)
DENY = Policy("public_a", Combining.RULES_FIRST_APPLICABLE, (Rule("1", Effect.DENY),))


def resource(id: str, *policies: str) -> PolicySet:
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, tuple(map(PolicyIdReference, policies)))


def root(*resources: str) -> PolicySet:
    return PolicySet("root-x", Combining.POLICIES_FIRST_APPLICABLE, tuple(map(PolicySetIdReference, resources)))


def policy(id: str, *rules: str) -> Policy:
    return Policy(id, Combining.RULES_FIRST_APPLICABLE, tuple(Rule(rule, Effect.DENY) for rule in rules))


def copied(*answer: Element, ours: frozenset[str] = frozenset()) -> tuple[Resources, tuple[Element, ...]]:
    copy = copy_of(answer, ours)
    assert copy is not None
    return copy.resources, copy.loose


def recorded(name: str) -> list[Element]:
    public = saml.public_policies_from_element(envelope.read((VECTORS / f"{name}.xml").read_bytes(), 1 << 20))
    return [
        policy_from_element(element) if element.tag.endswith("}Policy") else policy_set_from_element(element)
        for element in public.elements
    ]


def outline(resources: Resources) -> list[tuple[str, list[str]]]:
    return [(resource.id[-2:], [policy.id[-2:] for policy in resource.policies()]) for resource in resources]


def test_the_answer_of_a_java_pap_is_put_into_the_order_of_its_references() -> None:
    resources, loose = copied(*recorded("recorded-pap-query.response"))
    assert outline(resources) == [("06", ["09"]), ("11", ["12", "14"]), ("16", ["17"])]
    assert loose == ()


def test_obligations_and_resources_without_actions_are_copied() -> None:
    resources, _ = copied(*recorded("response-to-pap"))
    assert outline(resources) == [("10", ["11"]), ("20", ["21"]), ("30", [])]
    assert [len(each.obligations) for each in resources] == [1, 0, 1]


def test_an_answer_without_elements_says_nothing() -> None:
    assert copy_of((), frozenset()) is None


def test_a_root_without_resources_empties_the_copy() -> None:
    assert copied(root()) == ((), ())


def test_policies_may_stand_in_their_resources_and_these_in_the_root() -> None:
    whole = replace(resource("r"), children=(DENY,))
    assert copied(replace(root(), children=(whole,))) == ((whole,), ())


def test_what_is_referred_to_from_nowhere_is_kept_without_effect() -> None:
    lost = resource("lost", "other")
    resources, loose = copied(root("r"), resource("r"), lost, DENY)
    assert outline(resources) == [("r", [])]
    assert loose == (lost, DENY)


def test_what_a_pap_sends_twice_is_there_once() -> None:
    once = root("r"), resource("r", DENY.id), DENY
    assert copied(*once, *once) == copied(*once)


def test_resources_of_ours_are_not_taken_back() -> None:
    copy = copy_of((root("r", "s"), resource("r", DENY.id), resource("s"), DENY), frozenset({"r"}))
    assert copy is not None
    assert (outline(copy.resources), copy.loose, copy.ours) == ([("s", [])], (), ("r",))


OBLIGED = (Obligation("urn:x", Effect.PERMIT),)
UNUSABLE: dict[str, tuple[tuple[Element, ...], str]] = {
    "no set": ((DENY,), "Policy 'public_a': there is no PolicySet, which would give the order"),
    "a lost resource": ((root("r"),), "PolicySet 'root-x': the reference to r cannot be followed"),
    "a lost action": ((root("r"), resource("r", "p")), "PolicySet 'r': the reference to p cannot be followed"),
    "two of one id": (
        (root("r"), resource("r", "p"), policy("p", "1"), policy("p", "2")),
        "PolicySet 'r': the reference to p cannot be followed: there are several of this version",
    ),
    "a circle": (
        (root("r"), replace(resource("r"), children=(PolicySetIdReference("r"),))),
        "PolicySet 'r': the reference to r cannot be followed: it leads back to where it stands",
    ),
    "an action in two places": (
        (root("r", "s"), resource("r", "p"), resource("s", "p"), policy("p")),
        "Policy 'p': it is referred to from several places",
    ),
    "an action among resources": (
        (replace(root(), children=(PolicyIdReference("p"),)), policy("p")),
        "Policy 'p': it stands among the resources",
    ),
    "a root with another algorithm": (
        (replace(root(), combining="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides"),),
        "PolicySet 'root-x': it is the first one, and has a target, an obligation or another algorithm",
    ),
    "a root with an obligation": ((replace(root(), obligations=OBLIGED),), "PolicySet 'root-x': it is the first one"),
    "rules of one id": (
        (root("r"), resource("r", "p"), policy("p", "1", "1")),
        "Rule '1': policy p has several rules of this id",
    ),
    "a long id": ((root("r" * 201), resource("r" * 201)), f"PolicySet '{'r' * 200}': an id has 1 to 200"),
    "no id": ((root(""), resource("")), "PolicySet '': an id has 1 to 200 printable characters"),
    "an id with a line end": ((root("r"), resource("r"), policy("p\n")), r"Policy 'p\n': an id has 1 to 200"),
    "an unfit rule id": ((root("r"), resource("r", "p"), policy("p", "\x7f")), r"Rule '\x7f': an id has"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_answer_with_a_defect_is_refused_whole_and_the_culprit_named(case: str) -> None:
    answer, told = UNUSABLE[case]
    with pytest.raises(UnusableAnswer) as caught:
        copy_of(answer, frozenset())
    assert str(caught.value).startswith(told)


def test_a_value_that_can_only_be_an_error_makes_an_answer_unusable() -> None:
    asked = AttributeDesignator(Category.ACTION, AttributeId.ACTION_ID, DataType.STRING)
    pattern = Match(FunctionUri.STRING_REGEXP_MATCH, AttributeValue(DataType.STRING, "("), asked)
    bad = replace(DENY, target=Target(actions=((pattern,),)))
    with pytest.raises(UnusableAnswer, match=r"element 'public_a': public_a of r of root-x: .*missing \)"):
        copy_of((root("r"), resource("r", DENY.id), bad), frozenset())


def test_an_answer_beyond_the_limit_is_refused() -> None:
    many = policy("p", *map(str, range(100_001)))
    with pytest.raises(UnusableAnswer, match="stand for more than 100000 elements"):
        copy_of((root("r"), resource("r", "p"), many), frozenset())


@pytest.fixture
def policies() -> MemoryPolicies:
    policies = MemoryPolicies()
    with policies.change(Note("test", "add-pap")) as writer:
        writer.add_pap(DEFAULT)
        writer.add_pap(CENTRAL)
    return policies


def test_a_copy_takes_the_place_of_the_last_one_in_one_change(policies: MemoryPolicies) -> None:
    copy = copy_of((root("r"), resource("r", DENY.id), DENY, policy("lost")), frozenset())
    assert copy is not None
    before = policies.revision()
    assert take_up(policies, CENTRAL, copy)
    with policies.read() as reader:
        assert reader.resources(CENTRAL) == copy.resources
        assert reader.loose(CENTRAL) == (policy("lost"),)
        assert [pap.version for pap in reader.paps()] == [0, 1]
    (change,) = policies.changes(limit=1)
    assert (change.revision, change.note) == (
        before + 1,
        Note("refresh of central", "refresh-cache central", "central"),
    )


def test_a_copy_that_differs_in_nothing_is_no_change(policies: MemoryPolicies) -> None:
    for expected in (True, False):
        copy = copy_of((root("r"), resource("r", DENY.id), DENY), frozenset())
        assert copy is not None
        assert take_up(policies, CENTRAL, copy) is expected
    assert policies.revision() == 2


@pytest.mark.parametrize("remote", [None, Remote("other.example.org")])
def test_a_pap_that_is_gone_or_comes_from_elsewhere_by_now_gets_no_copy(
    remote: Remote | None, policies: MemoryPolicies
) -> None:
    copy = copy_of((root("r"), resource("r")), frozenset())
    assert copy is not None
    with policies.change(Note("test", "remove-pap")) as writer:
        if remote is None:
            writer.remove_pap(CENTRAL)
        else:
            writer.store(replace(CENTRAL, remote=remote), ())
    assert not take_up(policies, CENTRAL, copy)
    assert policies.revision() == 2


def test_what_is_set_of_a_pap_meanwhile_stays(policies: MemoryPolicies) -> None:
    copy = copy_of((root("r"), resource("r")), frozenset())
    assert copy is not None
    with policies.change(Note("test", "disable-pap")) as writer:
        writer.store(replace(CENTRAL, enabled=False), ())
    assert take_up(policies, CENTRAL, copy)
    with policies.read() as reader:
        assert [pap.enabled for pap in reader.paps()] == [True, False]


def test_the_resources_of_local_paps_are_ours(policies: MemoryPolicies) -> None:
    with policies.change(Note("test", "add")) as writer:
        writer.store(DEFAULT, (resource("mine"),))
        writer.store(CENTRAL, (resource("theirs"),))
    with policies.read() as reader:
        assert ids_of_ours(reader) == {"mine"}
