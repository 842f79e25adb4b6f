"""An administrator whose cron jobs hardly ever pause: expires what was not used for some milliseconds, checks, repairs.

Usage: tidy_worker.py DIRECTORY MILLISECONDS SECONDS; prints what the commands print.
"""

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path

from argus_py.cli.leases import add_arguments, run
from argus_py.cli.leases.command import Call, Host


def main() -> None:
    directory, milliseconds, seconds = sys.argv[1:]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    expire = parser.parse_args(["expire", "--older-than", "1m", "--no-processes", "--gridmapdir", directory])
    expire.older_than = timedelta(milliseconds=int(milliseconds))  # no administrator may ask for so little
    check = parser.parse_args(["check", "--repair", "--no-nss", "--gridmapdir", str(Path(directory))])
    host = Host(sleep=lambda seconds: time.sleep(seconds / 20))
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        run(Call(expire, host, sys.stdout, sys.stderr))
        run(Call(check, host, sys.stdout, sys.stderr))


if __name__ == "__main__":
    main()
