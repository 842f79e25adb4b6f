"""One PEP server's share of a gridmapdir: leases accounts for the names on its command line, all at one signal.

Usage: lease_worker.py DIRECTORY POOL NAME...; prints "ready", waits for a line, prints "name account" or "name !Error".
"""

import random
import sys
from pathlib import Path

from argus_py.errors import ArgusError
from argus_py.store.gridmapdir import GridMapDir


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    directory, pool, *names = sys.argv[1:]
    leases = GridMapDir(Path(directory), random.Random())
    say("ready")
    sys.stdin.readline()
    for name in names:
        try:
            answer = leases.lease(name, pool).account
        except ArgusError as error:
            answer = f"!{type(error).__name__}"
        say(f"{name} {answer}")


if __name__ == "__main__":
    main()
