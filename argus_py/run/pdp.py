"""The PDP daemon: the engine on a policy that is fetched again and again, and the daemon alone with remote PAPs."""

import logging
from datetime import timedelta
from pathlib import Path

from argus_py import __version__
from argus_py.clients.pap import HttpPolicySource
from argus_py.clients.transport import Timeouts
from argus_py.config.pdp import PdpSettings, load_pdp
from argus_py.observe import logs
from argus_py.observe.metrics import Counters
from argus_py.observe.pdp_audit import PdpAuditJournal
from argus_py.pdp.engine import Engine
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.admin import admin_port
from argus_py.run.credential import PortTls, follow_credential
from argus_py.run.parts import TrustOf, log_warnings, now, server_tls, transport, trust_state, watching
from argus_py.run.servers import Daemon, Periodic, Port
from argus_py.snapshot import Snapshot
from argus_py.web.pdp import PdpSettings as PdpAnswers
from argus_py.web.pdp import pdp_app, policy_lines
from argus_py.web.status import StatusPage, java_time
from argus_py.web.workers import Load
from argus_py.xacml.index import CompiledPolicy

_log = logging.getLogger(__name__)

RETRY = timedelta(seconds=5)  # while there is no policy, or the last one could not be fetched


def pdp_alone(file: Path, trust_of: TrustOf) -> Daemon:
    """The daemon of ``pdp.ini`` with its PAPs. Raises ConfigurationError: the file or what it names is unusable."""
    settings = load_pdp(file)
    timeout = settings.policy.connection_timeout
    calls = transport(settings.security, trust_of, Timeouts(timeout, timeout))
    source = HttpPolicySource(settings.policy.paps, settings.service.entity_id, calls, now)
    refresh = PolicyRefresh(policy_snapshot(source, now))
    refresh()
    regular = Periodic("policy", settings.policy.retention_interval, refresh)
    repair = Periodic("missing policy", RETRY, refresh.after_failure)
    return pdp(settings, refresh, (regular, repair, *follow_credential(calls)), trust_of)


def pdp(settings: PdpSettings, refresh: "PolicyRefresh", periodic: tuple[Periodic, ...], trust_of: TrustOf) -> Daemon:
    """``periodic`` keeps the policy up to date.

    Raises ConfigurationError: a file or directory that the settings name is unusable.
    """
    log_warnings(settings.warnings)
    policy = refresh.policy
    counters = Counters()
    service, security = settings.service, settings.security
    trust = trust_of(security.trust_dir, security.check_crls) if security.trust_dir is not None else None

    tls = PortTls.of(server_tls(security, trust_of))

    def details() -> list[tuple[str, str]]:
        of_trust = trust_state(trust, now()) if trust else []
        return [*policy_lines(policy), *of_trust, *tls.lines(), *logs.trouble()]

    status = StatusPage("Argus PDP", __version__, now(), counters.read, details)
    app = pdp_app(
        Engine(policy, now),
        PdpAnswers(service.entity_id),
        status=status,
        counters=counters,
        journal=PdpAuditJournal(policy),
        clock=now,
        load=Load(service.maximum_requests, service.request_queue_size),
    )
    periodic += tls.periodic
    if trust is not None:
        periodic += watching(trust, security.trust_refresh)
    return Daemon(
        Port("PDP", service.bind_address, service.port, app, tls.tls, service.connection_timeout),
        periodic,
        admin_port("PDP", service.admin, status, periodic, {"/reloadPolicy": refresh.told}),
        f"Argus PDP version {__version__}",
    )


class PolicyRefresh:
    """Fetches the policy, and says what came of it in the words that operators look for; a lasting failure once."""

    def __init__(self, policy: Snapshot[CompiledPolicy]) -> None:
        self.policy = policy
        self._told = ""

    def __call__(self) -> None:
        policy = self.policy
        if policy.refresh():
            root = policy.current.value.root
            _log.info("Loaded version %s of policy %s", root.version, root.id)
            for defect in policy.current.value.defects:
                _log.warning("%s", defect)
        failure = str(policy.last_error or "")
        if failure and failure != self._told:
            _log.error("Error refreshing policy from remote PAP, continuing to use existing policy. %s", failure)
        self._told = failure

    def after_failure(self) -> None:
        """Only if the last attempt failed."""
        if self.policy.last_error is not None:
            self()

    def told(self) -> str:
        """The same, and what came of it: the answer to the operator, for whom Java has none."""
        self()
        if self.policy.last_error is not None:
            return f"Policy NOT reloaded: {self.policy.last_error}\n"
        current = self.policy.current
        return f"Policy reloaded: {current.value.root.id}, in force since {java_time(current.loaded_at)}\n"
