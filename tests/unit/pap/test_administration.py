"""The use cases: the gate, transactions, remote paps."""

import logging
from collections.abc import Callable
from typing import Protocol

import pytest

from argus_py.model.response import Effect
from argus_py.pap.administration import (
    Administration,
    MixedElements,
    NewRule,
    ResourceIdMissing,
    ResourceIdNotAllowed,
    Scope,
    SeveralElements,
    ensure_default_pap,
    pair,
)
from argus_py.pap.authorization import ActNotPermitted, Admin
from argus_py.pap.editing import Beside, IdNotFound, ObligationExists, Resources
from argus_py.pap.listing import ListingRequest
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, PapNotFound, Remote, RemotePapIsReadOnly
from argus_py.spl.errors import SplMeaningError, SplSyntaxError
from argus_py.store.memory import MemoryPolicies


class MemoryPap(Protocol):
    service: Administration
    repository: MemoryPolicies
    admin: Admin

    def text(self) -> str: ...

    def resources(self, alias: str = ...) -> Resources: ...


RULE = NewRule(Effect.PERMIT, (pair("vo", "atlas"),))
ONE = 'resource "r" { action "a" { rule permit { vo="atlas" } } }\n'
Command = Callable[[Administration, Admin, str], object]
CHANGES: dict[str, Command] = {
    "add_policies": lambda service, admin, alias: service.add_policies(admin, alias, ONE),
    "update_policy": lambda service, admin, alias: service.update_policy(admin, alias, "2", ONE),
    "add_rule": lambda service, admin, alias: service.add_rule(admin, alias, RULE, Scope()),
    "add_rule_to_action": lambda service, admin, alias: service.add_rule_to_action(admin, alias, RULE, "public_3"),
    "ban": lambda service, admin, alias: service.ban(admin, alias, pair("vo", "x")),
    "unban": lambda service, admin, alias: service.unban(admin, alias, pair("vo", "x")),
    "remove": lambda service, admin, alias: service.remove(admin, alias, ["2"]),
    "remove_all": lambda service, admin, alias: service.remove_all(admin, alias),
    "move": lambda service, admin, alias: service.move(admin, alias, "2", Beside("3")),
    "add_obligation": lambda service, admin, alias: service.add_obligation(admin, alias, "2", "o"),
    "remove_obligation": lambda service, admin, alias: service.remove_obligation(admin, alias, "2", "o"),
}
QUESTIONS: dict[str, Command] = {
    "listing": lambda service, admin, alias: service.listing(admin, ListingRequest((alias,))),
    "who_may": lambda service, admin, _alias: service.who_may(admin, "r", "a"),
}


def test_every_method_is_tested_for_the_gate() -> None:
    methods = {name for name in vars(Administration) if not name.startswith("_")}
    assert methods == CHANGES.keys() | QUESTIONS.keys()


@pytest.mark.parametrize("command", [*CHANGES.values(), *QUESTIONS.values()], ids=[*CHANGES, *QUESTIONS])
def test_nothing_happens_without_permission(closed_pap: MemoryPap, command: Command) -> None:
    before = closed_pap.repository.revision()
    with pytest.raises(ActNotPermitted):
        command(closed_pap.service, closed_pap.admin, DEFAULT_ALIAS)
    assert closed_pap.repository.revision() == before


@pytest.mark.parametrize("name", sorted(CHANGES.keys() - {"remove_all"}))
def test_a_remote_pap_is_not_edited(pap: MemoryPap, name: str) -> None:
    with pap.repository.change() as writer:
        writer.add_pap(Pap("central-1", "central", remote=Remote("pap.example.org")))
    with pytest.raises(RemotePapIsReadOnly):
        CHANGES[name](pap.service, pap.admin, "central")


