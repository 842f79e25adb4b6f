"""A PAP killed at random points of a thousand changes: what it has acknowledged is there, and nothing is half there."""

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from argus_py.clients.pap_rest import ActionEntry, PapRest, PapUnreachable

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

CHANGES = 1_000
KILLS = 6
LONGEST_LIFE = 1.5  # seconds, of one that is killed
LOOKS_BACK = 5  # at states of earlier revisions, after each kill

Banned = tuple[str, ...]
Kind = Literal["ban", "lift", "move"]
KINDS: tuple[Kind, ...] = ("ban", "lift", "move", "move")


@dataclass(frozen=True, slots=True)
class Step:
    """Ban a VO at the top, lift its ban, or move its rule before that of another one.

    ``after``: what is banned then.
    """

    kind: Kind
    vo: str
    beside: str
    after: Banned

    def take(self, pap: PapRest, ids: dict[str, str]) -> None:
        """``ids`` are those of the rules by VO."""
        match self.kind:
            case "ban":
                attributes = [{"name": "vo", "value": self.vo}]
                rule = {"effect": "deny", "attributes": attributes, "resource": ".*", "action": ".*"}
                ids[self.vo] = pap.add_rule("default", rule).result
            case "lift":
                pap.unban("default", "vo", self.vo, ".*", ".*")
            case "move":
                pap.move("default", ids[self.vo], ids[self.beside], None)

    def is_told_by(self, command: str) -> bool:
        words = {"ban": f"add-policy --resource .* --action .* deny vo={self.vo}", "lift": f"un-ban vo {self.vo}"}
        return command == words[self.kind] if self.kind in words else command.startswith("move ")


def program(chance: random.Random) -> list[Step]:
    """Some are always banned: an action without rules has no version to be looked at."""
    steps: list[Step] = []
    banned: Banned = ()
    while len(steps) < CHANGES:
        kind: Kind = chance.choice(KINDS) if len(banned) > 3 else "ban"
        vo, beside = chance.sample(banned, 2) if kind != "ban" else (f"vo{len(steps)}", "")
        rest = tuple(each for each in banned if each != vo)
        place = rest.index(beside) if kind == "move" else 0
        after = rest if kind == "lift" else (*rest[:place], vo, *rest[place:])
        if after != banned:
            steps.append(Step(kind, vo, beside, after))
        banned = after
    return steps


def actions_at(pap: PapRest, revision: int) -> list[ActionEntry]:
    """One, or none before the first step."""
    page = pap.policies("default", cursor=f"{revision}-0", limit=5000)
    return [action for resource in page.resources for action in resource.actions]


def start(grid: "Grid") -> "Argus":
    return grid.start("pap", grid.site.configuration / "pap" / "pap_configuration.ini", ports=2)


# Killed between the TCP connection and the handshake: the ssl module of Python 3.11 then leaves the socket unclosed.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_what_was_acknowledged_is_there_after_every_kill(grid: "Grid") -> None:
    chance = random.Random("kills")
    steps = program(chance)
    argus = start(grid)
    with grid.pap(argus) as pap:
        first_revision = pap.changes(limit=1)[0].revision
    done = 0
    for _ in range(KILLS):
        killer = threading.Timer(chance.uniform(0, LONGEST_LIFE), argus.kill)
        with grid.pap(argus) as pap:
            killer.start()
            acknowledged = done + work(pap, steps[done:], first_revision + done)
        killer.join()
        argus = start(grid)
        with grid.pap(argus) as pap:
            done = pap.changes(limit=1)[0].revision - first_revision
            assert done in (acknowledged, acknowledged + 1)
            check(pap, steps[:done], first_revision, chance)
    with grid.pap(argus) as pap:
        done += work(pap, steps[done:], first_revision + done)
        assert done == CHANGES
        check(pap, steps, first_revision, chance)


def work(pap: PapRest, steps: list[Step], revision: int) -> int:
    """How many of the steps are acknowledged before the PAP is gone."""
    acknowledged = 0
    try:
        ids = {rule.text.split('"')[1]: rule.id for action in actions_at(pap, revision) for rule in action.rules}
        for step in steps:
            step.take(pap, ids)
            acknowledged += 1
    except PapUnreachable:
        pass
    return acknowledged


def check(pap: PapRest, taken: list[Step], first_revision: int, chance: random.Random) -> None:
    """Order, Version and history agree, now and at some revisions before."""
    history = pap.changes(before=first_revision + len(taken) + 1, limit=1000)[: len(taken)]
    assert [change.revision for change in history] == [first_revision + number for number in range(len(taken), 0, -1)]
    for step, change in zip(reversed(taken), history, strict=True):
        assert step.is_told_by(change.command), change
    if not taken:
        return
    for number in {len(taken), *(chance.randint(1, len(taken)) for _ in range(LOOKS_BACK))}:
        (action,) = actions_at(pap, first_revision + number)
        banned = tuple(rule.text.split('"')[1] for rule in action.rules)
        assert (banned, int(action.version)) == (taken[number - 1].after, number)
