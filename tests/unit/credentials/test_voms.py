from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from argus_py.credentials import path, voms
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.lsc import parse_lsc
from argus_py.credentials.rejections import (
    AcBadSignature,
    AcExtension,
    AcIssuerNotTrusted,
    AcNotValidNow,
    AcWrongHolder,
    AcWrongTarget,
    BadAttributeCertificate,
    Rejection,
)
from argus_py.credentials.trust import Problem, TrustAnchors
from argus_py.credentials.voms import LscFile, ServerCertificate, VomsAttributes, VomsTrust

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import AcFactory, Issued, Pki

HOST = "voms.example.org"
SERVER, CA, USER = f"/DC=org/CN={HOST}", "/DC=org/CN=CA", "/DC=org/CN=Alice"
MINUTE = timedelta(minutes=1)
Judge = Callable[..., tuple[VomsAttributes, ...]]


def lsc_file(vo: str = "dteam", host: str = HOST, text: str = f"{SERVER}\n{CA}") -> LscFile:
    return LscFile(vo, host, parse_lsc(text))


DTEAM = VomsTrust((lsc_file(),))


@pytest.fixture
def root(pki: "Pki") -> "Issued":
    return pki.ca(CA)


@pytest.fixture
def factory(pki: "Pki", root: "Issued", ac_factory: "type[AcFactory]") -> "AcFactory":
    return ac_factory(pki.issue(SERVER, root), pki.issue(USER, root))


@pytest.fixture
def judge(pki: "Pki", root: "Issued", factory: "AcFactory", now: datetime) -> Judge:
    """Verify a proxy of the user that carries the attribute certificates given."""

    def verify(
        *acs: bytes,
        trust: TrustAnchors | None = None,
        vomsdir: VomsTrust = DTEAM,
        hostnames: frozenset[str] = frozenset(),
    ) -> tuple[VomsAttributes, ...]:
        anchors = trust or pki.trust(root)
        chain = path.verify(pki.chain(factory.proxy(pki, *acs), factory.user), pki.trust(root), now)
        return voms.verify(chain, vomsdir, anchors, now, hostnames)

    return verify


def test_a_good_attribute_certificate_gives_its_attributes(factory: "AcFactory", judge: Judge, now: datetime) -> None:
    found = judge(factory.make(fqans=[b"/dteam/Role=pilot", b"/dteam"]))
    issuer = Certificate(factory.server.certificate).subject
    expected = VomsAttributes("dteam", HOST, 15000, ("/dteam/Role=pilot", "/dteam"), now + 60 * MINUTE, issuer)
    assert found == (expected,)


def test_the_proxy_nearest_to_the_leaf_that_carries_any_counts(
    pki: "Pki", root: "Issued", factory: "AcFactory", now: datetime
) -> None:
    inner = factory.proxy(pki, factory.make())
    outer = pki.proxy(inner)
    empty = pki.proxy(inner, pki.extension("1.3.6.1.4.1.8005.100.100.5", b"\x30\x00"))
    for leaf in (outer, empty):
        chain = path.verify(pki.chain(leaf, inner, factory.user), pki.trust(root), now)
        assert len(voms.verify(chain, DTEAM, pki.trust(root), now, frozenset())) == 1


def test_an_end_entity_carries_none(pki: "Pki", root: "Issued", factory: "AcFactory", now: datetime) -> None:
    extension = pki.extension("1.3.6.1.4.1.8005.100.100.5", factory.sequence(factory.sequence(factory.make())))
    user = pki.issue("/DC=org/CN=Bob", root, extension)
    chain = path.verify(pki.chain(user), pki.trust(root), now)
    assert voms.verify(chain, DTEAM, pki.trust(root), now, frozenset()) == ()


@pytest.mark.parametrize(("since", "until"), [(-60, -5), (5, 60)])
def test_there_are_five_minutes_of_grace(
    factory: "AcFactory", judge: Judge, now: datetime, since: int, until: int
) -> None:
    assert judge(factory.make(not_before=now + since * MINUTE, not_after=now + until * MINUTE))


@pytest.mark.parametrize(("since", "until"), [(-60, -6), (6, 60)])
def test_there_is_no_more_grace(factory: "AcFactory", judge: Judge, now: datetime, since: int, until: int) -> None:
    with pytest.raises(AcNotValidNow, match="AC validity check failed: AC not valid at current time"):
        judge(factory.make(not_before=now + since * MINUTE, not_after=now + until * MINUTE))


def test_an_attribute_certificate_may_be_valid_for_ever(factory: "AcFactory", judge: Judge) -> None:
    assert judge(factory.make(not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)))


# --- The VOMS server


def test_one_of_several_chains_of_an_lsc_file_is_enough(factory: "AcFactory", judge: Judge) -> None:
    text = f"/CN=old\n/CN=Old CA\n------ NEXT CHAIN ------\n{SERVER}\n{CA}"
    assert judge(factory.make(), vomsdir=VomsTrust((lsc_file(text=text),)))


