"""What all points share: one judge, whose verdicts hold for every form of the same certificates."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from argus_py.credentials.rejections import AcNotValidNow, Rejection
from argus_py.credentials.voms import VomsAttributes
from argus_py.model.attribute import Attribute
from argus_py.model.request import Subject
from argus_py.pep.pips.proof import DER_KEY_INFO, PEM_KEY_INFO, CertificateJudge, ChainSource, Proof, UnusableChain
from argus_py.pep.ports import PipError

Sent = Callable[[str], Attribute]


def proof(judge: CertificateJudge, source: ChainSource, attribute: Attribute, now: datetime) -> Proof:
    sent = source.sent_by(Subject((attribute,)))
    assert sent is not None
    return judge.proof(sent, now)


def test_both_forms_of_a_chain_prove_the_same(
    judge: CertificateJudge, as_pem: Sent, as_der: Sent, now: datetime
) -> None:
    file = "proxies/alice-two-vos.pem"
    assert proof(judge, PEM_KEY_INFO, as_pem(file), now) == proof(judge, DER_KEY_INFO, as_der(file), now)


def test_every_attribute_certificate_has_its_verdict(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    good, bad = proof(judge, PEM_KEY_INFO, as_pem("bad/ac-good-then-bad.pem"), now).attribute_certificates
    assert isinstance(good, VomsAttributes)
    assert isinstance(bad, Rejection)


def test_a_chain_is_judged_once_in_a_while_also_with_a_bad_attribute_certificate(
    judge: CertificateJudge, as_pem: Sent, now: datetime
) -> None:
    for file in ("proxies/alice-dteam.pem", "bad/ac-expired.pem"):
        first = proof(judge, PEM_KEY_INFO, as_pem(file), now)
        assert proof(judge, PEM_KEY_INFO, as_pem(file), now + timedelta(minutes=1)) is first


def test_a_verdict_that_is_kept_holds_on_to_nothing(judge: CertificateJudge, as_pem: Sent, now: datetime) -> None:
    (verdict,) = proof(judge, PEM_KEY_INFO, as_pem("bad/ac-expired.pem"), now).attribute_certificates
    assert isinstance(verdict, AcNotValidNow)
    assert (verdict.__traceback__, verdict.__cause__, verdict.__context__) == (None, None, None)
    assert str(verdict).startswith("AC validity check failed")


def test_the_order_of_certificates_does_not_matter_to_the_memory(
    judge: CertificateJudge, as_der: Sent, now: datetime
) -> None:
    sent = as_der("proxies/alice-dteam.pem")
    reverse = Attribute(sent.id, tuple(value.replace("\n", "\r\n") for value in reversed(sent.values)), sent.datatype)
    assert proof(judge, DER_KEY_INFO, sent, now) is proof(judge, DER_KEY_INFO, reverse, now)


def test_one_form_is_not_taken_for_the_other(judge: CertificateJudge, as_der: Sent, now: datetime) -> None:
    sent = as_der("users/alice.pem")
    proof(judge, DER_KEY_INFO, sent, now)
    as_text = Attribute(sent.id, (" ".join(sorted("".join(value.split()) for value in sent.values)),))
    with pytest.raises(PipError, match="PEM data not found"):
        proof(judge, PEM_KEY_INFO, as_text, now)


def test_a_certificate_below_version_3_makes_the_chain_unusable(
    judge: CertificateJudge, version_1: str, now: datetime
) -> None:
    with pytest.raises(UnusableChain):
        proof(judge, PEM_KEY_INFO, Attribute(PEM_KEY_INFO.attribute_id, (version_1,)), now)
