"""Just enough DER for what ``cryptography.hazmat.asn1`` refuses: names as the field wrote them, and nested choices.

That module insists on sorted SETs and known string types; certificates with neither exist and are valid in Java.
Lengths are definite and minimal, tags are single octets.
"""

MAX_OBJECT_IDENTIFIER = 63  # octets, as ``cryptography`` allows; those in use have at most some twenty

BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE, SET = 0x03, 0x04, 0x06, 0x30, 0x31


class DerError(ValueError):
    """Octets that are not DER; turned into a typed rejection by whoever knows whose they are."""


def elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The encodings that follow one another in ``data``: tag, content, the whole encoding.

    >>> elements(bytes.fromhex("0c0161 0500"))
    [(12, b'a', b'\\x0c\\x01a'), (5, b'', b'\\x05\\x00')]

    Raises DerError: truncated, trailing octets, indefinite or wasteful length, long tag.
    """
    found = []
    position, end = 0, len(data)
    while position < end:
        if end - position < 2:
            raise DerError("an element is cut off")
        tag, length, start = data[position], data[position + 1], position + 2
        if tag & 0x1F == 0x1F:
            raise DerError("a tag of more than one octet")
        if length & 0x80:
            octets = data[start : start + (length & 0x7F)]
            start += len(octets)
            length = int.from_bytes(octets)
            if len(octets) > 4 or length < 0x80 or octets[0] == 0 or len(octets) != data[position + 1] & 0x7F:
                raise DerError("a length that is not DER")
        if length > end - start:
            raise DerError("an element is cut off")
        found.append((tag, data[start : start + length], data[position : start + length]))
        position = start + length
    return found


def content(data: bytes, tag: int) -> bytes:
    """The content of the only encoding in ``data``, which must have this tag. Raises DerError."""
    match elements(data):
        case [(found, octets, _)] if found == tag:
            return octets
    raise DerError(f"not exactly one element with tag {tag:#04x}")


def encode(tag: int, octets: bytes) -> bytes:
    """One element; the inverse of ``content``."""
    if len(octets) < 0x80:
        return bytes((tag, len(octets))) + octets
    length = len(octets).to_bytes((len(octets).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + octets


def object_identifier(octets: bytes) -> str:
    """The dotted text of the content of an OBJECT IDENTIFIER.

    >>> object_identifier(bytes.fromhex("550403"))
    '2.5.4.3'

    Raises DerError: empty, cut off, an arc with leading zeros, or longer than the limit.
    """
    if len(octets) > MAX_OBJECT_IDENTIFIER:
        raise DerError(f"an object identifier of {len(octets)} octets; {MAX_OBJECT_IDENTIFIER} are allowed")
    if not octets or octets[-1] & 0x80:
        raise DerError("an object identifier is cut off")
    arcs: list[int] = []
    arc, fresh = 0, True
    for octet in octets:
        if fresh and octet == 0x80:
            raise DerError("an object identifier is not minimal")
        arc, fresh = arc << 7 | octet & 0x7F, not octet & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
