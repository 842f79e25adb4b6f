"""Every recorded credential gets its recorded verdict; where Java's differs, the recommended one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from argus_py.credentials import voms
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsAttributes, VomsTrust

Entry = dict[str, Any]
Verdict = VomsAttributes | Rejection


@pytest.fixture
def examined(
    proven: Callable[[str], VerifiedChain], grid_trust: TrustAnchors, grid_voms: VomsTrust, now: datetime
) -> Callable[[str], tuple[Verdict, ...]]:
    """The verdicts on the attribute certificates of a file, on a host that is called localhost."""
    return lambda file: voms.examine(proven(file), grid_voms, grid_trust, now, frozenset({"localhost"}))


def test_a_valid_chain_is_proven_and_its_names_are_those_of_java(
    valid: Entry, reference: dict[str, Entry], proven: Callable[[str], VerifiedChain]
) -> None:
    java = reference[valid["file"]]
    verified = proven(valid["file"])
    assert verified.subject.rfc2253() == valid["dn_rfc2253"]
    assert verified.subject.slash() == java["dn_openssl"]
    assert [issuer.rfc2253() for issuer in verified.issuers] == list(dict.fromkeys(java["subject_issuer"]))


def test_an_invalid_chain_is_refused_for_its_reason(
    invalid: tuple[Entry, str], reference: dict[str, Entry], proven: Callable[[str], VerifiedChain]
) -> None:
    entry, code = invalid
    with pytest.raises(Rejection) as refused:
        proven(entry["file"])
    if code == "load":
        java = reference[entry["file"]]["load_error"]
        assert refused.value.reason in java or java.startswith("DecoderException")
    else:
        assert refused.value.code == code


def test_the_attribute_certificates_get_their_verdicts(
    valid: Entry, examined: Callable[[str], tuple[Verdict, ...]]
) -> None:
    verdicts = examined(valid["file"])
    accepted = [verdict for verdict in verdicts if isinstance(verdict, VomsAttributes)]
    refused = [verdict.code for verdict in verdicts if isinstance(verdict, Rejection)]
    assert [(a.vo, a.host, a.port, list(a.fqans)) for a in accepted] == [
        (ac["vo"], ac["host"], ac["port"], ac["fqans"]) for ac in valid.get("acs", []) if ac["valid"]
    ]
    # A failed LSC check is not followed by a look at local certificates, so one code stands for Java's list.
    assert refused == valid.get("ac_errors", [])[:1]


@pytest.mark.parametrize(
    "file",
    [
        "bad/ac-wrong-key.pem",
        "bad/ac-wrong-holder.pem",
        "bad/ac-no-certs.pem",
        "bad/ac-critical-extension.pem",
        "bad/ac-critical-akid.pem",
        "bad/ac-critical-norevavail.pem",
    ],
)
def test_operators_find_the_text_of_java(
    file: str, reference: dict[str, Entry], examined: Callable[[str], tuple[Verdict, ...]]
) -> None:
    java = str(reference[file]["ac_errors"][0][0]).partition(": ")[2]
    assert [str(verdict) for verdict in examined(file)] == [java]


def test_a_bad_attribute_certificate_behind_a_good_one_costs_only_itself(
    proven: Callable[[str], VerifiedChain], grid_trust: TrustAnchors, grid_voms: VomsTrust, now: datetime
) -> None:
    verified = proven("bad/ac-good-then-bad.pem")
    (attributes,) = voms.verify(verified, grid_voms, grid_trust, now, frozenset())
    assert attributes.fqans == ("/atlas",)


def test_a_bad_attribute_certificate_in_front_refuses(
    proven: Callable[[str], VerifiedChain], grid_trust: TrustAnchors, grid_voms: VomsTrust, now: datetime
) -> None:
    with pytest.raises(Rejection, match="LSC chain description"):
        voms.verify(proven("bad/ac-bad-then-good.pem"), grid_voms, grid_trust, now, frozenset())
