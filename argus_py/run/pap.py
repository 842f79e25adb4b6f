"""The PAP daemon on its database."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from starlette.types import Scope

from argus_py import __version__
from argus_py.config.files import read_text
from argus_py.config.pap import PapSettings, load_pap
from argus_py.credentials import voms
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes, VomsTrust
from argus_py.errors import ConfigurationError, Unavailable
from argus_py.model.fqan import Fqan, FqanSyntaxError
from argus_py.pap.access import StoredAcl
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import Acl, Act, Admin, Gate, parse_acl
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.provisioning import Provisioning
from argus_py.pap.take_up import AUTHORIZATION_FILE, take_up_acl, take_up_paps
from argus_py.pap.use_cases import UseCases
from argus_py.run.admin import stop_process
from argus_py.run.credential import PortTls
from argus_py.run.federation import Federation, remote_peers
from argus_py.run.parts import (
    TrustOf,
    log_warnings,
    material_state,
    now,
    our_names,
    trust_state,
    voms_trust,
    watching,
)
from argus_py.run.servers import Daemon, Periodic, Port, Steady
from argus_py.snapshot import Snapshot
from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings, parse_mappings
from argus_py.store.sql.engine import open_policies
from argus_py.store.sql.repository import SqlPolicies
from argus_py.web.changes import ChangeFeed, changes_route
from argus_py.web.pap import PapStatus, pap_app
from argus_py.web.pap_loopback import loopback_app
from argus_py.web.pap_rest import pap_rest
from argus_py.web.pap_services import Callers as SoapCallers
from argus_py.web.pap_services import management_routes
from argus_py.web.pap_soap import PapSoapSettings, pap_services
from argus_py.web.tls import NoClientCertificate, ServerTls, TlsSettings, peer_chain
from argus_py.web.workers import Load

_log = logging.getLogger(__name__)
FOREIGN_CHANGES = timedelta(seconds=0.5)  # between looks for changes that another process makes to the database
MAPPINGS_FILE = "attribute-mappings.ini"
CHANGED_FILES = timedelta(seconds=10)
_LOOPBACK = "127.0.0.1"
_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  # COMPAT: hostname stands in URLs only


@dataclass(frozen=True, slots=True)
class PapFiles:
    """What stands in the configuration folder of a PAP; ``file`` is pap_configuration.ini."""

    file: Path
    settings: PapSettings
    acl: Acl
    mappings: AttributeMappings

    @classmethod
    def load(cls, file: Path) -> "PapFiles":
        """``file`` is pap_configuration.ini; the others stand beside it.

        Raises ConfigurationError: one of them cannot be used; only attribute-mappings.ini may be missing.
        """
        folder = file.parent
        authorization, mappings = folder / AUTHORIZATION_FILE, folder / MAPPINGS_FILE
        return cls(
            file,
            load_pap(file, home=folder.parent),
            parse_acl(read_text(authorization), str(authorization)),
            parse_mappings(read_text(mappings), str(mappings)) if mappings.exists() else DEFAULT_MAPPINGS,
        )


def pap_alone(file: Path, trust_of: TrustOf) -> Daemon:
    """The daemon of ``pap_configuration.ini``. Raises ConfigurationError: the file or what it names is unusable."""
    files = PapFiles.load(file)
    return pap(files, open_policies(files.settings.database), trust_of)


def pap(files: PapFiles, repository: SqlPolicies, trust_of: TrustOf) -> Daemon:
    """Raises ConfigurationError: a file or directory that the settings name is unusable."""
    settings = files.settings
    log_warnings(settings.warnings)
    ensure_default_pap(repository, new_id)
    take_up(files, repository)
    gate = Gate(StoredAcl(repository))
    trust = trust_of(settings.trust_dir, True)
    vomsdir = voms_trust(settings.voms_dir) if settings.voms_dir.is_dir() else None
    callers = Callers(trust, vomsdir)
    admins = SoapCallers(callers.of, gate)

    def permit(scope: Scope, act: Act) -> None:
        gate.admit(callers.of(scope), act)

    def permit_listener(scope: Scope) -> None:
        permit(scope, Act.FETCH_AS_PAP)  # what a PDP needs comprises it

    federation = Federation(repository, remote_peers(settings, trust), settings.maximum_copy_age)
    use_cases = UseCases.of(repository, gate, files.mappings, new_id, federation.refresh)
    load = Load(settings.maximum_connections)
    services = pap_services(
        Provisioning(repository),
        permit,
        PapSoapSettings(settings.entity_id, settings.hostname),
        clock=now,
        load=load,
        others=management_routes(use_cases, admins, settings.hostname, load),
    )
    rest = pap_rest(use_cases, admins, files.mappings)
    tls = PortTls.of(ServerTls(TlsSettings(settings.certificate, settings.private_key), trust, now))

    def details() -> list[tuple[str, str]]:
        of_vomsdir = material_state(vomsdir, now()) if vomsdir else []
        return [*federation.lines(), *trust_state(trust, now()), *of_vomsdir, *tls.lines()]

    def on_stop() -> None:
        federation.close()
        feed.close()

    feed = ChangeFeed(time.monotonic)
    watch = PolicyWatch(repository, feed)
    watch()
    repository.on_commit(watch)
    status = PapStatus(repository, __version__, now(), details)
    app = pap_app(rest, services, status, changes_route(feed, permit_listener))
    foreign_changes = Periodic("changes by other processes", FOREIGN_CHANGES, watch)
    changed_files = Periodic("configuration files", CHANGED_FILES, FilesWatch(files, repository))
    periodic = (foreign_changes, changed_files, *watching(trust, settings.trust_refresh), *tls.periodic)
    if vomsdir is not None:
        periodic += watching(vomsdir, settings.trust_refresh)
    port = Port("PAP", _ALL_ADDRESSES, settings.port, app, tls.tls)
    admin = loopback_port(settings, status) if settings.shutdown_port is not None else None
    steady = (Steady("remote paps", federation.step),)
    return Daemon(port, periodic, admin, f"Argus PAP version {__version__}", steady, on_stop)


def loopback_port(settings: PapSettings, status: PapStatus) -> Port:
    """For probes and papctl on the same host; without a certificate."""
    app = loopback_app(status.response, stop_process, settings.shutdown_command)
    return Port("PAP-admin", _LOOPBACK, settings.shutdown_port or 0, app, tls=None)


def take_up(files: PapFiles, repository: PolicyRepository) -> None:
    """What the files say of paps and permissions, if it is something new."""
    for told in take_up_paps(repository, files.settings.paps, new_id):
        _log.warning("%s: %s", files.file, told)
    take_up_acl(repository, files.acl)


class FilesWatch:
    """Takes up the files of a PAP that have changed while it runs; settings of the daemon itself wait for a start.

    INVARIANT: what is taken up is a change of our own files, not that the store has something else. Another daemon on
    the same store may have other files.
    """

    def __init__(self, files: PapFiles, repository: PolicyRepository) -> None:
        """``files``: those that are taken up."""
        self._files = files
        self._repository = repository
        self._told = ""

    def __call__(self) -> None:
        """Never raises; what is wrong is told once, and the paps and permissions there are stay."""
        problem = ""
        try:
            files = PapFiles.load(self._files.file)
            if files != self._files:
                take_up(files, self._repository)
                self._files = files
        except (ConfigurationError, Unavailable) as error:
            problem = str(error)
        if problem and problem != self._told:
            _log.error("%s is not taken up: %s", self._files.file, problem)
        self._told = problem


class PolicyWatch:
    """Announces the state of a repository: after changes of this process at once, after those of others when called."""

    def __init__(
        self,
        repository: PolicyRepository,
        feed: ChangeFeed,
        clock: Callable[[], datetime] = now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._feed = feed
        self._clock = clock
        self._monotonic = monotonic
        self._one_at_a_time = threading.Lock()  # or a state could be announced after the one that came after it
        self._revision: int | None = None
        self._told = False

    def __call__(self) -> None:
        """Never raises; a repository that cannot be reached is told once."""
        with self._one_at_a_time:
            try:
                self._look()
            except Unavailable as error:
                if not self._told:
                    _log.error("changes of the policy are not seen: %s", error)
                self._told = True
                self._revision = None
                self._feed.lose_sight()
            else:
                self._told = False

    def _look(self) -> None:
        if self._repository.revision() == self._revision:
            return
        with self._repository.read() as reader:
            revision, changed_at = reader.revision, reader.changed_at
        age = max(self._clock() - changed_at, timedelta())
        # The time beside the revision: a restored backup counts on from a number that was there before.
        state = f"{revision}-{int(changed_at.timestamp() * 1000)}"
        self._feed.announce(state, self._monotonic() - age.total_seconds())
        self._revision = revision


def new_id() -> str:
    return str(uuid.uuid4())


class Callers:
    """Who is on the other side of a connection: the name of the end entity, and the FQANs that its proxy proves."""

    def __init__(self, trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust] | None) -> None:
        self._trust = trust
        self._voms_trust = voms_trust

    def of(self, scope: Scope) -> Admin:
        """An attribute certificate that is refused proves nothing and does no harm.

        Raises NoClientCertificate: nobody is known there.
        """
        chain = peer_chain(scope)
        if chain is None:
            raise NoClientCertificate("this service needs a client certificate")
        return Admin(chain.subject, tuple(self._fqans(chain)))

    def _fqans(self, chain: VerifiedChain) -> Iterator[Fqan]:
        if self._voms_trust is None:
            return
        trust, voms_trust = self._trust.current.value, self._voms_trust.current.value
        for verdict in voms.examine(chain, voms_trust, trust, now(), our_names()):
            if not isinstance(verdict, VomsAttributes):
                _log.warning("attribute certificate of %s refused: %s", chain.subject.readable(), verdict)
                continue
            for text in verdict.fqans:
                with suppress(FqanSyntaxError):  # no entry of the ACL can be meant by it
                    yield Fqan.parse(text)
