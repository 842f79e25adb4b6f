"""The commands about paps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from argus_py.pap.administration import Administration
from argus_py.pap.distribution import (
    BadOrdering,
    BadPap,
    BadPollingInterval,
    DefaultPapIsFixed,
    Distribution,
    PapIsLocal,
)
from argus_py.pap.editing import Resources
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, PapNotFound, Remote, RemoteState
from argus_py.pap.request import Asked
from argus_py.pap.take_up import DEFAULT_POLL_INTERVAL
from argus_py.store.memory import MemoryPolicies

UUID = "00000000-0000-4000-8000-000000000001"
CENTRAL = Pap(f"central-{UUID}", "central", remote=Remote("central.example.org", dn="/O=x/CN=central.example.org"))
ONE = 'resource "r" { action "a" { rule permit { vo="atlas" } } }\n'


class MemoryPap(Protocol):
    repository: MemoryPolicies
    asked: Asked
    service: Administration
    distribution: Distribution
    refreshed: list[Pap]

    def resources(self, alias: str = ...) -> Resources: ...


def aliases(pap: MemoryPap) -> list[str]:
    return [record.pap.alias for record in pap.distribution.all_paps(pap.asked)]


def test_a_pap_is_added_once(pap: MemoryPap) -> None:
    assert pap.distribution.add_pap(pap.asked, CENTRAL).value
    again = pap.distribution.add_pap(pap.asked, replace(CENTRAL, public=True))
    assert (again.value, again.after) == (False, None)
    assert pap.distribution.get_pap(pap.asked, "central").pap == CENTRAL
    assert pap.distribution.exists(pap.asked, "central")
    assert not pap.distribution.exists(pap.asked, "nope")
    with pytest.raises(PapNotFound, match=r"^Not found: papAlias=nope$"):
        pap.distribution.get_pap(pap.asked, "nope")


@pytest.mark.parametrize("id", ["", "central", "../../etc", f"other-{UUID}", f"central-{UUID}\n", f"central-{UUID}x"])
def test_an_id_of_another_form_is_replaced(pap: MemoryPap, id: str) -> None:
    pap.distribution.add_pap(pap.asked, replace(CENTRAL, id=id, version=9))
    added = pap.distribution.get_pap(pap.asked, "central").pap
    assert added == replace(CENTRAL, id="central-2")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (replace(CENTRAL, alias=""), "alias ''"),
        (replace(CENTRAL, alias="a b"), "alias 'a b'"),
        (replace(CENTRAL, alias="../x"), "alias '../x'"),
        (replace(CENTRAL, remote=Remote("")), "'' is not the name of a host"),
        (replace(CENTRAL, remote=Remote("host/path")), "'host/path' is not the name"),
        (replace(CENTRAL, remote=Remote("h", 0)), "0 is not the number of a port"),
        (replace(CENTRAL, remote=Remote("h", 65536)), "65536 is not"),
        (replace(CENTRAL, remote=Remote("h", path="pap")), "'pap' is not the path"),
        (replace(CENTRAL, remote=Remote("h", path="/a\r\nX: y")), "is not the path"),
        (replace(CENTRAL, remote=Remote("h", protocol="file")), "'file' is neither"),
        (replace(CENTRAL, remote=Remote("h", dn="/CN=a\n")), "name of its certificate"),
    ],
)
def test_a_pap_that_cannot_be_is_refused(pap: MemoryPap, wrong: Pap, text: str) -> None:
    with pytest.raises(BadPap, match=text):
        pap.distribution.add_pap(pap.asked, wrong)


@pytest.mark.parametrize("host", ["localhost", "pap.example.org", "192.0.2.1", "[2001:db8::1]"])
def test_hosts_are_named_or_numbered(pap: MemoryPap, host: str) -> None:
    assert pap.distribution.add_pap(pap.asked, replace(CENTRAL, remote=Remote(host))).value


def test_the_default_pap_is_fixed(pap: MemoryPap) -> None:
    default = Pap("default-x", "default")
    with pytest.raises(DefaultPapIsFixed, match=r"^Forbidden alias: default$"):
        pap.distribution.add_pap(pap.asked, default)
    with pytest.raises(DefaultPapIsFixed, match=r'^Invalid request. "default" cannot be updated$'):
        pap.distribution.update_pap(pap.asked, default)
    with pytest.raises(DefaultPapIsFixed, match=r"^Deleting the default pap is not allowed$"):
        pap.distribution.remove_pap(pap.asked, "default")
    assert pap.distribution.set_enabled(pap.asked, "default", enabled=False).after is not None


def test_an_update_keeps_id_and_policies(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, Pap("", "mine", enabled=True))
    pap.service.add_policies(pap.asked, "mine", ONE)
    before = pap.distribution.get_pap(pap.asked, "mine").pap
    assert pap.distribution.update_pap(pap.asked, Pap("other", "mine", public=True)).value
    assert pap.distribution.get_pap(pap.asked, "mine").pap == replace(before, enabled=False, public=True)
    assert len(pap.resources("mine")) == 1
    unknown = pap.distribution.update_pap(pap.asked, CENTRAL)
    assert (unknown.value, unknown.after) == (False, None)


def test_an_update_to_the_same_is_no_change_and_finds_the_pap(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, CENTRAL)
    outcome = pap.distribution.update_pap(pap.asked, CENTRAL)
    assert (outcome.value, outcome.after) == (True, None)


def test_a_removed_pap_leaves_the_order_of_the_others(pap: MemoryPap) -> None:
    for alias in ("a", "b", "c"):
        pap.distribution.add_pap(pap.asked, Pap("", alias))
    pap.distribution.set_ordering(pap.asked, ("b", "default", "a"))
    assert aliases(pap) == ["b", "default", "a", "c"]
    assert pap.distribution.remove_pap(pap.asked, "c").value
    assert pap.distribution.ordering(pap.asked) == ("b", "default", "a")
    assert pap.distribution.remove_pap(pap.asked, "b").value
    assert pap.distribution.ordering(pap.asked) == ("default", "a")
    assert not pap.distribution.remove_pap(pap.asked, "b").value


def test_paps_that_are_not_ordered_come_as_they_were_added(pap: MemoryPap) -> None:
    for alias in ("b", "a"):
        pap.distribution.add_pap(pap.asked, Pap("", alias))
    assert aliases(pap) == ["default", "b", "a"]
    pap.distribution.set_ordering(pap.asked, ("a",))
    assert aliases(pap) == ["default", "a", "b"]
    pap.distribution.set_ordering(pap.asked, ())
    assert pap.distribution.ordering(pap.asked) == ()
    assert aliases(pap) == ["default", "b", "a"]


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (("default", "nope"), 'Error in remote paps order: unknown alias "nope"'),
        (("default", "default"), 'Error in remote paps order: alias "default" appears more than one time'),
    ],
)
def test_an_order_names_each_pap_once(pap: MemoryPap, order: tuple[str, ...], text: str) -> None:
    with pytest.raises(BadOrdering) as caught:
        pap.distribution.set_ordering(pap.asked, order)
    assert str(caught.value) == text


def test_enabling_says_which_pap_is_unknown(pap: MemoryPap) -> None:
    with pytest.raises(PapNotFound):
        pap.distribution.set_enabled(pap.asked, "nope", enabled=True)
    assert pap.distribution.set_enabled(pap.asked, "default", enabled=True).after is None


def test_the_polling_interval_is_in_whole_seconds(pap: MemoryPap) -> None:
    assert pap.distribution.polling_interval(pap.asked) == DEFAULT_POLL_INTERVAL
    pap.distribution.set_polling_interval(pap.asked, timedelta(seconds=90.7))
    assert pap.distribution.polling_interval(pap.asked) == timedelta(seconds=90)
    assert pap.repository.changes()[0].note.command == "set-polling-interval 90"


@pytest.mark.parametrize("interval", [timedelta(), timedelta(seconds=-5), timedelta(seconds=0.9), timedelta(days=367)])
def test_an_interval_that_would_do_harm_is_refused(pap: MemoryPap, interval: timedelta) -> None:
    with pytest.raises(BadPollingInterval, match=f"cannot be {interval.total_seconds():.10g} seconds"):
        pap.distribution.set_polling_interval(pap.asked, interval)


def test_remote_paps_are_fetched_anew_and_local_ones_not(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, CENTRAL)
    assert pap.distribution.refresh(pap.asked, "central")
    assert pap.refreshed == [CENTRAL]
    assert not pap.distribution.refresh(pap.asked, "nope")
    with pytest.raises(PapIsLocal, match=r'^"default" is local, nothing to refresh$'):
        pap.distribution.refresh(pap.asked, "default")
    assert pap.refreshed == [CENTRAL]


def test_a_pap_is_told_with_its_last_change_and_the_state_of_its_copy(pap: MemoryPap) -> None:
    pap.distribution.add_pap(pap.asked, CENTRAL)
    default, central = pap.distribution.all_paps(pap.asked)
    assert (default.modified_at, central.modified_at, central.remote_state) == (None, None, None)
    pap.repository.note_remote(CENTRAL, RemoteState(reason="refused"))
    pap.service.remove_all(pap.asked, "central")
    pap.service.add_policies(pap.asked, "default", ONE)
    default, central = pap.distribution.all_paps(pap.asked)
    assert default.modified_at == pap.repository.changes()[0].made_at
    assert central.remote_state == RemoteState(reason="refused")


Change = Callable[[Distribution, Asked], object]


@pytest.mark.parametrize(
    ("change", "command", "alias"),
    [
        (
            lambda paps, asked: paps.add_pap(asked, CENTRAL),
            "add-pap --private central https://central.example.org:8150/pap/services/ /O=x/CN=central.example.org",
            "central",
        ),
        (lambda paps, asked: paps.add_pap(asked, Pap("", "m", public=True)), "add-pap --local --public m", "m"),
        (lambda paps, asked: paps.set_enabled(asked, "default", enabled=False), "disable-pap default", "default"),
        (lambda paps, asked: paps.set_ordering(asked, ("default",)), "set-paps-order default", None),
    ],
)
def test_changes_stand_in_the_history_in_the_words_of_pap_admin(
    pap: MemoryPap, change: Change, command: str, alias: str | None
) -> None:
    change(pap.distribution, pap.asked)
    assert pap.repository.changes()[0].note == Note("CN=Admin,DC=example,DC=org", command, alias)


def test_ping_tells_the_revision(pap: MemoryPap) -> None:
    assert pap.distribution.ping() == pap.repository.revision()
