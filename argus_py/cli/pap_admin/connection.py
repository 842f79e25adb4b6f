"""How pap-admin reaches the PAP: the URL, the properties file of the site, TLS in both directions.

BETTER: the host name of the PAP is checked against its certificate; the Java client takes any host of any CA.
"""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from argus_py.cli.pap_admin.arguments import Arguments, ParseError
from argus_py.cli.pap_admin.credentials import Credential, User
from argus_py.clients.pap_rest import BASE_PATH, PapRest
from argus_py.clients.transport import ClientCredential, ClientTls
from argus_py.errors import ConfigurationError
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors

DEFAULT_TRUST_DIR: Final = "/etc/grid-security/certificates"
DEFAULT_CONFIGURATION: Final = "/etc/argus/pap"
TIMEOUT_SECONDS: Final = 60.0  # COMPAT: that of the Java client
_SOAP_ROOT: Final = "/pap/services/"


def endpoint(arguments: Arguments, properties: dict[str, str]) -> str:
    """The URL of the REST interface. ``--url`` may also be the one of the Java client, the root of the SOAP services.

    Raises ParseError.
    """
    url = arguments.get("url")
    if url is not None:
        return _checked(url.removesuffix(_SOAP_ROOT) + BASE_PATH if url.endswith(_SOAP_ROOT) else url.rstrip("/") + "/")
    host = arguments.get("host") or properties.get("host") or "localhost"
    port = arguments.get("port") or properties.get("port") or "8150"
    if not (port.isascii() and port.isdigit()):
        raise ParseError(f'Invalid port number "{port}" (option -p, --port)')
    return _checked(f"https://{host}:{port}{BASE_PATH}")


def _checked(url: str) -> str:
    try:
        httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ParseError(f'Invalid URL "{url}": {error}') from error
    return url


def read_properties(user: User) -> dict[str, str]:
    """``host`` and ``port`` of pap-admin.properties, if there is such a file."""
    home = user.environment.get("PAP_HOME")
    folder = Path(home) / "conf" if home else Path(DEFAULT_CONFIGURATION)
    try:
        lines = (folder / "pap-admin.properties").read_text("latin-1").splitlines()  # the encoding of Java properties
    except OSError:
        return {}  # COMPAT: the file is optional
    pairs = (line.partition("=") for line in lines if line.strip() and line.lstrip()[0] not in "#!")
    return {key.strip(): value.strip() for key, _, value in pairs}


def connect(url: str, credential: Credential, trust_dir: Path) -> PapRest:
    """Raises ConfigurationError, Unavailable: certificate, key or trust anchors cannot be used."""
    trust = Snapshot("trust anchors", lambda: load_trust_anchors(trust_dir), _now)
    trust.refresh()
    password = ask_passphrase(credential.key, getpass.getpass)
    tls = ClientTls(ClientCredential(credential.certificate, credential.key, password), trust, _now)
    return PapRest(httpx.Client(base_url=url, verify=tls.context(), timeout=TIMEOUT_SECONDS, trust_env=False))


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
    return ask(f"Please enter the passphrase for the private key file {key}: ") if encrypted else None


def _now() -> datetime:
    return datetime.now(UTC)
