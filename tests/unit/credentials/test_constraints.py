from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from argus_py.credentials import constraints
from argus_py.credentials.rejections import NameConstraintViolation, UnreadableCredential

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki

DIRECTORY = "/DC=org/OU=People"
Names = list[x509.GeneralName]


def dns(value: str) -> x509.GeneralName:
    return x509.DNSName(value)


def mail(value: str) -> x509.GeneralName:
    return x509.RFC822Name(value)


@pytest.fixture
def allowed(pki: "Pki") -> Callable[[str, Names, Names | None, Names | None], bool]:
    """Whether a certificate with this subject and subjectAltName may stand below the constraints."""

    def check(subject: str, alternative: Names, permitted: Names | None, excluded: Names | None) -> bool:
        ca = pki.ca("/CN=CA", None, (x509.NameConstraints(permitted, excluded), True))
        extensions = [x509.SubjectAlternativeName(alternative)] if alternative else []
        try:
            constraints.check(pki.issue(subject, ca, *extensions).view, ca.view)
        except NameConstraintViolation:
            return False
        return True

    return check


Allowed = Callable[[str, Names, Names | None, Names | None], bool]


@pytest.mark.parametrize(
    ("subject", "below"),
    [
        ("/DC=org/OU=People/CN=A", True),
        ("/DC=org/OU=PEOPLE/CN=A", True),
        ("/DC=org/OU=People", True),
        ("/DC=org", False),
        ("/DC=org/OU=Hosts/CN=A", False),
        ("/DC=ORG/OU=People/CN=A", True),
    ],
)
def test_directory_names(pki: "Pki", allowed: Allowed, subject: str, below: bool) -> None:
    tree: Names = [x509.DirectoryName(pki.issue(DIRECTORY).certificate.subject)]
    assert allowed(subject, [], tree, None) is below
    assert allowed(subject, [], None, tree) is not below


@pytest.mark.parametrize(
    ("name", "base", "below"),
    [
        (dns("a.example.org"), dns("example.org"), True),
        (dns("EXAMPLE.org"), dns("example.org"), True),
        (dns("badexample.org"), dns("example.org"), False),
        (dns("example.org"), dns(".example.org"), False),
        (dns("a.example.org"), dns(".example.org"), True),
        (mail("a@example.org"), mail("a@example.org"), True),
        (mail("b@example.org"), mail("a@example.org"), False),
        (mail("a@example.org"), mail("example.org"), True),
        (mail("a@h.example.org"), mail("example.org"), False),
        (mail("a@h.example.org"), mail(".example.org"), True),
        (x509.IPAddress(ip_address("10.1.2.3")), x509.IPAddress(ip_network("10.0.0.0/8")), True),
        (x509.IPAddress(ip_address("11.1.2.3")), x509.IPAddress(ip_network("10.0.0.0/8")), False),
        (x509.IPAddress(ip_address("2001:db8::1")), x509.IPAddress(ip_network("2001:db8::/32")), True),
        (x509.IPAddress(ip_address("2001:db8::1")), x509.IPAddress(ip_network("0.0.0.0/0")), False),
    ],
)
def test_alternative_names(allowed: Allowed, name: x509.GeneralName, base: x509.GeneralName, below: bool) -> None:
    assert allowed("/CN=x", [name], [base], None) is below
    assert allowed("/CN=x", [name], None, [base]) is not below


def test_e_mail_addresses_in_the_subject_count(allowed: Allowed) -> None:
    subject = "/CN=x/emailAddress=a@example.org"
    assert allowed(subject, [], [mail("example.org")], None)
    assert not allowed(subject, [], [mail("example.com")], None)


def test_a_form_that_is_not_constrained_is_free(allowed: Allowed) -> None:
    assert allowed("/CN=x", [dns("a.example.org")], [mail("example.com")], None)


def test_a_form_nobody_here_can_compare_is_refused_where_it_is_constrained(allowed: Allowed) -> None:
    uri: Names = [x509.UniformResourceIdentifier("https://a.example.org")]
    base: Names = [x509.UniformResourceIdentifier("example.org")]
    assert not allowed("/CN=x", uri, base, None)
    assert not allowed("/CN=x", uri, None, base)
    assert allowed("/CN=x", [], base, base)


def test_the_text_names_the_ca_and_the_name(pki: "Pki") -> None:
    ca = pki.ca("/CN=CA", None, (x509.NameConstraints([dns("example.org")], None), True))
    host = pki.issue("/CN=x", ca, x509.SubjectAlternativeName([dns("b.example.com")]))
    with pytest.raises(NameConstraintViolation, match=r"CN=x: DNS name b'b.example.com' is not permitted .* CN=CA"):
        constraints.check(host.view, ca.view)


def test_damaged_constraints_and_names_are_refused(pki: "Pki") -> None:
    user = pki.issue("/CN=x")
    for damaged in ("0500", "3004a0023000", "300aa0083006 820161 800105"):
        ca = pki.ca("/CN=CA", None, (pki.extension("2.5.29.30", bytes.fromhex(damaged)), True))
        with pytest.raises(UnreadableCredential, match="CN=CA: nameConstraints"):
            constraints.check(user.view, ca.view)
    ca = pki.ca("/CN=CA", None, (x509.NameConstraints([dns("example.org")], None), True))
    odd = pki.issue("/CN=x", ca, pki.extension("2.5.29.17", b"\x05\x00"))
    with pytest.raises(UnreadableCredential, match="CN=x: subjectAltName"):
        constraints.check(odd.view, ca.view)
