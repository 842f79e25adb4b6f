"""``python -m demo``: the tour; exit code 0 if every step came out as announced."""

import argparse
import signal
import sys
from pathlib import Path

from demo.tour import Surprise, tour

_ROOT = Path(__file__).resolve().parent.parent
_SITE = _ROOT / "var" / "site"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A tour of Argus on a throw-away site.")
    parser.add_argument("site", type=Path, nargs="?", default=_SITE, help="new folder for it, default %(default)s")
    parser.add_argument("--policy", type=Path, default=_ROOT / "policies" / "worker-node.spl", help="what is loaded")
    parser.add_argument("--once", action="store_true", help="stop the service at the end of the tour")
    arguments = parser.parse_args()
    if arguments.site != _SITE and arguments.site.exists():
        parser.error(f"{arguments.site} exists already")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the service is stopped as well
    try:
        tour(arguments.site.absolute(), arguments.policy, arguments.once)
    except Surprise as surprise:
        print(f"\nNot as announced: {surprise}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
