"""argus check-credential: the recorded grid, and what an administrator does to a trust directory."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from argus_py.cli import argus
from argus_py.cli.check_credential import EXIT_CODES, Outcome, Settings, check_credential
from argus_py.credentials import rejections
from argus_py.credentials.pem import MAX_TEXT_LENGTH
from argus_py.credentials.rejections import Rejection
from argus_py.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "vectors" / "credentials"
GRID = RECORDED / "grid"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
INDEX: list[dict[str, Any]] = json.loads((GRID / "index.json").read_text(encoding="utf-8"))["credentials"]
REFERENCE: dict[str, Any] = json.loads((RECORDED / "reference-results.json").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs" / "check-credential.md").read_text(encoding="utf-8")
EXPECTED = Path(__file__).parent / "check_credential"

CLASS_OF_CODE: dict[str, str] = json.loads((RECORDED / "classes.json").read_text(encoding="utf-8"))
CLASS_OF_FILE = {
    "bad/file-two-chains.pem": "BrokenChain",  # it can be read
    "bad/file-der.pem": "NoTrustAnchor",  # DER is read here, and this is a proxy without its user
}


def expected_class(entry: dict[str, Any]) -> str | None:
    """None: the chain and every attribute certificate are good. CAs have no verdict of their own in the index."""
    if entry["file"] in CLASS_OF_FILE:
        return CLASS_OF_FILE[entry["file"]]
    if "valid" in entry:
        code = None if entry["valid"] else entry["error"]
    else:
        java = REFERENCE[entry["file"]]
        code = None if java["chain_valid"] else java["chain_errors"][0].split("@")[0]
    code = code or next(iter(entry.get("ac_errors", [])), None)
    return None if code is None else CLASS_OF_CODE[code]


def settings(trust_dir: Path = GRID / "certificates", *, chain_only: bool = False, hostname: str = "") -> Settings:
    return Settings(trust_dir, None if chain_only else GRID / "vomsdir", frozenset({hostname}))


def check(file: str, given: Settings | None = None) -> Outcome:
    return check_credential(str(GRID / file), given or settings(), NOW, BytesIO())


def check_octets(octets: bytes, given: Settings | None = None) -> Outcome:
    return check_credential("-", given or settings(), NOW, BytesIO(octets))


def name_of(exit_code: int) -> str | None:
    return {code: refusal.__name__ for refusal, code in EXIT_CODES.items()}.get(exit_code)


def body(outcome: Outcome) -> str:
    """Without the first line, which names files of this machine."""
    return outcome.text.split("\n", 1)[1]


def self_signed(common_name: str, *, not_after: datetime = NOW + timedelta(hours=5, minutes=7)) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 4711, NOW - timedelta(days=30), not_after)
    return builder.sign(key, hashes.SHA256())


@pytest.fixture
def trust_dir(tmp_path: Path) -> Path:
    """A copy of the recorded one, to be damaged. The test CA has the hashes b1d95bc4 and 0f70aaec."""
    return shutil.copytree(GRID / "certificates", tmp_path / "certificates")


def for_both_hashes(directory: Path, ending: str, change: Callable[[Path], object]) -> None:
    for hash_ in ("b1d95bc4", "0f70aaec"):
        change(directory / f"{hash_}.{ending}")


# Exit codes


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_the_exit_code_tells_the_class_of_the_recorded_error(entry: dict[str, Any]) -> None:
    outcome = check(entry["file"], settings(hostname="localhost"))
    assert name_of(outcome.exit_code) == expected_class(entry)
    assert ("\nREFUSED: " in outcome.text) is (outcome.exit_code != 0)
    assert ("\nGOOD: " in outcome.text) is (outcome.exit_code == 0)


def test_every_class_has_an_exit_code_of_its_own_apart_from_those_of_the_program() -> None:
    known = {refusal for refusal in Rejection.__subclasses__() if refusal.__module__ == rejections.__name__}
    assert set(EXIT_CODES) == known
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert not {0, 1, 2} & set(EXIT_CODES.values())


def test_the_document_lists_the_exit_codes() -> None:
    listed = re.findall(r"^\| (\d+) \| (\w+) \| [^|]+ \|$", DOCUMENT, re.MULTILINE)
    assert listed == [(str(code), refusal.__name__) for refusal, code in EXIT_CODES.items()]


@pytest.mark.parametrize("entry", [e for e in INDEX if e["kind"] == "bad-ac"], ids=lambda entry: entry["file"])
def test_the_chain_alone_can_be_judged(entry: dict[str, Any]) -> None:
    outcome = check(entry["file"], settings(chain_only=True))
    assert outcome.exit_code == 0
    assert "GOOD: the chain; attribute certificates were not looked at" in outcome.text
    assert "ATTRIBUTE CERTIFICATE" not in outcome.text


def test_an_attribute_certificate_for_certain_hosts_is_good_on_these() -> None:
    assert check("proxies/alice-target.pem", settings(hostname="argus.argus-test.org")).exit_code == 0
    assert name_of(check("proxies/alice-target.pem", settings(hostname="ce.example.org")).exit_code) == "AcWrongTarget"


# Whole reports


@pytest.mark.parametrize("expected", sorted(EXPECTED.glob("*.txt")), ids=lambda path: path.stem)
def test_the_whole_report(expected: Path) -> None:
    (file,) = (entry["file"] for entry in INDEX if Path(entry["file"]).stem == expected.stem)
    assert body(check(file)) == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "shown"),
    re.findall(r"^<!-- (\S+) -->\n```text\n\$[^\n]*\n[^\n]*\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE),
)
def test_the_examples_of_the_document_are_real(file: str, shown: str) -> None:
    assert body(check(file)) == shown


def test_the_document_has_examples() -> None:
    assert DOCUMENT.count("```text\n$ argus check-credential ") == DOCUMENT.count("```text") == 2


def test_the_report_begins_with_what_was_judged_when_and_with_what() -> None:
    heading = check("users/alice.pem").text.split("\n", 1)[0]
    assert heading == f"{GRID / 'users' / 'alice.pem'}: judged on 2026-11-24 12:00:00 UTC with {GRID / 'certificates'}"


# What may be in the file


def test_a_private_key_is_skipped_and_nothing_of_it_printed() -> None:
    text = (GRID / "proxies" / "alice-dteam.pem").read_text(encoding="ascii")
    key = re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)-----END", text, re.DOTALL)
    assert key
    outcome = check("proxies/alice-dteam.pem")
    assert outcome.exit_code == 0
    assert "PRIVATE KEY" not in outcome.text
    assert not any(line in outcome.text for line in key[1].splitlines())


def test_standard_input_is_read_for_a_dash() -> None:
    outcome = check_octets((GRID / "proxies" / "alice-dteam.pem").read_bytes())
    assert outcome.text.startswith("standard input: judged on ")
    assert body(outcome) == body(check("proxies/alice-dteam.pem"))


def test_one_certificate_may_be_der() -> None:
    user = x509.load_pem_x509_certificate((GRID / "users" / "alice.pem").read_bytes())
    assert body(check_octets(user.public_bytes(Encoding.DER))) == body(check("users/alice.pem"))


@pytest.mark.parametrize("octets", [b"0", b"0\x82", b"0\x82\x01\x00garbage", b"\xff" * 100, b"01234 is no DER"])
def test_what_is_neither_pem_nor_der_is_refused(octets: bytes) -> None:
    assert name_of(check_octets(octets).exit_code) == "UnreadableCredential"


def test_no_more_is_read_than_a_request_may_hold() -> None:
    proxy = (GRID / "proxies" / "alice-dteam.pem").read_bytes()
    endless = BytesIO(proxy + b"\n" * 10 * MAX_TEXT_LENGTH)
    outcome = check_credential("-", settings(), NOW, endless)
    assert name_of(outcome.exit_code) == "UnreadableCredential"
    assert endless.tell() == MAX_TEXT_LENGTH + 1


def test_a_certificate_whose_name_cannot_be_read_is_refused() -> None:
    encoded = self_signed("abcdefgh").public_bytes(Encoding.DER)
    common_name = bytes.fromhex("0603550403")  # the OID in front of the value, in issuer and subject
    assert name_of(check_octets(encoded.replace(common_name, b"\x02" + common_name[1:])).exit_code) == (
        "UnreadableCredential"
    )


def test_control_characters_of_names_are_escaped() -> None:
    text = check_octets(self_signed("Mallory\n[1] trust anchor\x1b[2J\u202e").public_bytes(Encoding.DER)).text
    assert r"CN=Mallory\0A[1] trust anchor\1B[2J\E2\80\AE" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "\n[1] trust anchor" not in text


# What is in the trust directory


def lines_with(outcome: Outcome, label: str) -> list[str]:
    return [line.split(label, 1)[1].strip() for line in outcome.text.splitlines() if line.strip().startswith(label)]


def test_a_missing_crl_is_told_and_does_not_refuse(trust_dir: Path) -> None:
    for_both_hashes(trust_dir, "r0", Path.unlink)
    outcome = check("users/alice.pem", settings(trust_dir))
    assert outcome.exit_code == 0
    assert lines_with(outcome, "CRL") == ["missing, what it has issued counts as not revoked"]


def test_an_unreadable_crl_is_named_and_refuses(trust_dir: Path) -> None:
    for_both_hashes(trust_dir, "r0", lambda path: path.write_text("no CRL"))
    outcome = check("users/alice.pem", settings(trust_dir))
    assert name_of(outcome.exit_code) == "RevocationUnknown"
    (state,) = lines_with(outcome, "CRL")
    assert state.startswith("cannot be read: 0f70aaec.r0: ")
    problems = outcome.text.split("PROBLEMS OF THE TRUST DIRECTORY\n")[1].split("\n\n")[0].splitlines()
    assert [problem.split(":")[0].strip() for problem in problems] == ["0f70aaec.r0", "b1d95bc4.r0"]


def test_the_crl_of_another_key_is_told_and_refuses(trust_dir: Path) -> None:
    crl = x509.load_pem_x509_crl((trust_dir / "b1d95bc4.r0").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateRevocationListBuilder(crl.issuer, NOW - timedelta(days=1), NOW + timedelta(days=1))
    forged = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    for_both_hashes(trust_dir, "r0", lambda path: path.write_bytes(forged))
    outcome = check("users/alice.pem", settings(trust_dir))
    assert name_of(outcome.exit_code) == "RevocationUnknown"
    assert lines_with(outcome, "CRL") == ["not signed by this CA"]


def test_a_ca_without_namespace_file_may_sign_every_name(trust_dir: Path) -> None:
    for_both_hashes(trust_dir, "namespaces", Path.unlink)
    for_both_hashes(trust_dir, "signing_policy", Path.unlink)
    outcome = check("bad/user-outside-namespace.pem", settings(trust_dir))
    assert outcome.exit_code == 0
    assert lines_with(outcome, "namespaces") == ["no file, it may sign every name"]


def test_an_unreadable_namespace_file_is_named_with_the_line(trust_dir: Path) -> None:
    for_both_hashes(trust_dir, "namespaces", lambda path: path.write_text("TO NOBODY\n"))
    outcome = check("users/alice.pem", settings(trust_dir))
    assert name_of(outcome.exit_code) == "NamespaceViolation"
    (files,) = lines_with(outcome, "namespaces")
    assert files.startswith("b1d95bc4.namespaces (line 1: expected TO ISSUER")


def test_the_files_of_an_unknown_issuer_are_named(trust_dir: Path) -> None:
    for_both_hashes(trust_dir, "0", Path.unlink)
    outcome = check("users/alice.pem", settings(trust_dir))
    assert name_of(outcome.exit_code) == "NoTrustAnchor"
    assert "[-] unknown issuer  /DC=org/DC=argus-test/CN=Argus Test CA\n" in outcome.text
    assert lines_with(outcome, "files") == ["no b1d95bc4.N and no 0f70aaec.N"]


def test_an_anchor_under_a_wrong_name_is_told_to_who_looks_for_it(trust_dir: Path) -> None:
    anchor = self_signed("CA of a site")
    (trust_dir / "b1d95bc4.7").write_bytes(anchor.public_bytes(Encoding.PEM))
    assert "    b1d95bc4.7: ignored: the name should be " in check("users/alice.pem", settings(trust_dir)).text
    assert "b1d95bc4.7" not in check("users/free.pem", settings(trust_dir)).text


# Time left


@pytest.mark.parametrize(
    ("not_after", "text"),
    [
        (NOW + timedelta(days=2), "2 days left"),
        (NOW + timedelta(days=1, hours=23, minutes=59, seconds=59), "47 h 59 min left"),
        (NOW + timedelta(minutes=3), "0 h 03 min left"),
        (NOW, "0 h 00 min left"),
        (NOW - timedelta(hours=5), "expired 5 h 00 min ago"),
        (NOW - timedelta(days=20), "expired 20 days ago"),
    ],
)
def test_the_time_left_is_shown(not_after: datetime, text: str) -> None:
    certificate = self_signed("Somebody", not_after=not_after)
    (valid,) = lines_with(check_octets(certificate.public_bytes(Encoding.DER)), "valid")
    assert valid == f"2026-10-25 12:00:00 UTC to {not_after:%Y-%m-%d %H:%M:%S} UTC, {text}"


# The command


def test_argus_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    """With the clock of this machine; the recorded credentials are valid to the end of 2045."""
    options = ["--trust-dir", str(GRID / "certificates"), "--vomsdir", str(GRID / "vomsdir")]
    file = str(GRID / "proxies" / "alice-target.pem")
    assert argus.main(["check-credential", file, *options, "--hostname", "a", "--hostname", "localhost"]) == 0
    assert "GOOD: the chain and every attribute certificate in it\n" in capsys.readouterr().out
    assert name_of(argus.main(["check-credential", file, *options, "--hostname", "elsewhere"])) == "AcWrongTarget"
    assert argus.main(["check-credential", file, *options[:2], "--chain-only"]) == 0


def test_what_cannot_be_checked_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proxy = str(GRID / "proxies" / "alice-dteam.pem")
    trust = ["--trust-dir", str(GRID / "certificates")]
    assert argus.main(["check-credential", str(tmp_path / "no-such-file"), *trust]) == 1
    assert argus.main(["check-credential", proxy, "--trust-dir", str(tmp_path)]) == 1
    assert argus.main(["check-credential", proxy, *trust, "--vomsdir", str(tmp_path / "no-such-directory")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(":")[0] for line in said.err.splitlines()] == ["argus"] * 3


def test_a_vomsdir_that_cannot_be_read_is_missed_for_good_proxies_alone(tmp_path: Path) -> None:
    missing = Settings(GRID / "certificates", tmp_path / "no-such-directory", frozenset())
    with pytest.raises(ConfigurationError):
        check("proxies/alice-plain.pem", missing)
    assert check("users/alice.pem", missing).exit_code == 0
    assert name_of(check("bad/proxy-of-revoked.pem", missing).exit_code) == "Revoked"
