"""Name constraints of a CA (RFC 5280 section 4.2.1.10): which names may stand below it.

Directory names, DNS names, e-mail addresses and IP addresses are compared; a constraint on any other form of name
refuses every certificate that carries a name of that form, as the RFC demands of who does not implement it.
"""

from typing import Annotated

from cryptography.hazmat import asn1

from argus_py.credentials import certificate as extensions
from argus_py.credentials import der, names
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.der import DerError
from argus_py.credentials.general_name import DIRECTORY, DNS, EMAIL, IP, GeneralName, read_general_names
from argus_py.credentials.rejections import NameConstraintViolation, UnreadableCredential
from argus_py.model.dn import DistinguishedName

_EMAIL_ATTRIBUTE = "1.2.840.113549.1.9.1"


@asn1.sequence
class _GeneralSubtree:
    base: asn1.TLV
    minimum: Annotated[int | None, asn1.Implicit(0)]
    maximum: Annotated[int | None, asn1.Implicit(1)]


@asn1.sequence
class _NameConstraints:
    permitted: Annotated[list[_GeneralSubtree] | None, asn1.Implicit(0)]
    excluded: Annotated[list[_GeneralSubtree] | None, asn1.Implicit(1)]


def check(certificate: Certificate, issuer: Certificate) -> None:
    """Compare the names of a certificate with the constraints of one CA above it.

    Raises NameConstraintViolation: a name is excluded or not permitted; UnreadableCredential: constraints or
    subjectAltName cannot be read.
    """
    extension = issuer.extensions.get(extensions.NAME_CONSTRAINTS)
    if extension is None:
        return
    try:
        constraints = asn1.decode_der(_NameConstraints, extension.value)
        permitted = [_base(subtree) for subtree in constraints.permitted or ()]
        excluded = [_base(subtree) for subtree in constraints.excluded or ()]
    except ValueError as error:
        raise UnreadableCredential("ncExtError", f"nameConstraints: {error}", issuer.subject) from error
    try:
        carried = _names(certificate)
        for name in carried:
            _check_name(name, permitted, excluded, certificate, issuer)
    except DerError as error:
        raise UnreadableCredential("inputError", f"subjectAltName: {error}", certificate.subject) from error


def _check_name(
    name: GeneralName,
    permitted: list[GeneralName],
    excluded: list[GeneralName],
    certificate: Certificate,
    issuer: Certificate,
) -> None:
    """A name that cannot be compared counts as excluded, and as not permitted."""
    by = f"by the name constraints of {issuer.subject.readable()}"
    for subtree in excluded:
        if subtree.tag == name.tag and _is_below(name, subtree) is not False:
            raise NameConstraintViolation("excludedDN", f"{name} is excluded {by}", certificate.subject)
    relevant = [subtree for subtree in permitted if subtree.tag == name.tag]
    if relevant and not any(_is_below(name, subtree) for subtree in relevant):
        raise NameConstraintViolation("notPermittedDN", f"{name} is not permitted {by}", certificate.subject)


def _base(subtree: _GeneralSubtree) -> GeneralName:
    if subtree.minimum or subtree.maximum is not None:
        raise DerError("minimum and maximum are not supported")  # the RFC forbids them
    ((tag, value, _),) = der.elements(asn1.encode_der(subtree.base))
    return GeneralName(tag, value)


def _names(certificate: Certificate) -> list[GeneralName]:
    """The subject, e-mail addresses in it, and the subjectAltName."""
    subject = certificate.subject
    found = [GeneralName(DIRECTORY, certificate.subject_der)] if subject.rdns else []
    alternative = certificate.extensions.get(extensions.SUBJECT_ALT_NAME)
    if alternative is not None:
        found += read_general_names(alternative.value)
    found += [
        GeneralName(EMAIL, attribute.value.encode())
        for rdn in subject.rdns
        for attribute in rdn
        if attribute.type == _EMAIL_ATTRIBUTE
    ]
    return found


def _is_below(name: GeneralName, subtree: GeneralName) -> bool | None:
    """None if this form of name cannot be compared."""
    if name.tag == DIRECTORY:
        return _is_below_name(names.read_name(name.value), names.read_name(subtree.value))
    if name.tag == DNS:
        return _is_below_domain(_text(name.value), _text(subtree.value))
    if name.tag == EMAIL:
        return _is_below_mailbox(_text(name.value), _text(subtree.value))
    if name.tag == IP:
        return _is_in_network(name.value, subtree.value)
    return None


def _is_below_name(name: DistinguishedName, base: DistinguishedName) -> bool:
    """RFC 5280 section 7.3 compares DC and e-mail without regard to case, other than identities are compared."""
    return DistinguishedName(name.rdns[: len(base.rdns)]).loosely_equal(base)


def _is_below_domain(host: str, domain: str) -> bool:
    return not domain or host == domain or host.endswith("." + domain.lstrip("."))


def _is_below_mailbox(mailbox: str, constraint: str) -> bool:
    """RFC 5280: a mailbox, all mailboxes of one host, or with a leading dot those of the hosts of a domain."""
    if "@" in constraint:
        return mailbox == constraint
    host = mailbox.rpartition("@")[2]
    return host.endswith(constraint) if constraint.startswith(".") else host == constraint


def _is_in_network(address: bytes, network: bytes) -> bool | None:
    half = len(network) // 2
    if len(address) not in (4, 16) or len(network) not in (8, 32):
        return None
    if len(address) != half:
        return False
    mask = int.from_bytes(network[half:])
    return int.from_bytes(address) & mask == int.from_bytes(network[:half]) & mask


def _text(octets: bytes) -> str:
    return octets.decode("latin-1").lower()
