"""The base64 text around the Hessian bytes.

Source: argus-pep-common:src/main/java/org/glite/authz/common/util/Base64.java; argus-pep-api-c:src/util/base64.c
"""

import binascii
import string
from typing import Final

from argus_py.errors import MalformedInput

MAX_BODY: Final = 1 << 20  # octets of text; a request with a certificate chain has 4 to 20 kB

_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_NOT_IN_ALPHABET = bytes(set(range(256)) - set(_ALPHABET))
_LINE = 57  # octets, in 76 characters


class BodyTooLarge(MalformedInput):
    """A body larger than any honest message."""

    def __init__(self) -> None:
        super().__init__(f"the body has more than {MAX_BODY} octets")


def decode(body: bytes) -> bytes:
    """What the body holds; every octet outside the alphabet is dropped, padding included, and a cut last group too.

    COMPAT: C clients break lines at 64 with CR LF, Java at 76 with LF; the Java reader skips other characters, the C
    reader needs no padding.

    >>> decode(b"SGVsbG8s\\r\\nIFdvcmxk")
    b'Hello, World'

    Raises BodyTooLarge: more than MAX_BODY octets.
    """
    if len(body) > MAX_BODY:
        raise BodyTooLarge
    symbols = body.translate(None, _NOT_IN_ALPHABET)
    if len(symbols) % 4 == 1:
        symbols = symbols[:-1]  # six bits are no octet
    return binascii.a2b_base64(symbols + b"=" * (-len(symbols) % 4))


def encode(data: bytes) -> bytes:
    """Lines of 76 characters, each full line with LF and a shorter last one without, as the Java daemon writes."""
    text = binascii.b2a_base64(data, newline=False)
    width = _LINE // 3 * 4
    lines = [text[begin : begin + width] for begin in range(0, len(text), width)]
    return b"\n".join(lines) + (b"\n" if data and len(data) % _LINE == 0 else b"")
