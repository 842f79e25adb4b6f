"""PEM text to certificates, as lenient about what surrounds the blocks as canl and strict about what is in them.

Text before, between and after blocks is ignored, line ends and the number of dashes are free, header lines are skipped.
A private key refuses the whole text, unless its owner asks; no error repeats anything of the input.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/helpers/FlexiblePEMReader.java
"""

import base64
import binascii
import re
from collections.abc import Iterator

from cryptography import x509

from argus_py.credentials.certificate import load_certificate
from argus_py.credentials.rejections import UnreadableCredential

MAX_TEXT_LENGTH = 64 * 1024  # a ten-level proxy chain with several attribute certificates stays below 40 KiB
MAX_CERTIFICATES = 20  # real chains have 2 to 6

_BEGIN = re.compile(r"-{3,}BEGIN ([^-]+)-{3,}")
_END = re.compile(r"-{3,}END [^-]+-{3,}")
_CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_OWNER_LABELS = frozenset(
    {f"{kind}PRIVATE KEY" for kind in ("", "ENCRYPTED ", "RSA ", "EC ", "DSA ", "OPENSSH ")}
    | {"EC PARAMETERS", "DH PARAMETERS"}
)


def parse_certificates(text: str) -> tuple[x509.Certificate, ...]:
    """All certificates in the order they stand in; at least one.

    Raises UnreadableCredential: no PEM, a cut block, a block that is no certificate, more than the limits.
    """
    return _parse(text, skipped=frozenset())


def parse_certificates_of_owner(text: str) -> tuple[x509.Certificate, ...]:
    """The same from a file in the hands of its owner, where private keys and their parameters are skipped."""
    return _parse(text, skipped=_OWNER_LABELS)


def _parse(text: str, skipped: frozenset[str]) -> tuple[x509.Certificate, ...]:
    if len(text) > MAX_TEXT_LENGTH:
        raise _unreadable(f"{len(text)} characters of PEM; {MAX_TEXT_LENGTH} are allowed")
    certificates: list[x509.Certificate] = []
    for label, body in _blocks(text):
        if label in skipped:
            continue
        if label not in _CERTIFICATE_LABELS:
            found = "a private key" if "PRIVATE KEY" in label else "something else"
            raise _unreadable(f"Expected PEM encoded certificate but found: {found}")
        if len(certificates) == MAX_CERTIFICATES:
            raise _unreadable(f"more than {MAX_CERTIFICATES} certificates")
        certificates.append(_certificate(body))
    if not certificates:
        raise _unreadable("PEM data not found in the stream and its end was reached")
    return tuple(certificates)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Label and base64 text of each block."""
    lines = iter(text.splitlines())
    for line in lines:
        begin = _BEGIN.fullmatch(line)
        if begin is not None:
            yield begin[1], _body(lines)


def _body(lines: Iterator[str]) -> str:
    """The base64 text up to the END line, which is consumed; header lines in front are dropped."""
    body: list[str] = []
    for line in lines:
        if _END.fullmatch(line):
            if not body:
                raise _unreadable("The supplied data is not in PEM format, end line found before getting any contents.")
            return "".join(body)
        if body or ":" not in line:
            body.append(line.strip())
    raise _unreadable("The supplied data is not in PEM format, no ending line found.")


def _certificate(body: str) -> x509.Certificate:
    try:
        encoded = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        raise _unreadable("a PEM block is not base64") from None
    return load_certificate(encoded)


def _unreadable(reason: str) -> UnreadableCredential:
    return UnreadableCredential("inputError", reason)
