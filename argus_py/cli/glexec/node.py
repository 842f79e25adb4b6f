"""This machine, as the plug-ins of a policy see it. What only some policies need is loaded when they ask for it."""

import grp
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from argus_py.cli.glexec.caller import Caller, acting_as, user_named
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.store.proxy_files import read_proxy_file
from argus_py.store.site_files import check_trust_directory, read_site_file
from argus_py.store.trustdir import load_trust_anchors_above
from argus_py.worker.environment import PILOT_PROXY
from argus_py.worker.errors import ClientError
from argus_py.worker.glexec_conf import Lock
from argus_py.worker.map_file import MAX_LENGTH
from argus_py.worker.payload_proxy import MAX_OCTETS, PayloadProxy, read_payload_proxy
from argus_py.worker.ports import PepTls, User

if TYPE_CHECKING:
    from argus_py.credentials.voms import VomsTrust
    from argus_py.model.response import Response
    from argus_py.worker.pep_question import Question, Wire

ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class Pilot:
    """The caller's own proxy; ``octets`` hold its key, and go to the TLS library alone."""

    proxy: PayloadProxy
    octets: bytes


class WorkerNode:
    """A Node."""

    def __init__(
        self, caller: Caller, pilot_file: str | None, lock: Lock, now: datetime, warn: Callable[[str], None]
    ) -> None:
        """``pilot_file``: as the caller named it; ``warn`` writes a line to the log."""
        self._caller = caller
        self._pilot_file = pilot_file
        self._pilot: Pilot | None = None
        self._lock = lock
        self._now = now
        self._warn = warn

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def changes_identity(self) -> bool:
        return self._caller.changes_identity

    def user(self, name: str) -> User | None:
        return user_named(name)

    def group(self, name: str) -> int | None:
        try:
            return grp.getgrnam(name).gr_gid
        except (KeyError, ValueError):
            return None

    def group_name(self, gid: int) -> str | None:
        try:
            return grp.getgrgid(gid).gr_name
        except (KeyError, OverflowError):
            return None

    def text(self, path: str) -> str:
        octets = read_site_file(path, owners(self._caller), MAX_LENGTH)
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path} is not UTF-8 at octet {error.start}") from None

    def trust(self, directory: str, links: Sequence[Certificate]) -> TrustAnchors:
        check_trust_directory(directory)
        return load_trust_anchors_above(Path(directory), {hash_ for link in links for hash_ in link.issuer_hashes})

    def voms_trust(self, directory: str) -> "VomsTrust":
        from argus_py.store.vomsdir import load_voms_trust  # noqa: PLC0415 - policies without VOMS need none of it

        check_trust_directory(directory)
        return load_voms_trust(Path(directory))

    def lease(self, gridmapdir: str, dn: DistinguishedName, groups: Sequence[str], pool: str) -> str:
        from argus_py.cli.glexec.leases import lease  # noqa: PLC0415 - policies without pools need none of it

        return lease(gridmapdir, dn, groups, pool, warn=self._warn)

    def pilot_certificates(self) -> str | None:
        pilot = self._read_pilot()
        return None if pilot is None else pilot.proxy.certificates

    def ask(self, endpoints: Sequence[str], question: "Question", tls: PepTls, wire: "Wire") -> "Response":
        from argus_py.worker.pep_question import Wire  # noqa: PLC0415 - policies without Argus need none of it

        pilot = self._read_pilot() if tls.pilot else None
        if tls.pilot and pilot is None:
            raise ClientError(f"{PILOT_PROXY} is not set: Argus is asked with the proxy of the caller")
        proxy = None if pilot is None else pilot.octets
        if tls.ca_directory is not None:
            check_trust_directory(tls.ca_directory)
        judge = (lambda chain: self._judge(chain, tls)) if tls.check and tls.ca_file is None else None
        if wire is Wire.REST:
            from argus_py.cli.glexec import json_call  # noqa: PLC0415 - the other wire does not need it

            return json_call.ask(endpoints, question, tls, proxy=proxy, judge=judge)
        from argus_py.clients import pep_call  # noqa: PLC0415 - the other wire does not need it

        peer = pep_call.Peer(
            ca_directory=tls.ca_directory,
            ca_file=tls.ca_file,
            check=tls.check,
            certificate=tls.certificate,
            private_key=tls.private_key,
            password=tls.password,
            proxy=proxy,
            judge=judge,
        )
        return pep_call.ask(endpoints, question.request(), peer)

    def _judge(self, chain: UnverifiedChain, tls: PepTls) -> None:
        """Namespaces and revocation, which the handshake does not look at."""
        from argus_py.credentials import path  # noqa: PLC0415 - verify_proxy has loaded it already, if it was named

        assert tls.ca_directory is not None, "without a file of CAs there is a directory"
        path.verify(chain, self.trust(tls.ca_directory, chain.links), self._now)

    def _read_pilot(self) -> Pilot | None:
        if self._pilot is None and self._pilot_file is not None:
            caller = self._caller
            with acting_as(caller.identity, changes_identity=caller.changes_identity):
                octets = read_proxy_file(self._pilot_file, caller.user.uid, self._lock, MAX_OCTETS)
            proxy = read_payload_proxy(octets, self._pilot_file, self._now, key_may_be_missing=False)
            self._pilot = Pilot(proxy, octets)
        return self._pilot


def owners(caller: Caller) -> frozenset[int]:
    """Who may have written the configuration: root, and for a run that stays in the caller's account, the caller."""
    return frozenset({ROOT} if caller.changes_identity else {ROOT, caller.user.uid})
