"""Another program on the same gridmapdir, as LCMAPS and Globus do it: link, look at the link count, withdraw.

The same usage as lease_worker.py; shares no line of code with the package.
"""

import os
import sys
import time


def find(directory: str, pool: str, inode: int) -> str | None:
    for entry in os.listdir(directory):
        if entry.startswith(pool) and os.stat(f"{directory}/{entry}").st_ino == inode:
            return entry
    return None


def lease(directory: str, pool: str, name: str) -> str:
    path = f"{directory}/{name}"
    for _ in range(200):
        if os.path.exists(path):
            status = os.stat(path)
            account = find(directory, pool, status.st_ino)
            if account and status.st_nlink == 2:
                os.utime(path)
                return account
        for entry in os.listdir(directory):
            if not entry.startswith(pool) or os.stat(f"{directory}/{entry}").st_nlink != 1:
                continue
            try:
                os.link(f"{directory}/{entry}", path)
            except FileExistsError:
                break
            if os.stat(f"{directory}/{entry}").st_nlink == 2:
                os.utime(path)
                return entry
            os.unlink(path)
            break
        time.sleep(0.01)
    return "!Exhausted"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    directory, pool, *names = sys.argv[1:]
    say("ready")
    sys.stdin.readline()
    for name in names:
        say(f"{name} {lease(directory, pool, name)}")


if __name__ == "__main__":
    main()
