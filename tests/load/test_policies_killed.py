"""A writer of the policy store that is killed at any moment: what it had said is there, and nothing is half there."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from argus_py.pap.history import Note
from argus_py.pap.paps import Pap
from argus_py.pap.ports import PolicyReader
from argus_py.store.sql.engine import open_policies
from argus_py.store.sql.repository import SqlPolicies

WORKER = Path(__file__).parent / "policy_worker.py"
PAP = Pap("default-1", "default")
CHANGES = 1_000
LIVES = 12  # of the writer, all but the last ended by SIGKILL
LONGEST_CHANGE = 0.01  # seconds, so that the signal comes anywhere in one
TIMEOUT = 120  # the machine may be busy

Ids = tuple[str, ...]


def changed(ids: Ids, number: int, chance: random.Random) -> Ids:
    """A ban at the top, a rule moved to anywhere, or a ban lifted."""
    kind = chance.choice(("ban", "ban", "move", "lift")) if len(ids) > 1 else "ban"
    if kind == "ban":
        return (f"rule-{number}", *ids)
    rest = list(ids)
    moved = rest.pop(chance.randrange(len(rest)))
    if kind == "move":
        rest.insert(chance.randrange(len(rest) + 1), moved)
    return tuple(rest)


def program(chance: random.Random) -> list[Ids]:
    """By revision: in the first one the pap is added."""
    states: list[Ids] = [(), ()]
    for number in range(2, CHANGES + 2):
        states.append(changed(states[-1], number, chance))
    return states


def killed_after(writer: "subprocess.Popen[str]", acknowledged: int, pause: float) -> int:
    """The last revision that the writer has said."""
    assert writer.stdout is not None
    said = [writer.stdout.readline() for _ in range(acknowledged)]
    time.sleep(pause)
    writer.kill()
    rest, _ = writer.communicate(timeout=TIMEOUT)
    complete = [line for line in [*said, *rest.splitlines(keepends=True)] if line.endswith("\n")]
    return int(complete[-1])


def order(reader: PolicyReader) -> tuple[Ids, str, int]:
    """The rules, the Version of the action, and that of the pap."""
    (pap,) = reader.paps()
    ((action,),) = (policy_set.policies() for policy_set in reader.resources(pap))
    return tuple(rule.id for rule in action.rules), action.version, pap.version


def check_state(repository: SqlPolicies, revision: int, states: list[Ids]) -> None:
    with repository.read(revision) as reader:
        assert order(reader) == (states[revision], str(revision), revision)


def test_a_writer_that_is_killed_again_and_again_loses_nothing_it_said(tmp_path: Path) -> None:
    chance = random.Random("policies")
    states = program(chance)
    file = tmp_path / "program.json"
    file.write_text(json.dumps(states))
    url = f"sqlite:///{tmp_path}/policies.db"
    command = [sys.executable, str(WORKER), url, str(file)]
    watching = open_policies(url)
    with watching.change(Note("CN=Admin", "change 1")) as writer:
        writer.add_pap(PAP)
    for _ in range(LIVES - 1):
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = killed_after(worker, chance.randrange(1, 2 * CHANGES // LIVES - 20), chance.uniform(0, LONGEST_CHANGE))
        restarted = open_policies(url)
        found = restarted.revision()
        assert said <= found <= said + 1
        for repository in (restarted, watching):
            check_state(repository, found, states)
            assert [change.note.command for change in repository.changes(limit=3)] == [
                f"change {revision}" for revision in range(found, found - 3, -1)
            ]
        restarted.close()
    subprocess.run(
        [sys.executable, str(WORKER), url, str(file)], check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL
    )
    history = watching.changes(limit=2 * CHANGES)
    assert [change.revision for change in history] == list(range(CHANGES + 1, 0, -1))
    assert [change.note.command for change in history] == [f"change {change.revision}" for change in history]
    for revision in range(2, CHANGES + 2, 9):
        check_state(watching, revision, states)
    watching.close()
