"""The PDP daemon: the engine on a policy that is fetched again and again, and the daemon alone with remote PAPs."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from argus_py import __version__
from argus_py.clients.changes import HttpChanges
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
from argus_py.run.following import Follower, propagation_lines
from argus_py.run.parts import TrustOf, log_warnings, now, server_tls, transport, trust_state, watching
from argus_py.run.policy import LimitedAge, PolicyRefresh
from argus_py.run.servers import Daemon, Periodic, Port, Steady
from argus_py.store.policy_file import PolicyFile
from argus_py.web.explain import explaining
from argus_py.web.pdp import PdpSettings as PdpAnswers
from argus_py.web.pdp import pdp_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load

_PAP_CONNECT = timedelta(seconds=5)
"""TCP and TLS each. BETTER: Java waits 30 seconds for a PAP that is switched off before it asks the next one."""


def pdp_alone(file: Path, trust_of: TrustOf) -> Daemon:
    """The daemon of ``pdp.ini`` with its PAPs. Raises ConfigurationError: the file or what it names is unusable."""
    settings = load_pdp(file)
    timeout = settings.policy.connection_timeout
    calls = transport(settings.security, trust_of, Timeouts(min(timeout, _PAP_CONNECT), timeout))
    source = HttpPolicySource(settings.policy.paps, settings.service.entity_id, calls, now)
    kept = PolicyFile(settings.policy.last_good_file) if settings.policy.last_good_file else None
    refresh = PolicyRefresh(
        policy_snapshot(source, now), lambda: source.used or "-", kept, digest=lambda: source.digest
    )
    refresh()
    refresh.restore()
    paps = tuple(dict.fromkeys(settings.policy.paps))
    followers = tuple(pap_follower(HttpChanges(pap, calls), refresh, source, paps) for pap in paps)
    return pdp(
        settings,
        refresh,
        (Periodic("policy", settings.policy.retention_interval, refresh), *follow_credential(calls)),
        trust_of,
        followers,
    )


def pdp(
    settings: PdpSettings,
    refresh: PolicyRefresh,
    periodic: tuple[Periodic, ...],
    trust_of: TrustOf,
    followers: tuple[Follower, ...] = (),
) -> Daemon:
    """``periodic`` and ``followers`` keep the policy up to date.

    Raises ConfigurationError: a file or directory that the settings name is unusable.
    """
    log_warnings(settings.warnings)
    counters = Counters()
    service, security = settings.service, settings.security
    trust = trust_of(security.trust_dir, security.check_crls) if security.trust_dir is not None else None

    tls = PortTls.of(server_tls(security, trust_of))

    def details() -> list[tuple[str, str]]:
        of_trust = trust_state(trust, now()) if trust else []
        of_policy = [*refresh.lines(), *propagation_lines(followers, "PapChanges")]
        return [*of_policy, *of_trust, *tls.lines(), *logs.trouble()]

    status = StatusPage("Argus PDP", __version__, now(), counters.read, details)
    engine = Engine(LimitedAge(refresh, settings.policy.maximum_age), now)
    app = pdp_app(
        engine,
        PdpAnswers(
            service.entity_id,
            settings.answers.endpoints,
            settings.answers.send_reasons,
            settings.answers.fault_without_policy,
        ),
        status=status,
        counters=counters,
        journal=PdpAuditJournal(refresh.policy),
        clock=now,
        load=Load(service.maximum_requests, service.request_queue_size),
        changes=refresh.feed,
    )
    periodic += tls.periodic
    if trust is not None:
        periodic += watching(trust, security.trust_refresh)
    return Daemon(
        Port("PDP", service.bind_address, service.port, app, tls.tls, service.connection_timeout),
        periodic,
        admin_port(
            "PDP",
            service.admin,
            status,
            periodic,
            {"/reloadPolicy": refresh.told},
            questions={"/explain": explaining(engine)},
        ),
        f"Argus PDP version {__version__}",
        (
            Steady("missing policy", refresh.retry),
            *(Steady(f"changes of {follower.service}", follower.step) for follower in followers),
        ),
        refresh.feed.close,
    )


def pap_follower(
    changes: HttpChanges, refresh: PolicyRefresh, source: HttpPolicySource, paps: Sequence[str]
) -> Follower:
    """Of one of the PAPs; they are asked for policies in this order."""
    place = paps.index(changes.service)

    def take_up(made: float | None) -> bool:
        """What the PAP has now is in force, or that of one which comes before it."""
        source.trust_again(changes.service)
        return refresh(made) and source.used in paps[: place + 1]

    def confirm() -> None:
        """The policy in force may be that of a PAP which comes after it, because it failed once in between."""
        if source.used in paps[: place + 1]:
            refresh.confirm(changes.service)
        else:
            take_up(None)

    return Follower(changes, take_up, time.monotonic, confirm)
