"""Who decides for a PEP daemon: remote PDPs or the engine in this process, behind the cache; and how they are."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from argus_py.clients.changes import HttpChanges
from argus_py.clients.pdp import HttpPdp
from argus_py.clients.transport import Transport
from argus_py.config.pepd import PdpSettings
from argus_py.errors import Unavailable
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.pdp.engine import Engine
from argus_py.pdp.ports import PolicyInForce
from argus_py.pep.decision_cache import Cached
from argus_py.pep.failover import Endpoint, Failover
from argus_py.pep.ports import Call, DecisionPoint
from argus_py.run.following import Changes, Follower, propagation_lines
from argus_py.run.parts import now
from argus_py.run.servers import Steady


class Decisions:
    """The decision point of the daemon, with what its admin port and its status page need of it."""

    def __init__(
        self,
        point: DecisionPoint,
        settings: PdpSettings,
        policy_version: Callable[[], int | None] = lambda: 0,
        *,
        endpoints: Callable[[], Sequence[Endpoint]] = tuple,
        changes: Iterable[Changes] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``policy_version`` is as of ``Cached``; ``endpoints`` tells how remote PDPs are, ``changes`` their news."""
        size, ttl = settings.maximum_cached_responses, settings.cached_response_ttl
        followers = [Follower(each, self._forget, monotonic) for each in changes] if size > 0 else []
        self._followers = {follower.service: follower for follower in followers}
        self._cache = (
            Cached(point, size, ttl, monotonic, policy_version, is_reliable=self._is_reliable) if size > 0 else None
        )
        self._endpoints = endpoints
        self.steady = tuple(Steady(f"changes of {follower.service}", follower.step) for follower in followers)
        self.point: DecisionPoint = self._cache or point

    @classmethod
    def of_pdps(cls, settings: PdpSettings, entity_id: str, calls: Transport) -> "Decisions":
        """``entity_id``: how this PEP server calls itself."""
        failover = Failover({url: HttpPdp(url, entity_id, calls, now) for url in settings.urls}, time.monotonic)
        changes = [HttpChanges(url, calls) for url in dict.fromkeys(settings.urls)]
        return cls(failover, settings, endpoints=failover.endpoints, changes=changes)

    @classmethod
    def of_engine(cls, settings: PdpSettings, pdp: str, policy: PolicyInForce) -> "Decisions":
        """``pdp``: how the PDP of this process calls itself."""

        def version() -> int | None:
            try:
                in_force = policy.current
            except Unavailable:
                return None
            return None if in_force.value.asks_for_the_time else in_force.number

        return cls(LocalPdp(Engine(policy, now), pdp), settings, version)

    def clear(self) -> None:
        """Decide everything anew."""
        if self._cache is not None:
            self._cache.clear()

    def details(self) -> list[tuple[str, str]]:
        """Lines for the status page."""
        lines = [("PdpEndpoint", _state(endpoint)) for endpoint in self._endpoints()]
        lines += propagation_lines(tuple(self._followers.values()), "PdpChanges")
        if self._cache is not None:
            use = self._cache.use
            lines += [
                ("CachedDecisions", f"{use.entries} of {use.size}"),
                ("DecisionCacheHits", str(use.hits)),
                ("DecisionCacheMisses", str(use.misses)),
            ]
        return lines

    def _forget(self, _made: float | None) -> bool:
        """A PDP has another policy."""
        self.clear()
        return True

    def _is_reliable(self, responder: str | None) -> bool:
        follower = self._followers.get(responder or "")
        return follower is None or follower.is_reliable


class LocalPdp:
    """The engine in this process as a decision point."""

    def __init__(self, engine: Engine, name: str) -> None:
        """``name`` is that of the responder in the audit logs."""
        self._engine = engine
        self._name = name

    def decide(self, request: Request, call: Call) -> Response:
        response = self._engine.decide(request)
        return replace(response, trail=replace(response.trail, request_id=call.id, responder=self._name))


def _state(endpoint: Endpoint) -> str:
    if endpoint.failed is None:
        return f"{endpoint.url} up"
    return f"{endpoint.url} down, last failure {endpoint.failed.total_seconds():.0f} s ago, {endpoint.reason}"
