"""How pap-admin reaches a PAP: by the REST interface of ours, else by the SOAP services, over one connection.

Which of them it is tells a ping: what a Java PAP answers to that is not the answer of a PAP of ours.

BETTER: the host name of the PAP is checked against its certificate; the Java client takes any host of any CA.
"""

import getpass
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from argus_py.cli.pap_admin.credentials import Credential
from argus_py.cli.pap_admin.rest import RestPap
from argus_py.cli.pap_admin.service import Difference, JavaPapCannot, PapService
from argus_py.clients.pap_rest import NotAPap, PapRest
from argus_py.clients.transport import ClientCredential, ClientTls
from argus_py.errors import ConfigurationError
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors

TIMEOUT_SECONDS: Final = 60.0  # COMPAT: that of the Java client
_PROTOCOLS: Final = {
    "TLS": None,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": None,
}


class UnusableProtocol(ConfigurationError):
    """The property ``tlsProtocol`` names a protocol that is not secure, or none."""

    def __init__(self, name: str) -> None:
        super().__init__(f"pap-admin.properties: tlsProtocol is {name!r}, and can be {', '.join(_PROTOCOLS)}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Security:
    """``protocol``: the newest that is spoken, as Java names it; None: the newest there is."""

    trust_dir: Path
    protocol: str | None = None
    check_host_name: bool = True


Told = Callable[[Difference], None]


def secured(credential: Credential, security: Security) -> httpx.HTTPTransport:
    """Connections to a PAP; the caller closes them.

    Raises ConfigurationError, Unavailable: certificate, key or trust anchors cannot be used.
    """
    trust = Snapshot("trust anchors", lambda: load_trust_anchors(security.trust_dir), _now)
    trust.refresh()
    password = ask_passphrase(credential.key, getpass.getpass)
    tls = ClientTls(
        ClientCredential(credential.certificate, credential.key, password),
        trust,
        _now,
        check_host_name=security.check_host_name,
        newest=_newest(security.protocol),
    )
    return httpx.HTTPTransport(verify=tls.context(), trust_env=False)


def service(
    services_url: str, rest_url: str | None, transport: httpx.BaseTransport, dry_run: Told | None
) -> PapService:
    """The one that the PAP has, over the connections of ``transport``; ``rest_url`` None: SOAP is spoken.

    With ``dry_run`` nothing is changed, and it gets what would be. Raises JavaPapCannot: a dry run; pap_rest's
    PapUnreachable.
    """

    def provision(as_pdp: bool) -> str:
        from argus_py.cli.pap_admin.provisioned import Provisioning  # noqa: PLC0415 - one command in need of it

        return Provisioning(services_url, transport)(as_pdp)

    if rest_url is not None:
        ours = PapRest(_client(rest_url, transport))
        try:
            ours.ping()
            return RestPap(ours, provision, dry_run)
        except NotAPap:
            pass  # the Java PAP answers that there is no such page
    if dry_run is not None:
        raise JavaPapCannot("try a change without making it")
    from argus_py.cli.pap_admin.soap import SoapPap  # noqa: PLC0415 - our own PAP is not asked by it
    from argus_py.clients.pap_soap import PapSoap  # noqa: PLC0415 - our own PAP is not asked by it

    return SoapPap(PapSoap(_client(services_url, transport)), provision)


def _client(url: str, transport: httpx.BaseTransport) -> httpx.Client:
    return httpx.Client(base_url=url, transport=transport, timeout=TIMEOUT_SECONDS, trust_env=False)


def _newest(protocol: str | None) -> ssl.TLSVersion | None:
    """Raises UnusableProtocol."""
    if protocol is None:
        return None
    if protocol not in _PROTOCOLS:
        raise UnusableProtocol(protocol)
    return _PROTOCOLS[protocol]


class KeyUnreadable(ConfigurationError):
    """The private key file ``path`` cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} ({reason})")
        self.path = path


def ask_passphrase(key: Path, ask: Callable[[str], str]) -> str | None:
    """The passphrase of a key that has one. Raises KeyUnreadable."""
    try:
        encrypted = b"ENCRYPTED" in key.read_bytes()  # in the first line of PKCS #8, in a header of the older form
    except OSError as error:
        raise KeyUnreadable(key, error.strerror or "cannot be read") from error
    if not encrypted:
        return None
    try:
        return ask(f"Please enter the passphrase for the private key file {key}: ")
    except EOFError as error:
        raise KeyUnreadable(key, "it needs a passphrase, and there is nobody to ask") from error


def _now() -> datetime:
    return datetime.now(UTC)