@pytest.mark.parametrize(
    ("vomsdir", "code"),
    [
        (VomsTrust(), "lscFileNotFound"),
        (VomsTrust((lsc_file(vo="ops"),)), "lscFileNotFound"),
        (VomsTrust((lsc_file(host="VOMS.example.org"),)), "lscFileNotFound"),
        (VomsTrust((lsc_file(text=f"/CN=other\n{CA}"),)), "lscDescriptionDoesntMatchAcCert"),
        (VomsTrust((lsc_file(text=f"{SERVER}\n/CN=other"),)), "lscDescriptionDoesntMatchAcCert"),
        (VomsTrust((LscFile("dteam", HOST, (), Problem("dteam/x.lsc", "no name in it")),)), "lscFileNotFound"),
    ],
)
def test_a_server_nobody_vouches_for_is_not_trusted(
    factory: "AcFactory", judge: Judge, vomsdir: VomsTrust, code: str
) -> None:
    with pytest.raises(AcIssuerNotTrusted, match="LSC validation failed: ") as refused:
        judge(factory.make(), vomsdir=vomsdir)
    assert refused.value.code == code


def test_an_lsc_file_needs_the_certificates_in_the_attribute_certificate(factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcIssuerNotTrusted, match="AC certs extension is empty"):
        judge(factory.make(certificates=[]))


def test_the_certificate_of_the_server_must_validate(pki: "Pki", factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcIssuerNotTrusted, match=r"CAnL certificate validation error: .*No trusted CA") as refused:
        judge(factory.make(), trust=pki.trust(pki.ca("/CN=Other")))
    assert refused.value.code == "canlError"


def test_sub_cas_of_the_server_are_matched_and_used(
    pki: "Pki", root: "Issued", factory: "AcFactory", judge: Judge
) -> None:
    sub = pki.ca("/DC=org/CN=Sub", root)
    factory.server = pki.issue(SERVER, sub)
    ac = factory.make(certificates=[factory.server.certificate, sub.certificate])
    assert judge(ac, vomsdir=VomsTrust((lsc_file(text=f"{SERVER}\n/DC=org/CN=Sub\n/DC=org/CN=Sub\n{CA}"),)))


def test_a_local_certificate_vouches_where_there_is_no_lsc_file(factory: "AcFactory", judge: Judge) -> None:
    for vo in ("dteam", None):
        vomsdir = VomsTrust((), (ServerCertificate(vo, factory.server.view),))
        assert judge(factory.make(certificates=[]), vomsdir=vomsdir)
        assert judge(factory.make(), vomsdir=vomsdir)


def test_a_local_certificate_of_another_vo_does_not(factory: "AcFactory", judge: Judge) -> None:
    vomsdir = VomsTrust((), (ServerCertificate("ops", factory.server.view),))
    with pytest.raises(AcIssuerNotTrusted, match=f"no certificate of CN={HOST},DC=org either"):
        judge(factory.make(), vomsdir=vomsdir)


def test_an_lsc_file_is_the_last_word(factory: "AcFactory", judge: Judge) -> None:
    mismatch = lsc_file(text=f"/CN=other\n{CA}")
    with pytest.raises(AcIssuerNotTrusted, match="LSC chain description"):
        judge(factory.make(), vomsdir=VomsTrust((mismatch,), (ServerCertificate("dteam", factory.server.view),)))


def test_of_several_local_certificates_one_must_fit(
    pki: "Pki", root: "Issued", factory: "AcFactory", judge: Judge
) -> None:
    expired = pki.issue(SERVER, root, key=factory.server.key, not_after=datetime.fromisoformat("2026-11-24T00:00Z"))
    old, new = ServerCertificate("dteam", expired.view), ServerCertificate("dteam", factory.server.view)
    assert judge(factory.make(), vomsdir=VomsTrust((), (old, new)))
    with pytest.raises(AcIssuerNotTrusted, match="expired") as refused:
        judge(factory.make(), vomsdir=VomsTrust((), (old,)))
    assert refused.value.code == "invalidAaCert"


def test_the_signature_is_that_of_the_server(pki: "Pki", factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcBadSignature, match=f"matching AA cert CN={HOST},DC=org fails signature verification"):
        judge(factory.make(signer=pki.issue("/CN=x").key))


def test_the_key_identifier_is_that_of_the_server(factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcBadSignature, match="names another key"):
        judge(factory.make(key_identifier=b"\x00" * 20))


def test_the_server_may_call_its_key_otherwise(pki: "Pki", root: "Issued", factory: "AcFactory", judge: Judge) -> None:
    factory.server = pki.issue(SERVER, root, pki.extension("2.5.29.14", b"\x04\x02me"))
    assert judge(factory.make(key_identifier=b"me"))
    factory.server = pki.issue(SERVER, root, pki.extension("2.5.29.14", b"\x05\x00"))
    with pytest.raises(BadAttributeCertificate, match="subjectKeyIdentifier"):
        judge(factory.make())


