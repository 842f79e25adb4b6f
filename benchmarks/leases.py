"""Leases in gridmapdirs of three sizes, half of whose accounts are leased.

What a request costs must not depend on the size: the yardstick is the smallest directory. (A new lease looks at sixteen
accounts at random, which the kernel has at hand in a small directory.) What grows is the listing, which a daemon makes
at its start and when what it knows proves old; its yardstick is a look at each file.
"""

import itertools
import os
import random
import tempfile
from pathlib import Path

from argus_py.store.account_index import list_accounts
from argus_py.store.gridmapdir import GridMapDir
from benchmarks.tables import Row, Work, microseconds, show

_SIZES = (100, 10_000, 100_000)
_ROUNDS = 5  # of listings


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="argus-leases-") as folder:
        directories = [_directory(Path(folder) / str(size), size) for size in _SIZES]
        stores = [GridMapDir(directory, random.Random(1)) for directory in directories]
        _show("Use of a lease, microseconds", microseconds(*map(_use, stores)))
        _show("A new lease and its removal, microseconds", microseconds(*map(_make, stores, directories)))
        rows = []
        for size, directory in zip(_SIZES, directories, strict=True):
            listed, looked = microseconds(_list(directory), _look(directory), rounds=_ROUNDS)
            rows.append(Row(_accounts(size), listed / 1e3, looked / 1e3))
        show("Listing of a gridmapdir, milliseconds", "argus", "a look at each", rows)


def _show(title: str, medians: tuple[float, ...]) -> None:
    rows = [Row(_accounts(size), median, medians[0]) for size, median in zip(_SIZES, medians, strict=True)]
    show(title, "argus", _accounts(_SIZES[0]), rows)


def _accounts(size: int) -> str:
    return f"{size:,} accounts"


def _directory(path: Path, accounts: int) -> Path:
    path.mkdir()
    for number in range(accounts):
        account = path / f"pool{number:06}"
        account.touch()
        if number % 2:
            os.link(account, path / _lease(number))
    return path


def _lease(number: int) -> str:
    return f"%2fdc%3dorg%2fdc%3dexample%2fou%3dpeople%2fcn%3duser%20{number}:pool"


def _use(store: GridMapDir) -> Work:
    return lambda: store.lease(_lease(51), "pool")


def _make(store: GridMapDir, directory: Path) -> Work:
    numbers = itertools.count(_SIZES[-1])

    def make() -> None:
        name = _lease(next(numbers))
        store.lease(name, "pool")
        (directory / name).unlink()

    return make


def _list(directory: Path) -> Work:
    return lambda: list_accounts(directory)


def _look(directory: Path) -> Work:
    return lambda: [file.lstat() for file in directory.iterdir()]


if __name__ == "__main__":
    main()
