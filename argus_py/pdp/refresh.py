"""From a policy source to the policy in force. Timers and reloads by hand call ``refresh`` of the snapshot.

BETTER: a policy that cannot be used leaves the one before in force, and says why; so does an unreachable PAP.
"""

from collections.abc import Callable
from datetime import datetime

from argus_py.pdp.ports import PolicySource
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.making_room import give_memory_back, no_collections


def policy_snapshot(source: PolicySource, clock: Callable[[], datetime]) -> Snapshot[CompiledPolicy]:
    """Nothing is fetched before its first ``refresh``; a policy equal to the one in force is not a new version."""
    return Snapshot("policy", _Loader(source), clock)


class _Loader:
    """Compiles what it fetches, unless it is what it compiled last: a refresh that finds nothing new costs little."""

    def __init__(self, source: PolicySource) -> None:
        self._source = source
        self._last: CompiledPolicy | None = None

    def __call__(self) -> CompiledPolicy:
        with no_collections():
            root = self._source.fetch()
            if self._last is None or self._last.root is not root:
                give_memory_back()  # it has been read from XML
                if self._last is None or self._last.root != root:
                    self._last = compile_policy(root, self._last.sought if self._last else {})
        return self._last
