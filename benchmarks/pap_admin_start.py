"""What an administrator waits for with each command: pap-admin beside an interpreter that does nothing.

The commands ask a PAP of this host over mutual TLS, by REST and by SOAP; it has no policies but one.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import serving
from benchmarks.tables import Row, show
from demo.site import make_site
from demo.tour import Commands

_ROUNDS = 7
_BIN = Path(sys.executable).parent


def main(root: Path) -> None:
    site = make_site(root)
    argus = [str(_BIN / "argus"), "serve", "--config-dir", str(site.configuration), "--log-dir", str(root)]
    with serving(argus, urls=3) as server:
        pap_admin = Commands(site, server.urls).pap_admin
        _milliseconds(pap_admin("ban", "vo", "dteam"))
        runs = {
            "pass": [sys.executable, "-c", "pass"],
            "--help": [str(_BIN / "pap-admin"), "--help"],
            "ping": pap_admin("ping"),
            "list-policies": pap_admin("list-policies"),
            "ban of who is banned": pap_admin("ban", "vo", "dteam"),
            "list-policies --soap": pap_admin("--soap", "list-policies"),
            "lint": pap_admin("lint"),
        }
        for command in runs.values():  # compiled code is in its place after that
            _milliseconds(command)
        rounds = [[_milliseconds(command) for command in runs.values()] for _ in range(_ROUNDS)]
    nothing, *figures = map(statistics.median, zip(*rounds, strict=True))
    rows = [Row(f"{name}, ms", figure, nothing) for name, figure in zip(list(runs)[1:], figures, strict=True)]
    show("Start of pap-admin", "pap-admin", "python -c pass", rows)


def _milliseconds(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begin) * 1e3


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "var" / "benchmarks" / "pap_admin_start")
