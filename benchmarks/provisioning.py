"""What a PDP gets of 100, 10,000 and 50,000 rules: how much, how long the PAP takes to make it, and its memory.

The first answer is written whole; one after a ban reuses what has not changed. The yardstick is lxml, which parses the
same octets. Each size has a process of its own, so that its memory can be told; that of the yardstick is the process
before the policy was loaded.
"""

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing

from lxml import etree

from argus_py.model.dn import DistinguishedName
from argus_py.pap.administration import Administration, ensure_default_pap, pair
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.paps import DEFAULT_ALIAS
from argus_py.pap.provisioning import Provisioning
from argus_py.pap.request import Asked
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.sql.engine import open_policies
from benchmarks.policies import bans
from benchmarks.tables import Row, show

_SIZES = (100, 10_000, 50_000)
_ASKED = Asked(Admin(DistinguishedName.parse_slash("/DC=org/CN=Benchmark")))
_EVERYBODY = Acl(((ANYONE, Permission.ALL),))


def main() -> None:
    times: list[Row] = []
    memory: list[Row] = []
    for size in _SIZES:
        command = [sys.executable, "-m", "benchmarks.provisioning", str(size)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        name = f"{size:,} rules, {told['octets'] / 1e6:.2f} MB"
        times.append(Row(f"{name}: the first answer", told["first"], told["parsed"]))
        times.append(Row(f"{name}: the answer after a ban", told["next"], told["parsed"]))
        memory.append(Row(f"{size:,} rules", told["memory"], told["memory_before"]))
    show("An answer for a PDP, milliseconds", "PAP", "lxml parses it", times)
    show("Memory of a PAP process at its highest, MiB", "with the policy", "without", memory)


def _one_size(size: int) -> dict[str, float]:
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as folder, closing(open_policies(f"sqlite:///{folder}/policies.db")) as store:
        ensure_default_pap(store, lambda: f"{next(numbers):036d}")
        gate = Gate(lambda: _EVERYBODY)
        administration = Administration(store, gate, DEFAULT_MAPPINGS, lambda: f"{next(numbers):036d}")
        before = _memory()
        administration.add_policies(_ASKED, DEFAULT_ALIAS, bans(size))
        provisioning = Provisioning(store)
        first, document = _milliseconds(provisioning.document)
        administration.ban(_ASKED, DEFAULT_ALIAS, pair("subject", "/DC=org/CN=One More"))
        after, document = _milliseconds(provisioning.document)
        told = {"octets": float(len(document)), "first": first, "next": after}
        told |= {"memory": _memory(), "memory_before": before}
        return told | {"parsed": _milliseconds(lambda: etree.tostring(etree.fromstring(document)[0]))[0]}


def _milliseconds(work: Callable[[], bytes]) -> tuple[float, bytes]:
    start = time.perf_counter()
    made = work()
    return (time.perf_counter() - start) * 1e3, made


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_one_size(int(sys.argv[1]))))
