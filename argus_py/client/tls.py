"""The TLS side of a question: whom we trust, and which certificate we show.

Worker nodes show the proxy of the pilot (``implicit`` in the words of LCMAPS), services their host certificate
(``explicit``), or nobody shows any (``none``). Files are read for each question, since proxies are renewed in place.

The certificate of the daemon must be for the host in the URL, and must not be on the revocation list of its CA, where
the directory of CAs has that list.
"""

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from argus_py.errors import ConfigurationError

GRID_CERTIFICATES: Final = Path("/etc/grid-security/certificates")

Judge: TypeAlias = Callable[[ssl.SSLSocket], object]
"""Looks at the daemon after the handshake and before the question is sent; raises CredentialRejected."""


class UnusableCredential(ConfigurationError):
    """Certificate and key, or the trusted CAs, cannot be used; ``file`` is the culprit."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Credential:
    """PEM files; the key may be in a file of its own, or in that of the certificates, as in a proxy file."""

    certificate: Path
    private_key: Path | None = None
    private_key_password: str | None = None

    @classmethod
    def proxy(cls, environment: Mapping[str, str] = os.environ) -> "Credential":
        """The proxy of this process: X509_USER_PROXY, else where all grid tools look for that of the user."""
        named = environment.get("X509_USER_PROXY")
        return cls(Path(named or f"/tmp/x509up_u{os.getuid()}"))  # noqa: S108


@dataclass(frozen=True, slots=True)
class Trust:
    """``ca_directory`` is hashed as OpenSSL does; with ``ca_file`` its CAs are trusted too. None: not that one."""

    ca_directory: Path | None = GRID_CERTIFICATES
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Contexts:
    """``unlisted`` is for daemons whose CA has no revocation list in the directory, and differs in nothing else."""

    listed: ssl.SSLContext
    unlisted: ssl.SSLContext
    judge: Judge | None = None

    @classmethod
    def of(cls, trust: Trust, credential: Credential | None, judge: Judge | None = None) -> "Contexts":
        """Raises UnusableCredential."""
        unlisted = _context(trust, credential)
        if trust.ca_directory is None:
            return cls(unlisted, unlisted, judge)
        listed = _context(trust, credential)
        listed.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return cls(listed, unlisted, judge)


def _context(trust: Trust, credential: Credential | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a CA below the root may be the anchor
    if trust.ca_directory is not None:
        if not trust.ca_directory.is_dir():  # OpenSSL would find out that nobody is trusted, and not why
            raise UnusableCredential(trust.ca_directory, "it is no directory of CA certificates")
        context.load_verify_locations(capath=trust.ca_directory)
    if trust.ca_file is not None:
        try:
            context.load_verify_locations(cafile=trust.ca_file)
        except OSError as error:
            raise UnusableCredential(trust.ca_file, f"no CA certificates: {error}") from error
    if credential is not None:
        password = credential.private_key_password
        try:
            # A password function keeps OpenSSL from asking on the terminal when the key is encrypted and none is given.
            context.load_cert_chain(credential.certificate, credential.private_key, password=lambda: password or "")
        except OSError as error:
            raise UnusableCredential(credential.certificate, f"no certificate with its key: {error}") from error
    return context
