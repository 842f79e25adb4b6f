"""What a pilot waits for before its payload runs: argus-glexec beside an interpreter that does nothing.

The policy verifies the proxy of the payload and gives it an account by a dummy, so that no network counts; a second run
loads what the call to Argus needs as well. Files lie below /srv: none of the folders may be writable by others.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.tables import Row, show
from demo.site import make_site

_ROUNDS = 15
_PAYLOAD = ("/bin/true",)
_LOADED = "import argus_py.cli.glexec.run"
_ASKING = f"{_LOADED}, argus_py.clients.pep_call"
_CONF = """\
[glexec]
user_white_list = {caller}
lcmaps_db_file = {root}/lcmaps.db
log_destination = file
log_file = {root}/glexec.log
create_target_proxy = no
"""
_POLICY = """\
verify = "lcmaps_verify_proxy.mod -certdir {certificates}"
good   = "lcmaps_dummy_good.mod --dummy-username nobody --dummy-gid 65534"

glexec_get_account:
verify -> good
"""


def main() -> None:
    """Needs root, as argus-glexec does."""
    root = Path(tempfile.mkdtemp(prefix="argus-benchmark-", dir="/srv"))
    try:
        _measure(root)
    finally:
        shutil.rmtree(root)


def _measure(root: Path) -> None:
    root.chmod(0o755)
    site = make_site(root / "site")
    (root / "glexec.conf").write_text(_CONF.format(root=root, caller="root"))
    (root / "lcmaps.db").write_text(_POLICY.format(certificates=site.certificates))
    start = (
        f"import sys; from argus_py.cli.glexec import main; sys.exit(main({_PAYLOAD!r}, {str(root / 'glexec.conf')!r}))"
    )
    environment = {"GLEXEC_CLIENT_CERT": str(site.add_pilot("Alice Adams"))}
    runs = {"pass": "pass", "load": _LOADED, "load with TLS": _ASKING, "whole run": start}
    for code in runs.values():  # compiled code is in its place after that
        _milliseconds(_python(code), environment)
    rounds = [[_milliseconds(_python(code), environment) for code in runs.values()] for _ in range(_ROUNDS)]
    nothing, *figures = map(statistics.median, zip(*rounds, strict=True))
    names = ("modules loaded", "modules loaded, TLS and codec of Argus too", "whole run, payload /bin/true")
    rows = [Row(f"{name}, ms", figure, nothing) for name, figure in zip(names, figures, strict=True)]
    show("Start of argus-glexec", "argus-glexec", "python -I -c pass", rows)


def _python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def _milliseconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, env={**environment, "PATH": os.defpath}, check=True)
    return (time.perf_counter() - begin) * 1e3


if __name__ == "__main__":
    main()
