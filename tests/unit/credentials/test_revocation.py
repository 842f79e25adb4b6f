from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from argus_py.credentials import path
from argus_py.credentials.rejections import RevocationUnknown, Revoked
from argus_py.credentials.trust import Problem, UnreadableCrl

if TYPE_CHECKING:
    from tests.unit.credentials.conftest import Issued, Pki


@pytest.fixture
def root(pki: "Pki") -> "Issued":
    return pki.ca()


@pytest.fixture
def user(pki: "Pki", root: "Issued") -> "Issued":
    return pki.issue("/DC=org/CN=Alice", root)


def point(**more: bool) -> list[tuple[x509.ExtensionType, bool]]:
    flags = dict.fromkeys(
        ["only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"], False
    )
    name = None if more else [x509.UniformResourceIdentifier("http://ca.example.org/crl")]
    distribution_point = x509.IssuingDistributionPoint(
        full_name=name, relative_name=None, only_some_reasons=None, **flags | more
    )
    return [(distribution_point, True)]


def test_a_ca_without_crl_is_accepted(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    assert path.verify(pki.chain(user), pki.trust(root), now)


def test_the_listed_user_and_his_proxies_are_refused(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    other = pki.issue("/DC=org/CN=Bob", root)
    trust = pki.trust(root, crls=(pki.crl(root, user, reason=x509.ReasonFlags.key_compromise),))
    assert path.verify(pki.chain(other), trust, now)
    text = "CN=Alice,DC=org: Certificate was revoked at: 2026-05-01 00:00:00 UTC, the reason reported is: keyCompromise"
    for sent in (pki.chain(user), pki.chain(pki.proxy(user), user)):
        with pytest.raises(Revoked) as refused:
            path.verify(sent, trust, now)
        assert str(refused.value) == text


def test_a_reason_is_not_needed(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    with pytest.raises(Revoked, match=r"00:00:00 UTC\Z"):
        path.verify(pki.chain(user), pki.trust(root, crls=(pki.crl(root, user),)), now)


def test_an_outdated_crl_refuses_everybody_and_says_so(
    pki: "Pki", root: "Issued", user: "Issued", now: datetime
) -> None:
    past = now - timedelta(days=2)
    old = pki.crl(root, this_update=past, next_update=past + timedelta(days=1))
    with pytest.raises(
        RevocationUnknown, match=r"The CRL of CN=CA,DC=org expired on 2026-11-23 12:00:00 UTC"
    ) as refused:
        path.verify(pki.chain(user), pki.trust(root, crls=(old,)), now)
    assert refused.value.code == "crlVerifyFailed"


def test_the_newest_crl_counts(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    past = now - timedelta(days=2)
    old = pki.crl(root, user, this_update=past, next_update=past + timedelta(days=1))
    assert path.verify(pki.chain(user), pki.trust(root, crls=(pki.crl(root), old)), now)
    assert path.verify(pki.chain(user), pki.trust(root, crls=(old, pki.crl(root))), now)


def test_every_crl_in_date_counts(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    """One for each key of the CA, or for each of its distribution points."""
    other_key = pki.ca()
    earlier = now - timedelta(hours=5)
    for lists in (
        (pki.crl(root, user, this_update=earlier), pki.crl(other_key)),
        (pki.crl(root, user, this_update=earlier, extensions=point()), pki.crl(root, extensions=point())),
    ):
        for crls in (lists, lists[::-1]):
            with pytest.raises(Revoked):
                path.verify(pki.chain(user), pki.trust(root, other_key, crls=crls), now)


def test_the_newest_crl_must_be_in_date(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    newest = pki.crl(root, next_update=now - timedelta(minutes=1))
    older = pki.crl(root, this_update=now - timedelta(hours=5))
    with pytest.raises(RevocationUnknown, match="expired on"):
        path.verify(pki.chain(user), pki.trust(root, crls=(newest, older)), now)


def test_a_crl_signed_by_somebody_else_refuses(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    forged = pki.crl(pki.ca())
    with pytest.raises(RevocationUnknown, match="is not signed by this CA"):
        path.verify(pki.chain(user), pki.trust(root, crls=(forged,)), now)
    with pytest.raises(RevocationUnknown, match="is not signed by this CA"):
        path.verify(pki.chain(user), pki.trust(root, pki.ca("/CN=Other"), crls=(forged,)), now)


def test_a_forged_crl_beside_the_real_one_is_not_believed(
    pki: "Pki", root: "Issued", user: "Issued", now: datetime
) -> None:
    forged = pki.crl(pki.ca(), this_update=now)
    with pytest.raises(Revoked):
        path.verify(pki.chain(user), pki.trust(root, crls=(forged, pki.crl(root, user))), now)


def test_a_ca_that_may_not_sign_crls_has_none_that_counts(pki: "Pki", now: datetime) -> None:
    root = pki.ca("/DC=org/CN=CA", None, (pki.key_usage(key_cert_sign=True), True))
    user = pki.issue("/DC=org/CN=Alice", root)
    with pytest.raises(RevocationUnknown, match="is not signed by this CA"):
        path.verify(pki.chain(user), pki.trust(root, crls=(pki.crl(root),)), now)


def test_after_a_key_change_the_new_key_signs_for_old_certificates(pki: "Pki", now: datetime) -> None:
    old, new = pki.ca(), pki.ca()
    user, revoked = pki.issue("/DC=org/CN=Alice", old), pki.issue("/DC=org/CN=Rita", old)
    trust = pki.trust(old, new, crls=(pki.crl(new, revoked),))
    assert path.verify(pki.chain(user), trust, now)
    with pytest.raises(Revoked):
        path.verify(pki.chain(revoked), trust, now)


def test_a_revoked_sub_ca_is_refused_wherever_it_comes_from(pki: "Pki", root: "Issued", now: datetime) -> None:
    sub = pki.ca("/DC=org/CN=Sub", root)
    user = pki.issue("/DC=org/CN=Alice", sub)
    crls = (pki.crl(root, sub),)
    for sent, trust in (
        (pki.chain(user, sub), pki.trust(root, crls=crls)),
        (pki.chain(user), pki.trust(root, sub, crls=crls)),
    ):
        with pytest.raises(Revoked, match="CN=Sub"):
            path.verify(sent, trust, now)


def test_the_outdated_crl_of_a_root_does_not_matter_below_a_trusted_sub_ca(
    pki: "Pki", root: "Issued", now: datetime
) -> None:
    sub = pki.ca("/DC=org/CN=Sub", root)
    past = now - timedelta(days=2)
    old = pki.crl(root, this_update=past, next_update=past)
    user = pki.issue("/DC=org/CN=Alice", sub)
    assert path.verify(pki.chain(user), pki.trust(root, sub, crls=(old,)), now)


def test_the_crl_of_a_sent_sub_ca_is_checked_with_its_key(pki: "Pki", root: "Issued", now: datetime) -> None:
    sub = pki.ca("/DC=org/CN=Sub", root)
    user, revoked = pki.issue("/DC=org/CN=Alice", sub), pki.issue("/DC=org/CN=Rita", sub)
    trust = pki.trust(root, crls=(pki.crl(sub, revoked),))
    assert path.verify(pki.chain(user, sub), trust, now)
    with pytest.raises(Revoked):
        path.verify(pki.chain(revoked, sub), trust, now)


def test_an_unreadable_crl_file_refuses_its_ca_alone(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    other = pki.ca("/DC=org/CN=Other")
    for hash_ in root.view.hashes:
        broken = UnreadableCrl(hash_, Problem(f"{hash_}.r0", "a CRL cannot be read"))
        trust = pki.trust(root, other, unreadable_crls=(broken,))
        with pytest.raises(RevocationUnknown, match=rf"cannot be read: {hash_}\.r0: a CRL cannot be read"):
            path.verify(pki.chain(user), trust, now)
        assert path.verify(pki.chain(pki.issue("/DC=org/CN=Bob", other)), trust, now)


@pytest.mark.parametrize(
    "case",
    [
        (point(indirect_crl=True), "indirect CRLs"),
        (point(only_contains_attribute_certs=True), "attribute certificates"),
        ([(x509.DeltaCRLIndicator(1), True)], r"2\.5\.29\.27"),
    ],
)
def test_a_crl_that_tells_another_story_cannot_be_used(
    pki: "Pki",
    root: "Issued",
    user: "Issued",
    now: datetime,
    case: tuple[list[tuple[x509.ExtensionType, bool]], str],
) -> None:
    extensions, reason = case
    crl = pki.crl(root, extensions=extensions)
    with pytest.raises(RevocationUnknown, match=reason):
        path.verify(pki.chain(user), pki.trust(root, crls=(crl,)), now)
    assert path.verify(pki.chain(user), pki.trust(root, crls=(crl, pki.crl(root))), now)


def test_a_partial_crl_counts_for_what_it_covers(pki: "Pki", root: "Issued", user: "Issued", now: datetime) -> None:
    for extensions, refused in (
        (point(), True),
        (point(only_contains_user_certs=True), True),
        (point(only_contains_ca_certs=True), False),
    ):
        trust = pki.trust(root, crls=(pki.crl(root, user, extensions=extensions),))
        if refused:
            with pytest.raises(Revoked):
                path.verify(pki.chain(user), trust, now)
        else:
            assert path.verify(pki.chain(user), trust, now)


def test_the_next_expiry_is_that_of_the_crls_in_use(pki: "Pki", root: "Issued", now: datetime) -> None:
    other = pki.ca("/DC=org/CN=Other")
    late, early = (
        pki.crl(root, next_update=now + timedelta(days=3)),
        pki.crl(other, next_update=now + timedelta(days=1)),
    )
    forged = pki.crl(pki.ca(), next_update=now)
    assert pki.trust(root, other, crls=(late, early, forged)).next_crl_expiry(now) == now + timedelta(days=1)
    assert pki.trust(root).next_crl_expiry(now) is None


def test_an_outdated_crl_is_told_unless_there_is_a_newer_one(pki: "Pki", root: "Issued", now: datetime) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    old = pki.crl(root, this_update=now - 3 * day, next_update=now - hour)
    new = pki.crl(root, this_update=now - day, next_update=now + day)
    users = [(x509.IssuingDistributionPoint(None, None, True, False, None, False, False), True)]
    for_users = pki.crl(root, this_update=now - hour, next_update=now - hour, extensions=users)
    superseded = pki.crl(root, this_update=now - 2 * day, next_update=now - hour, extensions=users)
    assert pki.trust(root, crls=(old,)).outdated_crls(now) == (old,)
    assert pki.trust(root, crls=(old,)).next_crl_expiry(now) is None
    assert pki.trust(root, crls=(old, new)).outdated_crls(now) == ()
    assert pki.trust(root, crls=(old, new)).next_crl_expiry(now) == now + day
    assert pki.trust(root, crls=(old, new, superseded)).outdated_crls(now) == ()
    assert pki.trust(root, crls=(old, new, for_users)).outdated_crls(now) == (for_users,)
    assert pki.trust(root, crls=(new,)).outdated_crls(now + day) == ()
    assert pki.trust(root, crls=(new,)).outdated_crls(now + day + timedelta(seconds=1)) == (new,)
