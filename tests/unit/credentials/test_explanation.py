"""An explanation has the verdict of the daemons, and the checks that led to it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from argus_py.credentials import chain, pem, voms
from argus_py.credentials.checks import Check
from argus_py.credentials.explanation import ExplainedChain, explain_attributes, explain_chain
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import BadAttributeCertificate, NoTrustAnchor, Rejection, Revoked
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust

Entry = dict[str, Any]


def rules(checks: tuple[Check, ...]) -> list[str]:
    return [check.rule for check in checks]


def comparable(verdict: object) -> object:
    return (type(verdict), str(verdict)) if isinstance(verdict, Rejection) else verdict


def test_a_proven_chain_has_only_passed_checks(
    valid: Entry,
    pem_of: Callable[[str], str],
    proven: Callable[[str], VerifiedChain],
    grid_trust: TrustAnchors,
    now: datetime,
) -> None:
    sent = chain.order(pem.parse_certificates(pem_of(valid["file"])))
    explained = explain_chain(sent, grid_trust, now)
    verified = proven(valid["file"])
    assert explained.verdict == verified
    assert explained.links == verified.links
    assert [check for check in explained.checks if check.refusal] == []
    assert {check.certificate for check in explained.checks} == set(verified.links)


def test_attribute_certificates_get_the_verdicts_of_the_daemons(
    valid: Entry,
    proven: Callable[[str], VerifiedChain],
    grid_trust: TrustAnchors,
    grid_voms: VomsTrust,
    now: datetime,
) -> None:
    verified, hostnames = proven(valid["file"]), frozenset({"localhost"})
    explained = explain_attributes(verified, grid_voms, grid_trust, now, hostnames)
    expected = voms.examine(verified, grid_voms, grid_trust, now, hostnames)
    assert [comparable(one.verdict) for one in explained] == [comparable(verdict) for verdict in expected]
    for one in explained:
        assert [check.refusal for check in one.checks if check.refusal] == [
            verdict for verdict in [one.verdict] if isinstance(verdict, Rejection)
        ]


def test_a_refused_chain_ends_with_the_broken_rule(
    proven: Callable[[str], VerifiedChain], pem_of: Callable[[str], str], grid_trust: TrustAnchors, now: datetime
) -> None:
    sent = chain.order(pem.parse_certificates(pem_of("bad/proxy-of-revoked.pem")))
    explained = explain_chain(sent, grid_trust, now)
    assert isinstance(explained.verdict, Revoked)
    assert explained.checks[-1] == Check(explained.verdict.reason, refusal=explained.verdict)
    assert rules(explained.checks[:-1]) == [
        "signed by a trust anchor",
        "no more sub CAs than allowed",
        "a CA that may sign certificates",
        "valid now",
    ]


def test_a_refused_chain_is_shown_with_the_anchor_of_the_right_name(pki: Any, now: datetime) -> None:
    root, twin = pki.ca(), pki.ca()
    user = pki.issue("/DC=org/CN=Alice", twin)
    explained = explain_chain(pki.chain(user), pki.trust(root), now)
    assert isinstance(explained.verdict, NoTrustAnchor)
    assert explained.links == (user.view, root.view)


def test_a_chain_that_ends_with_an_anchor_is_shown_as_sent(pki: Any, now: datetime) -> None:
    root = pki.ca()
    user = pki.issue("/DC=org/CN=Alice", root, not_after=now - timedelta(hours=1))
    assert explain_chain(pki.chain(user, root), pki.trust(root), now).links == (user.view, root.view)


def test_a_path_that_fails_beside_one_that_holds_is_told(pki: Any, now: datetime) -> None:
    """The sub CA was certified twice, and the first certificate has run out."""
    root = pki.ca()
    old = pki.ca("/DC=org/CN=Sub", root, not_after=now - timedelta(hours=1))
    renewed = pki.ca("/DC=org/CN=Sub", root, key=old.key)
    user = pki.issue("/DC=org/CN=Alice", old)
    explained: ExplainedChain = explain_chain(pki.chain(user, old, renewed), pki.trust(root), now)
    assert isinstance(explained.verdict, VerifiedChain)
    assert explained.links == (user.view, renewed.view, root.view)
    (failed,) = [check.refusal for check in explained.checks if check.refusal]
    assert failed.code == "certificateExpired"


def test_the_only_path_that_fails_is_told_once(pki: Any, now: datetime) -> None:
    root = pki.ca()
    user = pki.issue("/DC=org/CN=Alice", root, not_after=now - timedelta(hours=1))
    explained = explain_chain(pki.chain(user), pki.trust(root), now)
    assert [check.refusal for check in explained.checks if check.refusal] == [explained.verdict]


def test_missing_crl_and_namespace_files_are_told_as_such(pki: Any, now: datetime) -> None:
    root = pki.ca()
    user = pki.issue("/DC=org/CN=Alice", root)
    explained = explain_chain(pki.chain(user), pki.trust(root), now)
    assert "no CRL of its issuer, taken as not revoked" in rules(explained.checks)
    assert "no namespace file about its issuer" in rules(explained.checks)
    explained = explain_chain(pki.chain(user), pki.trust(root, crls=(pki.crl(root),)), now)
    assert "not revoked, by a CRL in date" in rules(explained.checks)


def test_a_sub_ca_in_the_trust_directory_was_looked_up_in_the_crl_above_it(pki: Any, now: datetime) -> None:
    root = pki.ca()
    sub = pki.ca("/DC=org/CN=Sub", root)
    user = pki.issue("/DC=org/CN=Alice", sub)
    checks = explain_chain(pki.chain(user), pki.trust(root, sub), now).checks
    assert Check("not revoked by the CA above it", sub.view) in checks


def test_an_extension_that_holds_no_attribute_certificates_is_one_refusal(
    pki: Any, grid_voms: VomsTrust, now: datetime
) -> None:
    root = pki.ca()
    user = pki.issue("/DC=org/CN=Alice", root)
    proxy = pki.proxy(user, pki.extension("1.3.6.1.4.1.8005.100.100.5", b"\x02\x01\x01"))
    trust = pki.trust(root)
    verified = explain_chain(pki.chain(proxy, user), trust, now).verdict
    assert isinstance(verified, VerifiedChain)
    (explained,) = explain_attributes(verified, grid_voms, trust, now, frozenset())
    assert isinstance(explained.verdict, BadAttributeCertificate)
    assert explained.content is None
    assert explained.checks == (Check(explained.verdict.reason, refusal=explained.verdict),)
