"""The use cases: the gate, transactions, remote paps."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import pytest

from argus_py.model.response import Effect
from argus_py.pap.administration import (
    Administration,
    MixedElements,
    NewRule,
    PurgeStep,
    ResourceIdMissing,
    ResourceIdNotAllowed,
    Scope,
    SeveralElements,
    ensure_default_pap,
    pair,
)
from argus_py.pap.editing import Beside, End, IdNotFound, ObligationExists, Resources
from argus_py.pap.history import Note
from argus_py.pap.listing import ListingRequest
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, PapNotFound, Remote, RemotePapIsReadOnly
from argus_py.pap.request import LONGEST_COMMAND, Asked, RevisionChanged
from argus_py.spl.errors import SplMeaningError, SplSyntaxError
from argus_py.store.memory import MemoryPolicies


class MemoryPap(Protocol):
    service: Administration
    repository: MemoryPolicies
    asked: Asked

    def text(self) -> str: ...

    def resources(self, alias: str = ...) -> Resources: ...


RULE = NewRule(Effect.PERMIT, (pair("vo", "atlas"),))
ONE = 'resource "r" { action "a" { rule permit { vo="atlas" } } }\n'
Command = Callable[[Administration, Asked, str], object]
CHANGES: dict[str, Command] = {
    "add_policies": lambda service, asked, alias: service.add_policies(asked, alias, ONE),
    "update_policy": lambda service, asked, alias: service.update_policy(asked, alias, "2", ONE),
    "add_rule": lambda service, asked, alias: service.add_rule(asked, alias, RULE, Scope()),
    "add_rule_to_action": lambda service, asked, alias: service.add_rule_to_action(asked, alias, RULE, "public_3"),
    "ban": lambda service, asked, alias: service.ban(asked, alias, pair("vo", "x")),
    "unban": lambda service, asked, alias: service.unban(asked, alias, pair("vo", "x")),
    "remove": lambda service, asked, alias: service.remove(asked, alias, ["2"]),
    "remove_all": lambda service, asked, alias: service.remove_all(asked, alias),
    "move": lambda service, asked, alias: service.move(asked, alias, "2", Beside("3")),
    "add_obligation": lambda service, asked, alias: service.add_obligation(asked, alias, "2", "o"),
    "remove_obligation": lambda service, asked, alias: service.remove_obligation(asked, alias, "2", "o"),
    "purge": lambda service, asked, alias: service.purge(asked, alias, tuple(PurgeStep)),
}
QUESTIONS: dict[str, Command] = {
    "listing": lambda service, asked, alias: service.listing(asked, ListingRequest((alias,))),
    "who_may": lambda service, asked, _alias: service.who_may(asked, "r", "a"),
}


@pytest.mark.parametrize("name", sorted(CHANGES.keys() - {"remove_all"}))
def test_a_remote_pap_is_not_edited(pap: MemoryPap, name: str) -> None:
    with pap.repository.change(Note("test", "set up")) as writer:
        writer.add_pap(Pap("central-1", "central", remote=Remote("pap.example.org")))
    with pytest.raises(RemotePapIsReadOnly):
        CHANGES[name](pap.service, pap.asked, "central")


def test_the_copy_of_a_remote_pap_can_be_emptied(pap: MemoryPap, resources_of: Callable[[str], Resources]) -> None:
    central = Pap("central-1", "central", remote=Remote("pap.example.org"), version=7)
    with pap.repository.change(Note("test", "set up")) as writer:
        writer.add_pap(central)
        writer.store(central, resources_of(ONE))
    pap.service.remove_all(pap.asked, "central")
    assert pap.resources("central") == ()
    with pap.repository.read() as reader:
        assert [(one.alias, one.version) for one in reader.paps()] == [("default", 0), ("central", 0)]


@pytest.mark.parametrize("name", [*CHANGES, "listing"])
def test_an_unknown_pap_is_named(pap: MemoryPap, name: str) -> None:
    with pytest.raises(PapNotFound, match=r"^Not found: papAlias=nope$"):
        (CHANGES | QUESTIONS)[name](pap.service, pap.asked, "nope")


def test_the_default_pap_is_made_once() -> None:
    repository = MemoryPolicies()
    for new_id in (lambda: "first", lambda: "second"):
        ensure_default_pap(repository, new_id)
    with repository.read() as reader:
        assert reader.paps() == (Pap("default-first", DEFAULT_ALIAS, enabled=True, public=True),)


@pytest.mark.parametrize(
    ("text", "resource_id", "error"),
    [
        (ONE + "action x { rule permit { vo=y } }", None, MixedElements),
        ("action x { rule permit { vo=y } }" + ONE, "2", MixedElements),
        ("action x { rule permit { vo=y } }", None, ResourceIdMissing),
        (ONE, "2", ResourceIdNotAllowed),
        ("action x { rule permit { vo=y } }", "nope", IdNotFound),
        (ONE + "resource", None, SplSyntaxError),
        (ONE + ONE.replace("vo", "dn"), None, SplMeaningError),
    ],
)
def test_a_file_is_added_whole_or_not_at_all(
    pap: MemoryPap, text: str, resource_id: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        pap.service.add_policies(pap.asked, DEFAULT_ALIAS, text, resource_id=resource_id)
    assert pap.resources() == ()


def test_all_wrong_attributes_of_a_file_are_told(pap: MemoryPap) -> None:
    wrong = ONE.replace("vo", "dn")
    with pytest.raises(SplMeaningError) as caught:
        pap.service.add_policies(pap.asked, DEFAULT_ALIAS, wrong + wrong)
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_several_removals_are_one_change(pap: MemoryPap) -> None:
    (added,) = pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE).value
    before = pap.resources()
    with pytest.raises(IdNotFound, match=r"^Id not found: nope$"):
        pap.service.remove(pap.asked, DEFAULT_ALIAS, [added.id, "nope"])
    assert pap.resources() == before


def test_an_update_takes_one_element(pap: MemoryPap) -> None:
    (added,) = pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE).value
    with pytest.raises(SeveralElements):
        pap.service.update_policy(pap.asked, DEFAULT_ALIAS, added.id, ONE + ONE)


def test_a_ban_that_is_there_is_no_change(pap: MemoryPap) -> None:
    first = pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "x"))
    (action,) = pap.resources()[0].policies()
    assert (first.value, first.after) == (action.id, first.before + 1)
    again = pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "x"))
    assert (again.value, again.before, again.after) == (None, first.after, None)
    assert again.difference.is_empty
    assert pap.repository.revision() == first.after


def test_a_rule_is_known_by_its_id(pap: MemoryPap) -> None:
    id = pap.service.add_rule(pap.asked, DEFAULT_ALIAS, RULE, Scope("r", "a")).value
    pap.service.remove(pap.asked, DEFAULT_ALIAS, [id])
    assert pap.resources() == ()


def test_a_dry_run_tells_what_would_be_and_does_nothing(pap: MemoryPap) -> None:
    trying = replace(pap.asked, dry_run=True)
    outcome = pap.service.add_policies(trying, DEFAULT_ALIAS, ONE)
    assert (outcome.before, outcome.after) == (pap.repository.revision(), None)
    ((changed),) = outcome.difference.paps
    assert changed.after is not None
    assert changed.after.resources == outcome.value
    assert pap.resources() == ()
    assert len(pap.repository.changes()) == 1


def test_a_dry_run_is_refused_what_would_be_refused(pap: MemoryPap) -> None:
    with pytest.raises(IdNotFound):
        pap.service.remove(replace(pap.asked, dry_run=True), DEFAULT_ALIAS, ["nope"])


def test_a_change_of_what_somebody_else_has_changed_meanwhile_is_refused(pap: MemoryPap) -> None:
    seen = pap.repository.revision()
    pap.service.ban(replace(pap.asked, expected_revision=seen), DEFAULT_ALIAS, pair("vo", "x"))
    with pytest.raises(RevisionChanged, match=f"at revision {seen + 1}, not {seen}"):
        pap.service.ban(replace(pap.asked, expected_revision=seen), DEFAULT_ALIAS, pair("vo", "y"))
    assert pap.repository.revision() == seen + 1


RECORDED: dict[str, Command] = {
    "ban vo x": lambda service, asked, alias: service.ban(asked, alias, pair("vo", "x")),
    'ban subject "CN=a b,O=x" --resource http://ce --action "sub\\"mit" --private': lambda service, asked, alias: (
        service.ban(asked, alias, pair("subject", "CN=a b,O=x"), Scope("http://ce", 'sub"mit'), private=True)
    ),
    "add-policies-from-file (2 resources, 2 actions, 2 rules)": lambda service, asked, alias: service.add_policies(
        asked, alias, ONE + ONE
    ),
    "add-policies-from-file --top (1 resource, 1 action, 1 rule)": lambda service, asked, alias: service.add_policies(
        asked, alias, ONE, End.TOP
    ),
    "add-policy --resource r --action a --obligation o --obligation-scope resource permit vo=atlas": (
        lambda service, asked, alias: service.add_rule(asked, alias, replace(RULE, obligation="o"), Scope("r", "a"))
    ),
    "add-policy --resource r --action .* --bottom permit vo=atlas": lambda service, asked, alias: service.add_rule(
        asked, alias, RULE, Scope("r"), End.BOTTOM
    ),
}


@pytest.mark.parametrize(("command", "change"), [*RECORDED.items()], ids=range(len(RECORDED)))
def test_a_change_stands_in_the_history_in_the_words_of_pap_admin(
    pap: MemoryPap, command: str, change: Command
) -> None:
    change(pap.service, pap.asked, DEFAULT_ALIAS)
    recorded = pap.repository.changes()[0].note
    assert recorded.command == command
    assert (recorded.author, recorded.pap) == ("CN=Admin,DC=example,DC=org", DEFAULT_ALIAS)


def test_the_place_of_what_was_changed_stands_in_the_history(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE + ONE)
    first, second = pap.resources()
    (action,) = first.policies()
    pap.service.move(pap.asked, DEFAULT_ALIAS, first.id, Beside(second.id, after=True))
    rule = action.rules[0].id
    pap.service.add_rule_to_action(pap.asked, DEFAULT_ALIAS, RULE, action.id, Beside(rule))
    commands = [change.note.command for change in pap.repository.changes(limit=2)]
    assert commands == [
        f"add-policy --action-id {action.id} --before-rule-id {rule} permit vo=atlas",
        f"move {first.id} --after {second.id}",
    ]


def test_a_command_of_any_length_is_one_short_line(pap: MemoryPap) -> None:
    pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "x\ny\u2028"))
    assert pap.repository.changes()[0].note.command == r'ban vo "x\ny\u2028"'
    pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "x" * 5000), Scope("r" * 4000))
    assert pap.repository.changes()[0].note.command == f"ban vo {'x' * 300}... --resource {'r' * 300}..."
    pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE * 500)
    pap.service.remove(pap.asked, DEFAULT_ALIAS, [each.id for each in pap.resources()])
    assert len(pap.repository.changes()[0].note.command) == LONGEST_COMMAND + len("...")


def test_a_purge_removes_what_its_steps_say(pap: MemoryPap, resources_of: Callable[[str], Resources]) -> None:
    full, bare, hollow = renamed(resources_of(ONE * 3))
    hollow = replace(hollow, children=())
    bare = replace(bare, children=tuple(replace(action, rules=()) for action in bare.policies()))
    policies = tuple(replace(action, id=f"loose-{action.id}") for action in full.policies())
    with pap.repository.change(Note("test", "set up")) as writer:
        (default,) = writer.paps()
        loose_set = replace(full, id="loose", children=tuple(replace(each, id="inner") for each in full.policies()))
        writer.store(default, (full, bare, hollow), (*policies, loose_set))

    def left(*steps: PurgeStep) -> tuple[list[str], list[str]]:
        outcome = pap.service.purge(replace(pap.asked, dry_run=True), DEFAULT_ALIAS, steps)
        (changed,) = outcome.difference.paps
        assert changed.after is not None
        return [each.id for each in changed.after.resources], [each.id for each in changed.after.loose]

    everything = [full.id, bare.id, hollow.id]
    assert left(PurgeStep.UNREFERENCED_POLICIES) == (everything, ["loose"])
    assert left(PurgeStep.EMPTY_POLICIES) == ([full.id, hollow.id], [policies[0].id, "loose"])
    assert left(PurgeStep.UNREFERENCED_POLICY_SETS) == (everything, [policies[0].id, "inner"])
    assert left(PurgeStep.EMPTY_POLICY_SETS) == ([full.id, bare.id], [policies[0].id, "loose"])
    assert left(*PurgeStep) == ([full.id], ["inner"])


def test_a_purge_of_what_is_in_order_is_no_change(pap: MemoryPap) -> None:
    pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE)
    assert pap.service.purge(pap.asked, DEFAULT_ALIAS, tuple(PurgeStep)).after is None


def renamed(resources: Resources) -> Resources:
    """With ids that differ."""
    return tuple(
        replace(
            policy_set,
            id=f"{number}-{policy_set.id}",
            children=tuple(replace(action, id=f"{number}-{action.id}") for action in policy_set.policies()),
        )
        for number, policy_set in enumerate(resources)
    )


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("foo", "x", 'unknown attribute "foo"'),
        ("subject", "", "the value is empty"),
        ("subject", "nonsense", "not a distinguished name"),
        ("fqan", "vo", "not an FQAN"),
        ("resource", "*", "pattern"),
    ],
)
def test_a_ban_that_could_never_work_is_refused(pap: MemoryPap, attribute: str, value: str, text: str) -> None:
    with pytest.raises(SplMeaningError, match=text):
        pap.service.ban(pap.asked, DEFAULT_ALIAS, pair(attribute, value))


@pytest.mark.parametrize(("obligation", "text"), [("", "the value is empty"), ("a\x01b", "XML cannot carry")])
def test_an_obligation_that_no_policy_file_could_say_is_refused(pap: MemoryPap, obligation: str, text: str) -> None:
    (added,) = pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE).value
    with pytest.raises(SplMeaningError, match=text):
        pap.service.add_obligation(pap.asked, DEFAULT_ALIAS, added.id, obligation)


def test_an_obligation_with_blanks_around_it_is_the_same_obligation(pap: MemoryPap) -> None:
    (added,) = pap.service.add_policies(pap.asked, DEFAULT_ALIAS, ONE).value
    pap.service.add_obligation(pap.asked, DEFAULT_ALIAS, added.id, " map ")
    with pytest.raises(ObligationExists):
        pap.service.add_obligation(pap.asked, DEFAULT_ALIAS, added.id, "map")


def test_changes_are_logged_with_their_author(pap: MemoryPap, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "argus_py.pap"):
        pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "x"))
        pap.service.ban(pap.asked, DEFAULT_ALIAS, pair("vo", "x"))
        pap.service.remove_all(pap.asked, DEFAULT_ALIAS)
    admin = "CN=Admin,DC=example,DC=org"
    assert [record.getMessage() for record in caplog.records] == [
        f"{admin}: ban vo x, pap default",
        f"{admin}: remove-all-policies, pap default",
    ]
