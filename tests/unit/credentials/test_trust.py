from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.crl import Crl
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


@dataclass(frozen=True)
class CountingCrl(Crl):
    asked: list[Certificate] = field(default_factory=list, compare=False)

    def is_signed_by(self, issuer: Certificate) -> bool:
        self.asked.append(issuer)
        return super().is_signed_by(issuer)


def counting(crl: Crl) -> CountingCrl:
    return CountingCrl(*(getattr(crl, field.name) for field in fields(Crl)))


def test_a_signature_proven_for_the_value_before_is_not_verified_again(pki: "Pki") -> None:
    root, other = pki.ca(), pki.ca("/DC=org/CN=Other")
    crl, forged = counting(pki.crl(root)), counting(pki.crl(other, issuer_name="/DC=org/CN=CA"))
    before = pki.trust(root, crls=(crl, forged))
    assert crl.asked == [root.view]
    after = pki.trust(root, other, crls=(crl, forged), previous=before)
    told = replace(after, problems=(Problem("x", "y"),), previous=after)
    assert crl.asked == [root.view]
    assert told.is_proven(crl)
    assert not told.is_proven(forged)
    assert after == pki.trust(root, other, crls=(crl, forged))


def test_a_crl_whose_signer_is_trusted_no_more_is_not_proven_by_the_past(pki: "Pki") -> None:
    root, successor = pki.ca(), pki.ca()
    crl = pki.crl(root)
    before = pki.trust(root, successor, crls=(crl,))
    assert before.is_proven(crl)
    assert not pki.trust(successor, crls=(crl,), previous=before).is_proven(crl)


def test_its_contents_are_counted(pki: "Pki") -> None:
    root = pki.ca()
    assert pki.trust(root, crls=(pki.crl(root),)).contents() == "1 CA certificates, 1 CRLs, 0 namespace files"
