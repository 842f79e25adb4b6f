from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from argus_py.credentials import path
from argus_py.credentials.budget import MAX_SIGNATURES
from argus_py.credentials.namespaces import NamespaceFile, NamespaceFormat, parse_namespaces, parse_signing_policy
from argus_py.credentials.rejections import (
    BadProxy,
    BadSignature,
    BrokenChain,
    NameConstraintViolation,
    NamespaceViolation,
    NoTrustAnchor,
    NotValidNow,
    UnknownCriticalExtension,
    UnreadableCredential,
)

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Issued, Pki

ALICE = "/DC=org/CN=Alice"


def test_a_proven_chain_ends_with_the_anchor_and_names_the_end_entity(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    user = pki.issue(ALICE, root, not_after=now + timedelta(hours=5))
    proxy = pki.proxy(user, not_after=now + timedelta(hours=2))
    verified = path.verify(pki.chain(proxy, user), pki.trust(root), now)
    assert verified.certificates == (proxy.certificate, user.certificate, root.certificate)
    assert verified.proxies == (proxy.certificate,)
    assert verified.end_entity == user.certificate
    assert verified.serial == user.certificate.serial_number
    assert verified.subject.slash() == ALICE
    assert verified.issuer.slash() == "/DC=org/CN=CA"
    assert [issuer.slash() for issuer in verified.issuers] == [ALICE, "/DC=org/CN=CA"]
    assert verified.not_after == now + timedelta(hours=2)


def test_a_missing_sub_ca_is_taken_from_the_trust_directory(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    sub = pki.ca("/DC=org/CN=Sub", root)
    user = pki.issue(ALICE, sub)
    assert path.verify(pki.chain(user), pki.trust(root, sub), now).certificates[-1] == sub.certificate
    with pytest.raises(NoTrustAnchor, match="its issuer CN=Sub,DC=org is unknown"):
        path.verify(pki.chain(user), pki.trust(root), now)


def test_a_sent_sub_ca_leads_to_the_root(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    sub = pki.ca("/DC=org/CN=Sub", root)
    user = pki.issue(ALICE, sub)
    verified = path.verify(pki.chain(user, sub), pki.trust(root), now)
    assert verified.certificates == (user.certificate, sub.certificate, root.certificate)


def test_a_sent_root_and_surplus_certificates_do_no_harm(pki: "Pki", now: datetime) -> None:
    root, other = pki.ca(), pki.ca("/DC=org/CN=Other")
    user = pki.issue(ALICE, root)
    verified = path.verify(pki.chain(user, other, root), pki.trust(root), now)
    assert verified.certificates == (user.certificate, root.certificate)


def test_of_several_anchors_of_one_name_the_one_with_the_key_counts(pki: "Pki", now: datetime) -> None:
    old, new = pki.ca(), pki.ca()
    user = pki.issue(ALICE, new)
    assert path.verify(pki.chain(user), pki.trust(old, new), now).certificates[-1] == new.certificate


def test_the_right_name_with_the_wrong_key_is_told_apart(pki: "Pki", now: datetime) -> None:
    real, twin = pki.ca(), pki.ca()
    user = pki.issue(ALICE, twin)
    for sent in (pki.chain(user), pki.chain(user, twin)):
        with pytest.raises(NoTrustAnchor) as refused:
            path.verify(sent, pki.trust(real), now)
        assert refused.value.code == "trustButInvalidCert"


def test_a_sent_sub_ca_with_the_wrong_key_breaks_the_signature(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    sub, forged = pki.ca("/DC=org/CN=Sub", root), pki.ca("/DC=org/CN=Sub", root)
    with pytest.raises(BadSignature, match="CN=Alice"):
        path.verify(pki.chain(pki.issue(ALICE, sub), forged), pki.trust(root), now)


def test_end_entities_and_sub_cas_have_no_grace(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    gone = pki.issue(ALICE, root, not_after=now - timedelta(seconds=1))
    early = pki.issue(ALICE, root, not_before=now + timedelta(seconds=1))
    just = pki.issue(ALICE, root, not_before=now, not_after=now)
    sub = pki.ca("/DC=org/CN=Sub", root, not_after=now - timedelta(seconds=1))
    assert path.verify(pki.chain(just), pki.trust(root), now)
    for sent in (pki.chain(gone), pki.chain(early), pki.chain(pki.issue(ALICE, sub), sub)):
        with pytest.raises(NotValidNow):
            path.verify(sent, pki.trust(root), now)


def test_the_dates_of_an_anchor_do_not_count(pki: "Pki", now: datetime) -> None:
    root = pki.ca(not_after=now - timedelta(days=1), not_before=now - timedelta(days=9))
    assert path.verify(pki.chain(pki.issue(ALICE, root)), pki.trust(root), now)


def test_only_cas_issue(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    user = pki.issue("/DC=org/CN=Bob", root)
    with pytest.raises(BrokenChain) as refused:
        path.verify(pki.chain(pki.issue(ALICE, user), user), pki.trust(root), now)
    assert refused.value.code == "noCACert"


def test_an_anchor_that_says_it_is_no_ca_is_none(pki: "Pki", now: datetime) -> None:
    plain = pki.issue("/DC=org/CN=CA")
    denied = pki.issue("/DC=org/CN=CA", None, x509.BasicConstraints(ca=False, path_length=None))
    assert path.verify(pki.chain(pki.issue(ALICE, plain)), pki.trust(plain), now)
    with pytest.raises(BrokenChain, match="no CA certificate"):
        path.verify(pki.chain(pki.issue(ALICE, denied)), pki.trust(denied), now)


def test_a_ca_needs_key_cert_sign_if_it_has_a_key_usage(pki: "Pki", now: datetime) -> None:
    root = pki.ca("/DC=org/CN=CA", None, (pki.key_usage(crl_sign=True), True))
    with pytest.raises(BrokenChain) as refused:
        path.verify(pki.chain(pki.issue(ALICE, root)), pki.trust(root), now)
    assert refused.value.code == "noCertSign"


@pytest.mark.parametrize(("length", "allowed"), [(None, True), (1, True), (0, False)])
def test_path_length_counts_sub_cas(pki: "Pki", now: datetime, length: int | None, allowed: bool) -> None:
    root = pki.ca(path_length=length)
    sub = pki.ca("/DC=org/CN=Sub", root)
    sent = pki.chain(pki.issue(ALICE, sub), sub)
    if allowed:
        assert path.verify(sent, pki.trust(root), now)
    else:
        with pytest.raises(BrokenChain, match="CN=Sub,DC=org: a CA above allows no further sub CA"):
            path.verify(sent, pki.trust(root), now)


def test_a_larger_path_length_below_does_not_widen_the_one_above(pki: "Pki", now: datetime) -> None:
    root = pki.ca(path_length=1)
    sub = pki.ca("/DC=org/CN=Sub", root, path_length=9)
    subsub = pki.ca("/DC=org/CN=Sub Sub", sub)
    with pytest.raises(BrokenChain, match="Sub Sub"):
        path.verify(pki.chain(pki.issue(ALICE, subsub), subsub, sub), pki.trust(root), now)


def test_a_self_issued_ca_does_not_use_up_path_length(pki: "Pki", now: datetime) -> None:
    root = pki.ca(path_length=0)
    renewed = pki.ca("/DC=org/CN=CA", root)
    assert path.verify(pki.chain(pki.issue(ALICE, renewed), renewed), pki.trust(root), now)


@pytest.mark.parametrize(
    ("extension", "critical", "accepted"),
    [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True, True),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False, True),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True, False),
        (x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None), True, False),
    ],
)
def test_what_is_critical_must_be_understood(
    pki: "Pki", now: datetime, extension: x509.ExtensionType, critical: bool, accepted: bool
) -> None:
    root = pki.ca()
    sent = pki.chain(pki.issue(ALICE, root, (extension, critical)))
    if accepted:
        assert path.verify(sent, pki.trust(root), now)
    else:
        with pytest.raises(UnknownCriticalExtension):
            path.verify(sent, pki.trust(root), now)


def test_name_constraints_of_every_ca_above_apply_the_anchor_included(pki: "Pki", now: datetime) -> None:
    excluded = x509.NameConstraints(None, [x509.DirectoryName(pki.issue("/DC=org/OU=Closed").certificate.subject)])
    root = pki.ca("/DC=org/CN=CA", None, (excluded, True))
    sub = pki.ca("/DC=org/CN=Sub", root)
    inside, outside = pki.issue("/DC=org/OU=Closed/CN=U", sub), pki.issue(ALICE, sub)
    assert path.verify(pki.chain(outside, sub), pki.trust(root), now)
    with pytest.raises(NameConstraintViolation, match="OU=Closed,DC=org is excluded by the name constraints of CN=CA"):
        path.verify(pki.chain(inside, sub), pki.trust(root), now)


def test_an_end_entity_without_a_name_is_refused(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    with pytest.raises(UnreadableCredential, match="names nobody"):
        path.verify(pki.chain(pki.issue("", root)), pki.trust(root), now)


def test_proxies_without_an_end_entity_are_refused(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    proxy = pki.proxy(pki.issue(ALICE, root))
    with pytest.raises(NoTrustAnchor, match="its issuer CN=Alice,DC=org is unknown"):
        path.verify(pki.chain(proxy), pki.trust(root), now)
    with pytest.raises(BadProxy, match="Issuing end entity certificate was not found"):
        path.verify(pki.chain(pki.issue("/DC=org/CN=proxy", root)), pki.trust(root), now)


def test_a_proxy_is_no_ca_even_if_it_says_so(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    user = pki.issue(ALICE, root)
    proxy = pki.proxy(user, (x509.BasicConstraints(ca=True, path_length=None), True))
    mallory = pki.issue("/DC=org/CN=Mallory", proxy)
    with pytest.raises(BrokenChain, match="CN=Alice,DC=org: The certificate is no CA certificate"):
        path.verify(pki.chain(mallory, proxy, user), pki.trust(root), now)


def test_hostile_chains_cost_a_bounded_number_of_signatures(pki: "Pki", now: datetime) -> None:
    key = pki.ca().key
    maze: list[Issued] = [pki.ca("/DC=org/CN=Maze", None, key=key) for _ in range(19)]
    user = pki.issue(ALICE, maze[0])
    with pytest.raises(BrokenChain, match=f"more than {MAX_SIGNATURES} signatures"):
        path.verify(pki.chain(user, *maze), pki.trust(pki.ca()), now)


# --- Namespaces


def namespace_file(issuer: "Issued", text: str, format_: NamespaceFormat = NamespaceFormat.EUGRIDPMA) -> NamespaceFile:
    parse = parse_namespaces if format_ is NamespaceFormat.EUGRIDPMA else parse_signing_policy
    hash_ = issuer.view.hashes[0]
    return NamespaceFile(f"{hash_}.{format_.value}", hash_, format_, parse(text))


EACL = "access_id_CA X509 '/DC=org/CN=CA'\npos_rights globus CA:sign\ncond_subjects globus '{}'\n"


@pytest.mark.parametrize(
    ("namespaces", "eacl", "code"),
    [
        (None, None, None),
        ('TO Issuer SELF PERMIT Subject "/DC=org/.*"', None, None),
        ('TO Issuer "/dc=ORG/cn=ca" PERMIT Subject "/dc=ORG/.*"', None, None),
        ('TO Issuer SELF PERMIT Subject "/DC=org"', None, "nsNotAccepted"),
        ('TO Issuer SELF PERMIT Subject "/DC=.*"\nTO Issuer SELF DENY Subject ".*/CN=Alice"', None, "nsDeny"),
        (None, '"/DC=org/*"', None),
        (None, '"/DC=com/*"', "nsNotAccepted"),
        ('TO Issuer SELF PERMIT Subject "/DC=org/.*"', '"/DC=com/*"', None),  # the first format decides alone
        ('TO Issuer "/DC=org/CN=Other" PERMIT Subject "x"', '"/DC=com/*"', "nsNotAccepted"),
        ('TO Issuer "/DC=org/CN=Other" PERMIT Subject "x"', None, None),
    ],
)
def test_namespaces_decide_which_names_a_ca_may_sign(
    pki: "Pki", now: datetime, namespaces: str | None, eacl: str | None, code: str | None
) -> None:
    root = pki.ca()
    files = [namespace_file(root, namespaces)] if namespaces else []
    files += [namespace_file(root, EACL.format(eacl), NamespaceFormat.GLOBUS)] if eacl else []
    trust = pki.trust(root, namespaces=tuple(files))
    sent = pki.chain(pki.issue(ALICE, root))
    if code is None:
        assert path.verify(sent, trust, now)
    else:
        with pytest.raises(NamespaceViolation) as refused:
            path.verify(sent, trust, now)
        assert refused.value.code == code
        assert files[-1].name in str(refused.value) or files[0].name in str(refused.value)


def test_the_file_of_a_ca_above_may_speak_for_a_sub_ca(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    sub = pki.ca("/DC=org/CN=Sub", root)
    text = 'TO Issuer SELF PERMIT Subject ".*"\nTO Issuer "/DC=org/CN=Sub" PERMIT Subject "/DC=org/OU=Sub/.*"'
    trust = pki.trust(root, namespaces=(namespace_file(root, text),))
    inside, outside = pki.issue("/DC=org/OU=Sub/CN=U", sub), pki.issue(ALICE, sub)
    assert path.verify(pki.chain(inside, sub), trust, now)
    with pytest.raises(NamespaceViolation, match="CN=Alice"):
        path.verify(pki.chain(outside, sub), trust, now)


def test_an_unreadable_namespace_file_closes_the_ca(pki: "Pki", now: datetime) -> None:
    root, other = pki.ca(), pki.ca("/DC=org/CN=Other")
    hash_ = root.view.hashes[1]
    broken = NamespaceFile("x.namespaces", hash_, NamespaceFormat.EUGRIDPMA, (), "line 3: expected TO ISSUER")
    trust = pki.trust(root, other, namespaces=(broken,))
    with pytest.raises(NamespaceViolation, match=r"x\.namespaces cannot be read: line 3: expected TO ISSUER"):
        path.verify(pki.chain(pki.issue(ALICE, root)), trust, now)
    assert path.verify(pki.chain(pki.issue(ALICE, other)), trust, now)


def test_proxies_are_not_subject_to_namespaces(pki: "Pki", now: datetime) -> None:
    root = pki.ca()
    user = pki.issue(ALICE, root)
    trust = pki.trust(root, namespaces=(namespace_file(root, f'TO Issuer SELF PERMIT Subject "{ALICE}"'),))
    assert path.verify(pki.chain(pki.proxy(user), user), trust, now)
