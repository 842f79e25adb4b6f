"""Every recorded credential here and in the programs of the field: canl, voms-api-java, VOMS C, LCMAPS, OpenSSL.

Where a program says something else than we do, it stands in its table with the reason; a row that is no difference any
more fails as a difference without a row does.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.credentials import chain, path, pem, rejections, voms
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.voms import VomsAttributes
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

Facts = dict[str, Any]

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "credentials"
RECORDED: dict[str, Facts] = json.loads((VECTORS / "reference-results.json").read_text(encoding="utf-8"))
INDEX: list[Facts] = json.loads((VECTORS / "grid" / "index.json").read_text(encoding="utf-8"))["credentials"]
TRUST = load_trust_anchors(VECTORS / "grid" / "certificates")
VOMS = load_voms_trust(VECTORS / "grid" / "vomsdir")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTNAMES = frozenset({"localhost"})  # what the host of the recordings was called
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n", re.DOTALL)

CLASS_OF_CODE: dict[str, str] = json.loads((VECTORS / "classes.json").read_text(encoding="utf-8"))

CANL_BREAKS_DOWN = {
    "bad/user-evil-twin.pem": "null pointer where the CRL of the real CA lies beside the other key; refused here",
    "bad/proxy-of-evil-twin.pem": "the same",
    "voms/voms-evil-twin.pem": "the same",
}
NOT_AS_VOMS_API_JAVA = {
    "bad/ac-holder-serial.pem": "Java compares the name of the holder and not the serial number",
    "bad/ac-foreign-fqans.pem": "Java lets a server of one VO speak for every other",
    "bad/ac-pem-crossvo.pem": "Java trusts a server certificate in the vomsdir of one VO for every VO",
    "proxies/alice-multichain.pem": "Java joins the alternative chains of an LSC file to one that never fits",
    "proxies/alice-newformat.pem": "Java refuses a holder given by its issuer, which is what RFC 5755 asks for",
}
VOMS_API_JAVA_BREAKS_DOWN = {
    "bad/ac-evil-twin.pem": "null pointer in canl, as for the chains of the evil twin",
    "bad/ac-garbage.pem": "no check of the structure",
    "bad/ac-no-akid.pem": "null pointer",
    "bad/ac-no-scheme.pem": "an exception for what is a bad attribute certificate here",
    "bad/ac-no-port.pem": "index out of bounds",
    "bad/ac-utf8-values.pem": "an exception for what is a bad attribute certificate here",
    "bad/ac-no-fqans.pem": "the same",
}
NOT_AS_VOMS_C = {
    "bad/ac-no-fqans.pem": "C accepts an attribute certificate that says nothing",
    "bad/ac-good-then-bad.pem": "C refuses all if one is bad; here the good one counts, as in Java",
    "bad/ac-bad-then-good.pem": "the same; the caller decides what a bad first one means",
    "proxies/alice-target.pem": "C compares the machine's own name, here the configured ones count",
}
NOT_AS_VERIFY_PROXY = {
    "users/cnproxy.pem": "an end entity called Proxy is taken for a legacy proxy, as in Java",
    "bad/user-outside-namespace.pem": "LCMAPS knows no namespaces",
    "bad/user-outside-eacl.pem": "the same",
    "bad/proxy-of-outside.pem": "the same",
    "proxies/alice-dteam-shuffled.pem": "key-info may come in any order, as in Java",
}
NOT_AS_OPENSSL = {
    "ca/argus-test-free-ca.pem": "asked to look at CRLs, OpenSSL refuses where there is none",
    "users/free.pem": "the same",
    "users/cnproxy.pem": "an end entity called Proxy is taken for a legacy proxy, as in Java",
    "bad/user-outside-namespace.pem": "OpenSSL knows no namespaces",
    "bad/user-outside-eacl.pem": "the same",
    "bad/proxy-of-outside.pem": "the same",
    "proxies/alice-legacy.pem": "OpenSSL knows RFC 3820 proxies alone",
    "proxies/alice-legacy-limited.pem": "the same",
    "proxies/alice-draft.pem": "the same",
    "bad/proxy-of-revoked.pem": "asked for the leaf's CRL, OpenSSL looks at the proxy and not at the end entity",
    "bad/proxy-escalation.pem": "OpenSSL does not read the policy language, so it sees no limit that is exceeded",
}


def proven(file: str) -> VerifiedChain | Rejection:
    text = _PRIVATE_KEY.sub("", (VECTORS / "grid" / file).read_text(encoding="latin-1"))
    try:
        return path.verify(chain.order(pem.parse_certificates(text)), TRUST, NOW)
    except Rejection as error:
        return error


CHAINS = {file: proven(file) for file in RECORDED}
ATTRIBUTES = {
    file: voms.examine(verdict, VOMS, TRUST, NOW, HOSTNAMES)
    for file, verdict in CHAINS.items()
    if isinstance(verdict, VerifiedChain)
}


def accepted(file: str) -> bool:
    return isinstance(CHAINS[file], VerifiedChain)


def differing(differs: Callable[[str, Facts], bool]) -> list[str]:
    return sorted(file for file, facts in RECORDED.items() if differs(file, facts))


def rows(*tables: Mapping[str, str]) -> list[str]:
    return sorted(file for table in tables for file in table)


def expected_code(entry: Facts) -> str | None:
    """None: the chain is good. CAs have no verdict in the index, but canl has judged them."""
    if entry["file"] == "bad/file-two-chains.pem":
        return "two chains"
    if "valid" in entry:
        return None if entry["valid"] else str(entry["error"])
    errors = RECORDED[entry["file"]].get("chain_errors")
    return str(errors[0]).partition("@")[0] if errors else None


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: str(entry["file"]))
def test_every_recorded_credential_gets_the_expected_verdict_and_error_class(entry: Facts) -> None:
    verdict = CHAINS[entry["file"]]
    code = expected_code(entry)
    if code is not None:
        assert type(verdict).__name__ == CLASS_OF_CODE[code]
        return
    assert isinstance(verdict, VerifiedChain)
    refused = [type(ac).__name__ for ac in ATTRIBUTES[entry["file"]] if isinstance(ac, Rejection)]
    assert refused == [CLASS_OF_CODE[code] for code in entry.get("ac_errors", [])[:1]]


def test_every_class_of_rejection_is_one_of_the_package() -> None:
    assert all(issubclass(getattr(rejections, name), Rejection) for name in CLASS_OF_CODE.values())


def test_canl_agrees_on_chains() -> None:
    def differs(file: str, facts: Facts) -> bool:
        return "exception" in facts or accepted(file) is not facts.get("chain_valid", False)

    assert differing(differs) == rows(CANL_BREAKS_DOWN)


def test_voms_api_java_agrees_on_attribute_certificates() -> None:
    def differs(file: str, facts: Facts) -> bool:
        if file not in ATTRIBUTES:
            return False
        here = [isinstance(verdict, VomsAttributes) for verdict in ATTRIBUTES[file]]
        return "ac_exception" in facts or here != facts.get("ac_valid", [])

    assert differing(differs) == rows(NOT_AS_VOMS_API_JAVA, VOMS_API_JAVA_BREAKS_DOWN)


def test_the_c_library_agrees_on_attribute_certificates() -> None:
    def differs(file: str, facts: Facts) -> bool:
        if file not in ATTRIBUTES or "voms_c_api" not in facts:
            return False
        here = [[ac.vo, list(ac.fqans)] for ac in ATTRIBUTES[file] if isinstance(ac, VomsAttributes)]
        return bool(here != facts["voms_c_api"].get("acs", []))

    assert differing(differs) == rows(NOT_AS_VOMS_C)


def test_lcmaps_agrees_on_chains() -> None:
    def differs(file: str, facts: Facts) -> bool:
        return "verify_proxy" in facts and accepted(file) is not (facts["verify_proxy"] == 0)

    assert differing(differs) == rows(NOT_AS_VERIFY_PROXY)


def test_openssl_agrees_on_chains() -> None:
    def differs(file: str, facts: Facts) -> bool:
        return "openssl_verify" in facts and accepted(file) is not (facts["openssl_verify"] == "OK")

    assert differing(differs) == rows(NOT_AS_OPENSSL)
