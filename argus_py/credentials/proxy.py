"""Proxy certificates: the three kinds, what they say about themselves, and the rules between issuer and proxy.

An end entity whose last CN is "Proxy" counts as a legacy proxy and so cannot log in, in Java as here. Nothing treats a
limited proxy differently from a full one, except that a full one may not be issued below it.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/proxy/ProxyUtils.java; RFC 3820 sections 3 and 4
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1

from argus_py.model.dn import DistinguishedName

RFC_PROXY_CERT_INFO = "1.3.6.1.5.5.7.1.14"
DRAFT_PROXY_CERT_INFO = "1.3.6.1.4.1.3536.1.222"
_LIMITED = "1.3.6.1.4.1.3536.1.1.1.9"
_COMMON_NAME = "2.5.4.3"
_LEGACY_NAMES = {"proxy": False, "limited proxy": True}


class ProxyType(Enum):
    RFC = "RFC 3820"
    DRAFT = "draft (Globus 3)"
    LEGACY = "legacy (Globus 2)"


@dataclass(frozen=True, slots=True)
class ProxyInfo:
    """``path_length``: how many proxies may follow; None is any number."""

    type: ProxyType
    limited: bool
    path_length: int | None = None


@asn1.sequence
class _ProxyPolicy:
    language: x509.ObjectIdentifier
    policy: bytes | None


@asn1.sequence
class _RfcProxyCertInfo:
    path_length: int | None
    policy: _ProxyPolicy


@asn1.sequence
class _DraftProxyCertInfo:
    policy: _ProxyPolicy
    path_length: Annotated[int | None, asn1.Explicit(1)]


def read_rfc_info(encoded: bytes) -> ProxyInfo:
    """The value of the RFC 3820 extension. Raises ValueError: not DER, or a negative length."""
    return _info(ProxyType.RFC, asn1.decode_der(_RfcProxyCertInfo, encoded))


def read_draft_info(encoded: bytes) -> ProxyInfo:
    """The value of the extension of Globus 3: other order, tagged length. Raises ValueError: as above."""
    return _info(ProxyType.DRAFT, asn1.decode_der(_DraftProxyCertInfo, encoded))


def legacy_info(subject: DistinguishedName) -> ProxyInfo | None:
    """A legacy proxy is one by its name: the last RDN is a single CN, "proxy" or "limited proxy" in any case."""
    match subject.rdns[-1:]:
        case ((attribute,),) if attribute.type == _COMMON_NAME and attribute.value.lower() in _LEGACY_NAMES:
            return ProxyInfo(ProxyType.LEGACY, _LEGACY_NAMES[attribute.value.lower()])
    return None


def _info(type_: ProxyType, info: _RfcProxyCertInfo | _DraftProxyCertInfo) -> ProxyInfo:
    if info.path_length is not None and info.path_length < 0:
        raise ValueError(f"path length {info.path_length}")
    return ProxyInfo(type_, info.policy.language.dotted_string == _LIMITED, info.path_length)
