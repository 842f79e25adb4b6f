from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from argus_py.credentials import path
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import (
    BadProxy,
    BadSignature,
    NotValidNow,
    ProxyEscalation,
    ProxyPathTooLong,
    Rejection,
    UnknownCriticalExtension,
)

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Issued, Pki

Judge = Callable[..., VerifiedChain]

INHERIT_ALL = bytes.fromhex("300a06082b06010505071501")
LIMITED = bytes.fromhex("300f300d060b2b060104019b5001010109")
DRAFT_OID = "1.3.6.1.4.1.3536.1.222"


def length(value: int) -> bytes:
    """ProxyCertInfo of a full RFC proxy with a path length."""
    return bytes.fromhex("300f0201") + bytes([value]) + INHERIT_ALL


@pytest.fixture
def root(pki: "Pki") -> "Issued":
    return pki.ca()


@pytest.fixture
def user(pki: "Pki", root: "Issued") -> "Issued":
    return pki.issue("/DC=org/CN=Alice", root)


@pytest.fixture
def judge(pki: "Pki", root: "Issued", now: datetime) -> Judge:
    """Verify a chain, leaf first, below the one trusted root."""
    return lambda *links: path.verify(pki.chain(*links), pki.trust(root), now)


def test_every_kind_of_proxy_is_a_proxy(pki: "Pki", user: "Issued", judge: Judge) -> None:
    draft = (pki.extension(DRAFT_OID, bytes.fromhex("300c300a06082b06010505071501")), True)
    for proxy in (
        pki.proxy(user),
        pki.proxy(user, info=LIMITED),
        pki.proxy(user, info=bytes.fromhex("300c300a06082b06010505071502")),  # independent
        pki.proxy(user, draft, info=None),
        pki.proxy(user, info=None, cn="proxy"),
        pki.proxy(user, info=None, cn="Limited Proxy"),
    ):
        verified = judge(proxy, user)
        assert verified.proxies == (proxy.certificate,)
        assert verified.end_entity == user.certificate


def test_a_proxy_may_be_valid_for_ever(pki: "Pki", user: "Issued", judge: Judge) -> None:
    """RFC 5280 section 4.1.2.5: the last second there is stands for no end."""
    assert judge(pki.proxy(user, not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)), user)


def test_proxies_have_five_minutes_of_grace(pki: "Pki", user: "Issued", judge: Judge, now: datetime) -> None:
    minute = timedelta(minutes=1)
    for good in (pki.proxy(user, not_after=now - 5 * minute), pki.proxy(user, not_before=now + 5 * minute)):
        assert judge(good, user)
    for bad in (pki.proxy(user, not_after=now - 6 * minute), pki.proxy(user, not_before=now + 6 * minute)):
        with pytest.raises(NotValidNow):
            judge(bad, user)


@pytest.mark.parametrize(
    ("extensions", "code"),
    [
        ([(x509.BasicConstraints(ca=True, path_length=None), True)], "proxyCASet"),
        ([x509.SubjectAlternativeName([x509.DNSName("x")])], "proxySubjectAltNameSet"),
        ([x509.IssuerAlternativeName([x509.DNSName("x")])], "proxyIssuerAltNameSet"),
    ],
)
def test_a_proxy_must_not_carry_what_belongs_to_others(
    pki: "Pki", user: "Issued", judge: Judge, extensions: list[x509.ExtensionType], code: str
) -> None:
    with pytest.raises(BadProxy) as refused:
        judge(pki.proxy(user, *extensions), user)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("/CN=Alice", "proxySubjectOneRDN"),
        ("/DC=org/CN=Alice/CN=1+OU=x", "proxySubjectMultiLastRDN"),
        ("/DC=org/CN=Alice/OU=proxy", "proxySubjectLastRDNNotCN"),
        ("/DC=org/CN=Bob/CN=1", "proxySubjectBaseWrong"),
        ("/DC=org/CN=Alice/CN=1/CN=2", "proxySubjectBaseWrong"),
        ("/DC=org/CN=Alice", "proxySubjectBaseWrong"),
    ],
)
def test_the_subject_is_that_of_the_issuer_and_one_cn(
    pki: "Pki", user: "Issued", judge: Judge, subject: str, code: str
) -> None:
    with pytest.raises(BadProxy) as refused:
        judge(pki.proxy(user, subject=subject), user)
    assert refused.value.code == code


