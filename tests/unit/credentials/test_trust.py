from dataclasses import replace
from typing import TYPE_CHECKING

from argus_py.credentials.namespaces import NamespaceFile, NamespaceFormat
from argus_py.credentials.trust import Problem, TrustAnchors, UnreadableCrl
from argus_py.model.dn import DistinguishedName

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Pki


def test_anchors_are_found_by_name_all_of_them(pki: "Pki") -> None:
    one, other, third = pki.ca(), pki.ca(), pki.ca("/DC=org/CN=Third")
    trust = pki.trust(one, other, third)
    assert trust.named(one.view.subject) == (one.view, other.view)
    assert trust.named(DistinguishedName.parse_slash("/DC=org/CN=Nobody")) == ()
    assert trust.certificates() == (one.certificate, other.certificate, third.certificate)


def test_it_is_equal_if_everything_in_it_is(pki: "Pki") -> None:
    root = pki.ca()
    crl, problem = pki.crl(root), Problem("x", "y")
    trust = pki.trust(root, crls=(crl,), problems=(problem,))
    assert trust == pki.trust(root, crls=(crl,), problems=(problem,))
    file = NamespaceFile("x", "12345678", NamespaceFormat.GLOBUS, ())
    for changed in (
        replace(trust, anchors=()),
        replace(trust, crls=()),
        replace(trust, namespaces=(file,)),
        replace(trust, unreadable_crls=(UnreadableCrl("12345678", problem),)),
        replace(trust, problems=()),
    ):
        assert changed != trust


def test_nothing_is_trusted_by_default(pki: "Pki") -> None:
    root = pki.ca().view
    trust = TrustAnchors()
    assert trust.named(root.subject) == ()
    assert trust.crls_of(root.subject) == ()
    assert trust.unreadable_crl(root) is None
    assert trust.namespace_file(root, NamespaceFormat.EUGRIDPMA) is None


def test_a_problem_is_told_with_its_file() -> None:
    assert str(Problem("b1d95bc4.0", "not a regular file")) == "b1d95bc4.0: not a regular file"
