"""The PEP daemon: its parts around a decision point, and the daemon alone with remote PDPs."""

import time
from datetime import timedelta
from pathlib import Path

from argus_py import __version__
from argus_py.clients.transport import Timeouts
from argus_py.config.pepd import PdpSettings, PepdSettings, load_pepd
from argus_py.observe import logs
from argus_py.observe.audit import AuditJournal
from argus_py.observe.metrics import Counters
from argus_py.pep.enforcer import Enforcer
from argus_py.pep.obligations.service import ObligationService
from argus_py.run.admin import admin_port
from argus_py.run.credential import PortTls, follow_credential
from argus_py.run.decisions import Decisions
from argus_py.run.information import InformationPoints
from argus_py.run.mapping import AccountMappings
from argus_py.run.parts import (
    TrustOf,
    log_warnings,
    now,
    server_tls,
    transport,
)
from argus_py.run.servers import Daemon, Periodic, Port
from argus_py.web.pep import pep_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

_PDP_CONNECT = timedelta(seconds=5)  # TCP and TLS each: one that is switched off leaves time to ask another one
_PDP_ANSWER = timedelta(seconds=10)


def pep_alone(file: Path, trust_of: TrustOf) -> Daemon:
    """The daemon of ``pepd.ini`` with its PDPs. Raises ConfigurationError: the file or what it names is unusable."""
    settings = load_pepd(file)
    calls = transport(settings.security, trust_of, pdp_timeouts(settings.pdp))
    decisions = Decisions.of_pdps(settings.pdp, settings.service.entity_id, calls)
    return pep(settings, decisions, follow_credential(calls), trust_of)


def pdp_timeouts(settings: PdpSettings) -> Timeouts:
    """BETTER: never so long that the client has given up when the first one is."""
    return Timeouts(min(settings.connection_timeout, _PDP_CONNECT), _PDP_ANSWER)


def pep(settings: PepdSettings, decisions: Decisions, periodic: tuple[Periodic, ...], trust_of: TrustOf) -> Daemon:
    """``periodic`` keeps the decisions up to date.

    Raises ConfigurationError: a file or directory that the settings name is unusable.
    """
    log_warnings(settings.warnings)
    information, mapping = InformationPoints(settings.security, trust_of), AccountMappings()
    pips = [information.point(part) for part in settings.pips]
    handlers = [mapping.handler(part) for part in settings.obligation_handlers]
    counters, journal = Counters(), AuditJournal()
    enforcer = Enforcer(pips, decisions.point, ObligationService(handlers), now, counters, monotonic=time.monotonic)
    service = settings.service
    tls = PortTls.of(server_tls(settings.security, trust_of))

    def details() -> list[tuple[str, str]]:
        return [
            *decisions.details(),
            *information.details(),
            *mapping.details(),
            *tls.lines(),
            *logs.trouble(),
        ]

    status = StatusPage("Argus PEP Server", __version__, now(), counters.read, details)
    load = Load(service.maximum_requests, service.request_queue_size)
    app = pep_app(enforcer, journal, status, now, load, monotonic=time.monotonic, names=mapping.names)
    periodic += (*information.periodic, *mapping.periodic, *tls.periodic)
    return Daemon(
        Port("PEP", service.bind_address, service.port, app, tls.tls, service.connection_timeout),
        periodic,
        admin_port("PEP", service.admin, status, periodic, {"/clearResponseCache": decisions.clear}),
        f"Argus PEP Server version {__version__}",
        decisions.steady,
    )
