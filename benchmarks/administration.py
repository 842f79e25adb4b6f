"""Commands of an administrator on a SQLite store of 100, 10,000 and 50,000 rules, as the PAP carries them out.

The rules stand in one action, or ten each in as many resources as it takes. The yardstick is one row written to a
SQLite file and synced to the disk, by turns with the command.
"""

import itertools
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from argus_py.model.dn import DistinguishedName
from argus_py.pap.administration import Administration, ensure_default_pap, pair
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.editing import Beside
from argus_py.pap.listing import ListingRequest
from argus_py.pap.paps import DEFAULT_ALIAS, by_alias
from argus_py.pap.request import Asked
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.printer import Ids
from argus_py.store.sql.engine import open_policies
from argus_py.store.sql.repository import SqlPolicies
from benchmarks.policies import bans, spread_bans
from benchmarks.tables import Row, show

_SIZES = (100, 10_000, 50_000)
_ROUNDS = 7
_ASKED = Asked(Admin(DistinguishedName.parse_slash("/DC=org/CN=Benchmark")))
_EVERYBODY = Acl(((ANYONE, Permission.ALL),))

Command = Callable[[], object]


def main() -> None:
    rows: list[Row] = []
    for size in _SIZES:
        rows += _measured(f"{size:,} rules in one action", bans(size))
        rows += _measured(f"{size:,} rules in {size // 10:,} actions", spread_bans(size))
    show("Commands of an administrator, milliseconds", "PAP on SQLite", "one row synced", rows)


def _measured(name: str, text: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, closing(open_policies(f"sqlite:///{folder}/policies.db")) as store:
        numbers = itertools.count()
        ids = (f"{number:036d}" for number in numbers)
        ensure_default_pap(store, lambda: next(ids))
        administration = Administration(store, Gate(lambda: _EVERYBODY), DEFAULT_MAPPINGS, lambda: next(ids))
        with closing(_yardstick(Path(folder))) as yardstick:

            def row(command: str, run: Command, rounds: int = _ROUNDS) -> Row:
                return Row(f"{name}: {command}", *_milliseconds(run, lambda: _one_row(yardstick), rounds))

            yield row("add-policies-from-file", lambda: administration.add_policies(_ASKED, DEFAULT_ALIAS, text), 1)
            yield row("ban", lambda: _ban(administration, next(numbers)))
            yield row("move a rule from the end to the top", lambda: _move(administration, store))
            yield row("list-policies -sai", lambda: administration.listing(_ASKED, ListingRequest(ids=Ids.RULES)), 3)
            yield row("first read of a process", lambda: _read_anew(folder), 3)


def _ban(administration: Administration, number: int) -> None:
    administration.ban(_ASKED, DEFAULT_ALIAS, pair("subject", f"CN=Newly {number},O=Example,C=CH"))


def _move(administration: Administration, store: SqlPolicies) -> None:
    """Of the first action that has several rules."""
    with store.read() as reader:
        resources = reader.resources(by_alias(reader.paps(), DEFAULT_ALIAS))
    policies = (policy for policy_set in resources for policy in policy_set.policies())
    rules = next(policy.rules for policy in policies if len(policy.rules) > 1)
    administration.move(_ASKED, DEFAULT_ALIAS, rules[-1].id, Beside(rules[0].id))


def _read_anew(folder: str) -> None:
    with closing(open_policies(f"sqlite:///{folder}/policies.db")) as store, store.read():
        pass


def _yardstick(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "yardstick.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE rows (body TEXT)")
    return connection


def _one_row(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO rows VALUES ('body')")


def _milliseconds(run: Command, yardstick: Command, rounds: int) -> tuple[float, float]:
    """Medians of the time that passes, since much of it is waiting for the disk."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for one, times in zip((run, yardstick), taken, strict=True):
            begin = time.perf_counter()
            one()
            times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(taken[0]), statistics.median(taken[1])


if __name__ == "__main__":
    main()
