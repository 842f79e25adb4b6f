"""What TLS contexts and connections take from this package and give to it, the same for servers and clients.

The ``ssl`` objects are arguments and typed by what is used of them: nothing here opens a connection, and whoever passes
a context decides that its files are read.
"""

import _ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError


class Context(Protocol):
    """``ssl.SSLContext``."""

    def load_cert_chain(self, certfile: Path, keyfile: Path, password: Callable[[], str]) -> None: ...

    def load_verify_locations(self, *, cadata: bytes) -> None: ...


def load_key_pair(context: Context, certificate: Path, private_key: Path, password: str | None) -> None:
    """Show this certificate to peers; both files are PEM and may be the same one.

    Raises ConfigurationError: they cannot be read, do not belong together, or the password is missing or wrong.
    """
    try:
        # A password function keeps OpenSSL from asking on the terminal when the key is encrypted and none is given.
        context.load_cert_chain(certificate, private_key, password=lambda: password or "")
    except OSError as error:  # ssl.SSLError is one
        pair = f"{certificate} with {private_key}"
        raise ConfigurationError(f"Unable to read service credential information: {pair}: {error}") from error


def add_anchors(context: Context, trust: TrustAnchors) -> None:
    """Let handshakes accept what these anchors have issued, beside those added before; doubles do no harm."""
    anchors = b"".join(anchor.public_bytes(Encoding.DER) for anchor in trust.certificates())
    if anchors:
        context.load_verify_locations(cadata=anchors)


def sent_chain(connection: Any) -> UnverifiedChain:
    """What the peer of an ``ssl.SSLObject`` or ``ssl.SSLSocket`` has sent, leaf first.

    ``getpeercert`` gives the leaf only, and the chain that OpenSSL verified has its own additions. The method called
    here is public from Python 3.13 on. Raises UnreadableCredential: no certificate, too many, or one that is none.
    """
    certificates = connection._sslobj.get_unverified_chain() or ()
    return UnverifiedChain.from_der(certificate.public_bytes(_ssl.ENCODING_DER) for certificate in certificates)
