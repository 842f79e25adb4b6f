"""``python -m demo [--once]``: the tour; exit code 0 if every step came out as announced."""

import sys
from pathlib import Path

from demo.tour import Surprise, tour

_ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    try:
        tour(_ROOT / "var" / "site", _ROOT / "policies" / "worker-node.spl", once="--once" in sys.argv[1:])
    except Surprise as surprise:
        print(f"\nNot as announced: {surprise}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