# --- Holder, targets, extensions, FQANs


def test_the_holder_is_named_by_subject_or_issuer_of_his_certificate(
    root: "Issued", factory: "AcFactory", judge: Judge
) -> None:
    assert judge(factory.make(holder=root.certificate.subject))
    with pytest.raises(AcWrongHolder, match="does not match certificate chain subject CN=Alice") as refused:
        judge(factory.make(holder=factory.server.certificate.subject))
    assert refused.value.code == "acHolderDoesntMatchCertChain"


def test_an_attribute_certificate_does_not_survive_a_new_user_certificate(factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcWrongHolder, match="was issued for certificate 7 of") as refused:
        judge(factory.make(serial=7))
    assert refused.value.code == "holderSerial"


@pytest.mark.parametrize(
    ("hostnames", "meant"),
    [({"ARGUS.example.org"}, True), ({"x", "argus.example.org"}, True), ({"x"}, False), ({}, False)],
)
def test_targets_are_compared_with_the_names_of_this_service(
    factory: "AcFactory", judge: Judge, hostnames: set[str], meant: bool
) -> None:
    target = factory.encode(0xA0, factory.encode(0x86, b"argus.Example.org"))
    ac = factory.make(targets=factory.sequence(factory.sequence(target)))
    if meant:
        assert judge(ac, hostnames=frozenset(hostnames))
    else:
        with pytest.raises(AcWrongTarget, match=r"is not in the AC target list \[argus.Example.org\]"):
            judge(ac, hostnames=frozenset(hostnames))


def test_targets_that_name_no_host_are_nobody(factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcWrongTarget):
        judge(factory.make(targets=factory.sequence()), hostnames=frozenset({"argus.example.org"}))


@pytest.mark.parametrize(
    ("oid", "text"),
    [
        ("1.2.3.4", "unknown critical extension found in VOMS AC: 1.2.3.4"),
        ("1.3.6.1.4.1.8005.100.100.11", "unknown critical extension"),
    ],
)
def test_only_targets_may_be_critical(factory: "AcFactory", judge: Judge, oid: str, text: str) -> None:
    assert judge(factory.make(more_extensions=[factory.extension(oid, b"\x05\x00")]))
    with pytest.raises(AcExtension, match=text):
        judge(factory.make(more_extensions=[factory.extension(oid, b"\x05\x00", critical=True)]))


def test_no_revocation_available_must_be_there(factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(AcExtension, match="no NoRevAvail"):
        judge(factory.make(no_revocation=False))


@pytest.mark.parametrize("fqan", [b"/atlas", b"/dteamx", b"dteam", b"/Role=x", b"/DTEAM/x"])
def test_a_server_speaks_for_its_vo_alone(factory: "AcFactory", judge: Judge, fqan: bytes) -> None:
    with pytest.raises(BadAttributeCertificate, match="of another VO") as refused:
        judge(factory.make(fqans=[b"/dteam", fqan]))
    assert refused.value.code == "foreignFqan"


def test_no_fqan_is_no_attribute(factory: "AcFactory", judge: Judge) -> None:
    with pytest.raises(BadAttributeCertificate, match="holds no FQAN"):
        judge(factory.make(fqans=[]))


# --- Several attribute certificates


def test_each_gets_its_verdict_and_the_first_decides(
    pki: "Pki", root: "Issued", factory: "AcFactory", judge: Judge, now: datetime
) -> None:
    good, foreign, garbage = factory.make(), factory.make(fqans=[b"/atlas"]), b"\x30\x00"
    assert len(judge(good, foreign, garbage, good)) == 2
    with pytest.raises(BadAttributeCertificate):
        judge(garbage, good)
    chain = path.verify(pki.chain(factory.proxy(pki, good, foreign, garbage), factory.user), pki.trust(root), now)
    verdicts: tuple[Any, ...] = voms.examine(chain, DTEAM, pki.trust(root), now, frozenset())
    assert isinstance(verdicts[0], VomsAttributes)
    assert [v.code for v in verdicts if isinstance(v, Rejection)] == ["foreignFqan", "parse"]


def test_an_extension_that_cannot_be_read_refuses(
    pki: "Pki", root: "Issued", factory: "AcFactory", now: datetime
) -> None:
    proxy = pki.proxy(factory.user, pki.extension("1.3.6.1.4.1.8005.100.100.5", b"\x05\x00"))
    chain = path.verify(pki.chain(proxy, factory.user), pki.trust(root), now)
    with pytest.raises(BadAttributeCertificate, match="the VOMS extension cannot be read"):
        voms.verify(chain, DTEAM, pki.trust(root), now, frozenset())
