"""The PEP daemon: its parts around a decision point, and the daemon alone with remote PDPs."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from argus_py import __version__
from argus_py.clients.pdp import HttpPdp
from argus_py.clients.transport import Timeouts
from argus_py.config.pepd import PdpSettings, PepdSettings, load_pepd
from argus_py.observe.audit import AuditJournal
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.failover import Failover
from argus_py.pep.obligations.service import ObligationService
from argus_py.pep.ports import DecisionPoint
from argus_py.run.credential import PortTls, follow_credential
from argus_py.run.information import InformationPoints
from argus_py.run.mapping import AccountMappings
from argus_py.run.parts import (
    TrustOf,
    log_warnings,
    now,
    server_tls,
    transport,
)
from argus_py.run.servers import Daemon, Port
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

_PDP_CONNECT = timedelta(seconds=5)  # TCP and TLS each: one that is switched off leaves time to ask another one
_PDP_ANSWER = timedelta(seconds=10)
_ALL_PDPS = timedelta(seconds=20)  # the C client gives up after 30 s


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
    information, mapping = InformationPoints(settings.security, trust_of), AccountMappings()
    pips = [information.point(part) for part in settings.pips]
    handlers = [mapping.handler(part) for part in settings.obligation_handlers]
    counters, journal = Counters(), AuditJournal()
    enforcer = Enforcer(pips, decisions, ObligationService(handlers), now, counters)
    service = settings.service
    tls = PortTls.of(server_tls(settings.security, trust_of))

    def details() -> list[tuple[str, str]]:
        return [*information.details(), *mapping.details(), *tls.lines()]

    status = StatusPage("Argus PEP Server", __version__, now(), counters.read, details)
    load = Load(service.maximum_requests, service.request_queue_size)
    app = pep_app(enforcer, journal, status, now, load)
    return Daemon(
        Port("PEP", service.hostname, service.port, app, tls.tls, service.connection_timeout),
        (*information.periodic, *mapping.periodic, *tls.periodic),
    )
