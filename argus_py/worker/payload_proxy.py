"""The payload's proxy as the caller handed it over: whose it is, and that it can still be used; nothing is proven.

The private key is looked at here and nowhere else: that it belongs to the leaf, by its public half.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from argus_py.credentials import chain, pem
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.delegation import PROXY_GRACE
from argus_py.credentials.moment import Moment
from argus_py.credentials.rejections import Rejection
from argus_py.model.dn import DistinguishedName
from argus_py.worker.errors import ClientError

MAX_OCTETS: Final = pem.MAX_TEXT_LENGTH
_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY-----)")


class UnusableProxy(ClientError):
    """Carries ``file`` and ``reason``."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"the proxy {file} cannot be used: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PayloadProxy:
    """``certificates``: the chain in PEM, leaf first, never with a key; ``has_key``: the file held that of the leaf."""

    chain: UnverifiedChain
    certificates: str
    has_key: bool

    @property
    def subject(self) -> DistinguishedName:
        """Of the end entity, or of the last proxy where the end entity is missing."""
        links = self.chain.links
        return next((link for link in links if link.proxy is None), links[-1]).subject


def read_payload_proxy(octets: bytes, file: str, now: datetime, *, key_may_be_missing: bool) -> PayloadProxy:
    """Raises UnusableProxy: no PEM, no chain, not valid now, no key or that of another certificate."""
    if len(octets) > MAX_OCTETS:
        raise UnusableProxy(file, f"it is longer than {MAX_OCTETS} octets")
    try:
        sent = chain.order(pem.parse_certificates_of_owner(octets.decode("latin-1")))
        _check_validity(sent, Moment.of(now))
    except Rejection as error:
        raise UnusableProxy(file, str(error)) from error
    has_key = _holds_key_of(sent.links[0], octets, file)
    if not has_key and not key_may_be_missing:
        raise UnusableProxy(file, "it holds no private key")
    text = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in sent.certificates).decode("ascii")
    return PayloadProxy(sent, text, has_key)


def _check_validity(sent: UnverifiedChain, moment: Moment) -> None:
    """Down to the end entity: CAs that may follow are for those to judge who look for an anchor."""
    for link in sent.links:
        _ = link.subject, link.issuer
        if link.proxy is None:
            link.check_valid(moment)
            return
        link.check_valid(moment, PROXY_GRACE)


def _holds_key_of(leaf: Certificate, octets: bytes, file: str) -> bool:
    begin = _KEY.search(octets)
    end = -1 if begin is None else octets.find(b"-----END " + begin[1], begin.end())
    if begin is None or end < 0:
        return False
    block = octets[begin.start() : end] + b"-----END " + begin[1]
    try:
        key = load_pem_private_key(block, None, unsafe_skip_rsa_key_validation=True)  # nothing is signed with it
    except TypeError:
        raise UnusableProxy(file, "its private key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableProxy(file, "its private key cannot be read") from None
    if key.public_key() != leaf.public_key:
        raise UnusableProxy(file, "its private key does not belong to its first certificate")
    return True
