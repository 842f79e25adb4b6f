"""The PEP daemon: its parts around a decision point, and the daemon alone with remote PDPs."""

import random
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from argus_py import __version__
from argus_py.clients.pdp import HttpPdp
from argus_py.clients.transport import Timeouts
from argus_py.config.pepd import AccountMappingPart, GliteProfilePart, PdpSettings, PepdSettings, PipPart, load_pepd
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.errors import ConfigurationError
from argus_py.observe.audit import AuditJournal
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.failover import Failover
from argus_py.pep.mapping.map_file import MapFile
from argus_py.pep.obligations.account_mapping import AccountMapping
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.ports import DecisionPoint, Pip
from argus_py.run.credential import PortTls, follow_credential
from argus_py.run.parts import (
    TrustOf,
    log_warnings,
    material_state,
    now,
    our_names,
    refreshing,
    server_tls,
    state_of,
    transport,
    trust_state,
    voms_trust,
    watching,
)
from argus_py.run.servers import Daemon, Periodic, Port
from argus_py.snapshot import Snapshot
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.mapfiles import load_map_file
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

_PDP_CONNECT = timedelta(seconds=5)  # TCP and TLS each: one that is switched off leaves time to ask another one
_PDP_ANSWER = timedelta(seconds=10)
_ALL_PDPS = timedelta(seconds=20)  # the C client gives up after 30 s
_SHOWN_WARNINGS = 20  # of each map file on the status page; the log has all


def pep_alone(file: Path, trust_of: TrustOf) -> Daemon:
    """The daemon of ``pepd.ini`` with its PDPs. Raises ConfigurationError: the file or what it names is unusable."""
    settings = load_pepd(file)
    calls = transport(settings.security, trust_of, pdp_timeouts(settings.pdp))
    pdps = {url: HttpPdp(url, settings.service.entity_id, calls, now) for url in settings.pdp.urls}
    daemon = pep(settings, Failover(pdps, time.monotonic, _ALL_PDPS), trust_of)
    return replace(daemon, periodic=(*daemon.periodic, *follow_credential(calls)))


def pdp_timeouts(settings: PdpSettings) -> Timeouts:
    """BETTER: never so long that the deadline for all PDPs has passed when the first one is given up."""
    return Timeouts(min(settings.connection_timeout, _PDP_CONNECT), _PDP_ANSWER)


def pep(settings: PepdSettings, decisions: DecisionPoint, trust_of: TrustOf) -> Daemon:
    """Raises ConfigurationError: a file or directory that the settings name is unusable."""
    log_warnings(settings.warnings)
    parts = _Parts(settings, trust_of)
    pips = [parts.pip(part) for part in settings.pips]
    handlers = [parts.handler(part) for part in settings.obligation_handlers]
    counters, journal = Counters(), AuditJournal()
    enforcer = Enforcer(pips, decisions, ObligationService(handlers), now, counters)
    service = settings.service
    tls = PortTls.of(server_tls(settings.security, trust_of))
    status = StatusPage("Argus PEP Server", __version__, now(), counters.read, lambda: parts.details() + tls.lines())
    load = Load(service.maximum_requests, service.request_queue_size)
    app = pep_app(enforcer, journal, status, now, load)
    return Daemon(
        Port("PEP", service.hostname, service.port, app, tls.tls, service.connection_timeout),
        (*parts.periodic, *tls.periodic),
    )


class _Parts:
    """Makes PIPs and handlers from their sections; keeps what has to be refreshed and shown for them."""

    def __init__(self, settings: PepdSettings, trust_of: TrustOf) -> None:
        self.periodic: list[Periodic] = []
        self._trust: Snapshot[TrustAnchors] | None = None
        self._vomsdirs: dict[Path, Snapshot[VomsTrust]] = {}
        self._map_files: list[Snapshot[MapFile]] = []
        security = settings.security
        if security.trust_dir is not None:
            self._trust = trust_of(security.trust_dir, security.check_crls)
            self.periodic += watching(self._trust, security.trust_refresh)

    def pip(self, part: PipPart) -> Pip:
        if not isinstance(part, GliteProfilePart):
            return part
        if self._trust is None:
            raise ConfigurationError("Policy information point trust material may not be null")
        return GliteProfile(part.settings, self._trust, self._voms(part), our_names())

    def _voms(self, part: GliteProfilePart) -> Snapshot[VomsTrust] | None:
        if part.voms_dir is None:
            return None
        if part.voms_dir not in self._vomsdirs:
            snapshot = self._vomsdirs[part.voms_dir] = voms_trust(part.voms_dir)
            self.periodic += watching(snapshot, part.voms_refresh)
        return self._vomsdirs[part.voms_dir]

    def handler(self, part: AccountMappingPart) -> AccountMapping:
        accounts, groups = (load_map_file(file, now) for file in (part.account_map_file, part.group_map_file))
        self.periodic += (refreshing(each, part.refresh_period) for each in (accounts, groups))
        self._map_files += (accounts, groups)
        leases = GridMapDir(part.grid_map_dir, random.SystemRandom())
        return AccountMapping(part.name, part.settings, accounts, groups, leases)

    def details(self) -> list[tuple[str, str]]:
        lines = trust_state(self._trust, now()) if self._trust else []
        for vomsdir in self._vomsdirs.values():
            lines += material_state(vomsdir, now())
        for map_file in self._map_files:
            lines += state_of(map_file, map_file.current.value.warnings[:_SHOWN_WARNINGS])
        return lines
