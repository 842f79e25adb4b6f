"""A PEP daemon whose PDP is in the same process, with the policy of 1,000 resources, and caches as wanted.

Usage: python -m benchmarks.pep_port DIRECTORY DECISIONS [--anew]

``DIRECTORY`` is laid out like /etc/argus; ``DECISIONS`` are kept at most. With ``--anew`` the trust material is another
one for each request, so that no chain is known from before.
"""

import itertools
import logging
import sys
from dataclasses import replace
from pathlib import Path

from argus_py.config.pepd import load_pepd
from argus_py.credentials.trust import TrustAnchors
from argus_py.observe import logs
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.decisions import Decisions
from argus_py.run.parts import now, trust_anchors
from argus_py.run.pep import pep
from argus_py.run.servers import Servers
from argus_py.snapshot import Snapshot, Version
from argus_py.xacml.policy import PolicySet
from benchmarks.policies import policy_tree, thousand_resources


class Restless(Snapshot[TrustAnchors]):
    """Says that it has changed whenever it is asked."""

    _numbers = itertools.count(1)

    @property
    def current(self) -> Version[TrustAnchors]:
        return replace(super().current, number=next(self._numbers))


class Policy:
    """A source that has always the same."""

    def __init__(self) -> None:
        self._tree = policy_tree(thousand_resources())

    def fetch(self) -> PolicySet:
        return self._tree


def restless(directory: Path, _check_crls: bool) -> Snapshot[TrustAnchors]:
    loaded = trust_anchors(directory).current.value
    snapshot = Restless("trust directory", lambda: loaded, now)
    snapshot.refresh()
    return snapshot


def main(directory: Path, decisions: int, anew: bool) -> None:
    log = directory / f"log-{decisions}-{anew}"
    log.mkdir()
    logs.configure(log, logging.INFO)
    settings = load_pepd(directory / "pepd" / "pepd.ini")
    kept = replace(settings.pdp, maximum_cached_responses=decisions)
    policy = policy_snapshot(Policy(), now)
    policy.refresh()
    daemon = pep(settings, Decisions.of_engine(kept, "PDP", policy), (), restless if anew else trust_anchors)
    servers = Servers([replace(daemon, admin=None)])
    servers.run(lambda: print(f"PEP {servers.urls['PEP']}", flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), anew="--anew" in sys.argv[3:])