def test_the_copy_of_a_remote_pap_can_be_emptied(pap: MemoryPap, resources_of: Callable[[str], Resources]) -> None:
    central = Pap("central-1", "central", remote=Remote("pap.example.org"), version=7)
    with pap.repository.change() as writer:
        writer.add_pap(central)
        writer.store(central, resources_of(ONE))
    pap.service.remove_all(pap.admin, "central")
    assert pap.resources("central") == ()
    with pap.repository.read() as reader:
        assert [(one.alias, one.version) for one in reader.paps()] == [("default", 0), ("central", 0)]


@pytest.mark.parametrize("name", [*CHANGES, "listing"])
def test_an_unknown_pap_is_named(pap: MemoryPap, name: str) -> None:
    with pytest.raises(PapNotFound, match=r"^Not found: papAlias=nope$"):
        (CHANGES | QUESTIONS)[name](pap.service, pap.admin, "nope")


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
        pap.service.add_policies(pap.admin, DEFAULT_ALIAS, text, resource_id=resource_id)
    assert pap.resources() == ()


def test_all_wrong_attributes_of_a_file_are_told(pap: MemoryPap) -> None:
    wrong = ONE.replace("vo", "dn")
    with pytest.raises(SplMeaningError) as caught:
        pap.service.add_policies(pap.admin, DEFAULT_ALIAS, wrong + wrong)
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_several_removals_are_one_change(pap: MemoryPap) -> None:
    (added,) = pap.service.add_policies(pap.admin, DEFAULT_ALIAS, ONE)
    before = pap.resources()
    with pytest.raises(IdNotFound, match=r"^Id not found: nope$"):
        pap.service.remove(pap.admin, DEFAULT_ALIAS, [added.id, "nope"])
    assert pap.resources() == before


def test_an_update_takes_one_element(pap: MemoryPap) -> None:
    (added,) = pap.service.add_policies(pap.admin, DEFAULT_ALIAS, ONE)
    with pytest.raises(SeveralElements):
        pap.service.update_policy(pap.admin, DEFAULT_ALIAS, added.id, ONE + ONE)


def test_what_changes_nothing_is_no_commit(pap: MemoryPap) -> None:
    assert pap.service.ban(pap.admin, DEFAULT_ALIAS, pair("vo", "x"))
    before = pap.repository.revision()
    assert not pap.service.ban(pap.admin, DEFAULT_ALIAS, pair("vo", "x"))
    assert pap.repository.revision() == before


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
        pap.service.ban(pap.admin, DEFAULT_ALIAS, pair(attribute, value))


@pytest.mark.parametrize(("obligation", "text"), [("", "the value is empty"), ("a\x01b", "XML cannot carry")])
def test_an_obligation_that_no_policy_file_could_say_is_refused(pap: MemoryPap, obligation: str, text: str) -> None:
    (added,) = pap.service.add_policies(pap.admin, DEFAULT_ALIAS, ONE)
    with pytest.raises(SplMeaningError, match=text):
        pap.service.add_obligation(pap.admin, DEFAULT_ALIAS, added.id, obligation)


def test_an_obligation_with_blanks_around_it_is_the_same_obligation(pap: MemoryPap) -> None:
    (added,) = pap.service.add_policies(pap.admin, DEFAULT_ALIAS, ONE)
    pap.service.add_obligation(pap.admin, DEFAULT_ALIAS, added.id, " map ")
    with pytest.raises(ObligationExists):
        pap.service.add_obligation(pap.admin, DEFAULT_ALIAS, added.id, "map")


def test_changes_are_logged_with_their_author(pap: MemoryPap, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "argus_py.pap"):
        pap.service.ban(pap.admin, DEFAULT_ALIAS, pair("vo", "x"))
        pap.service.ban(pap.admin, DEFAULT_ALIAS, pair("vo", "x"))
        pap.service.remove_all(pap.admin, DEFAULT_ALIAS)
    admin = "CN=Admin,DC=example,DC=org"
    assert [record.getMessage() for record in caplog.records] == [
        f"{admin}: ban, pap default",
        f"{admin}: remove all policies, pap default",
    ]