def test_the_names_of_issuer_and_proxy_must_chain(pki: "Pki", user: "Issued", judge: Judge) -> None:
    proxy = pki.proxy(user, issuer_name="/DC=org/CN=Bob")
    with pytest.raises(BadProxy) as refused:
        judge(proxy, user)
    assert refused.value.code == "proxySubjectInconsistent"


def test_the_issuer_needs_digital_signature_if_it_has_a_key_usage(pki: "Pki", root: "Issued", judge: Judge) -> None:
    able = pki.issue("/DC=org/CN=Alice", root, (pki.key_usage(digital_signature=True), True))
    unable = pki.issue("/DC=org/CN=Alice", root, (pki.key_usage(key_encipherment=True), True))
    assert judge(pki.proxy(able), able)
    with pytest.raises(BadProxy) as refused:
        judge(pki.proxy(unable), unable)
    assert refused.value.code == "proxyIssuerNoDsig"


def test_a_ca_delegates_nothing(pki: "Pki", root: "Issued", judge: Judge) -> None:
    with pytest.raises(BadProxy) as refused:
        judge(pki.proxy(root), root)
    assert refused.value.code == "proxyIssuedByCa"


def test_a_proxy_is_signed_with_the_key_of_its_issuer(pki: "Pki", user: "Issued", judge: Judge) -> None:
    forged = pki.proxy(user, signed_with=pki.issue("/CN=x").key)
    with pytest.raises(BadSignature, match="CN=4711,CN=Alice,DC=org: Signature"):
        judge(forged, user)


def test_name_constraints_in_a_proxy_are_not_ignored(pki: "Pki", user: "Issued", judge: Judge) -> None:
    constrained = pki.proxy(user, (x509.NameConstraints(None, [x509.DNSName("x")]), True))
    with pytest.raises(UnknownCriticalExtension, match=r"2\.5\.29\.30"):
        judge(constrained, user)


def test_limited_stays_limited(pki: "Pki", user: "Issued", judge: Judge) -> None:
    full = pki.proxy(user)
    limited = pki.proxy(full, info=LIMITED)
    below = pki.proxy(limited, info=LIMITED)
    assert judge(below, limited, full, user)
    escalated = pki.proxy(limited)
    with pytest.raises(ProxyEscalation) as refused:
        judge(escalated, limited, full, user)
    assert refused.value.code == "proxyInconsistentlyLimited"


def test_kinds_are_not_mixed(pki: "Pki", user: "Issued", judge: Judge) -> None:
    rfc = pki.proxy(user)
    legacy = pki.proxy(rfc, info=None, cn="proxy")
    with pytest.raises(ProxyEscalation, match=r"RFC 3820 and legacy \(Globus 2\)") as refused:
        judge(legacy, rfc, user)
    assert refused.value.code == "proxyTypeInconsistent"


@pytest.mark.parametrize(
    ("lengths", "allowed"),
    [
        ((None, None, None), True),
        ((0,), True),
        ((0, None), False),
        ((1, None), True),
        ((1, None, None), False),
        ((1, 5, None), False),
        ((5, 0, None), False),
        ((2, 2, 2), True),
        ((None, 1, None, None), False),
    ],
)
def test_path_length_counts_the_proxies_that_follow(
    pki: "Pki", user: "Issued", judge: Judge, lengths: tuple[int | None, ...], allowed: bool
) -> None:
    links = [user]
    for value in lengths:
        links.insert(0, pki.proxy(links[0]) if value is None else pki.proxy(links[0], info=length(value)))
    if allowed:
        assert len(judge(*links).proxies) == len(lengths)
    else:
        with pytest.raises(ProxyPathTooLong):
            judge(*links)


def test_damaged_proxy_information_is_refused(pki: "Pki", user: "Issued", judge: Judge) -> None:
    for damaged in (b"\x30\x00", length(255), b""):
        with pytest.raises(Rejection, match="ProxyCertInfo"):
            judge(pki.proxy(user, info=damaged), user)
