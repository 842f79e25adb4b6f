"""A PEP server that goes on leasing for users at random, for some seconds.

Usage: busy_worker.py DIRECTORY POOL SECONDS USERS SEED; prints "name account start end" for each answer, with the times
of a clock that all processes of this machine share.
"""

import random
import sys
import time
from pathlib import Path

from argus_py.errors import ArgusError
from argus_py.store.gridmapdir import GridMapDir


def main() -> None:
    directory, pool, seconds, users, seed = sys.argv[1:]
    rng = random.Random(int(seed))
    leases = GridMapDir(Path(directory), rng)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        name = f"%2fcn%3duser{rng.randrange(int(users))}"
        start = time.monotonic()
        try:
            account = leases.lease(name, pool).account
        except ArgusError as error:
            account = f"!{type(error).__name__}"
        sys.stdout.write(f"{name} {account} {start} {time.monotonic()}\n")


if __name__ == "__main__":
    main()
