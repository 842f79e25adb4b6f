import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import chain, path, pem
from argus_py.credentials.namespaces import NamespaceFormat
from argus_py.credentials.rejections import NamespaceViolation, NoTrustAnchor, RevocationUnknown
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.store.trustdir import TrustDirectory, load_trust_anchors, load_trust_anchors_above

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEST_CA = ("b1d95bc4", "0f70aaec")  # old and new hash
Refusal = type[NamespaceViolation | NoTrustAnchor | RevocationUnknown]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A trust directory of our own to damage."""
    return Path(shutil.copytree(GRID / "certificates", tmp_path / "certificates"))


def accepts(trust: TrustAnchors, user: str) -> bool:
    text = (GRID / "users" / f"{user}.pem").read_text()
    return bool(path.verify(chain.order(pem.parse_certificates(text)), trust, NOW))


def damage(directory: Path, ending: str, content: bytes) -> None:
    for hash_ in TEST_CA:
        (directory / f"{hash_}.{ending}").write_bytes(content)


def test_links_by_old_and_new_hash_give_one_anchor_each() -> None:
    trust = load_trust_anchors(GRID / "certificates")
    assert trust.problems == ()
    assert len(trust.anchors) == len({anchor.subject for anchor in trust.anchors}) == 6
    assert len(trust.crls) == 5
    assert all(trust.is_proven(crl) for crl in trust.crls)
    assert trust.certificates() == tuple(anchor.x509 for anchor in trust.anchors)


@pytest.mark.parametrize("kept", [0, 1])
def test_either_hash_is_enough(directory: Path, kept: int) -> None:
    for file in directory.glob(f"{TEST_CA[1 - kept]}.*"):
        file.unlink()
    assert accepts(load_trust_anchors(directory), "alice")


def test_the_namespaces_of_the_old_hash_go_first(directory: Path) -> None:
    trust = load_trust_anchors(directory)
    ca = next(anchor for anchor in trust.anchors if anchor.hashes == TEST_CA)
    file = trust.namespace_file(ca, NamespaceFormat.EUGRIDPMA)
    assert file is not None
    assert file.name == f"{TEST_CA[0]}.namespaces"


@pytest.mark.parametrize(
    ("ending", "content", "refusal", "problem"),
    [
        ("0", b"no certificate", NoTrustAnchor, "PEM data not found"),
        ("0", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NoTrustAnchor, "Can not parse"),
        ("0", b" " * 70_000, NoTrustAnchor, "more than 65536 octets"),
        ("r0", b"no CRL", RevocationUnknown, "a CRL cannot be read"),
        ("namespaces", b"TO Issuer SELF ALLOW", NamespaceViolation, "line 1: expected TO ISSUER"),
        ("signing_policy", b"access_id_CA", None, "line 1: expected access_id_CA"),  # not looked at
    ],
)
def test_a_damaged_file_harms_its_ca_alone_and_is_told(
    directory: Path, ending: str, content: bytes, refusal: Refusal | None, problem: str
) -> None:
    damage(directory, ending, content)
    trust = load_trust_anchors(directory)
    assert {told.file for told in trust.problems} == {f"{hash_}.{ending}" for hash_ in TEST_CA}
    assert all(problem in str(told) for told in trust.problems)
    assert accepts(trust, "eacl")
    if refusal is None:
        assert accepts(trust, "alice")
    else:
        with pytest.raises(refusal):
            accepts(trust, "alice")


@pytest.mark.parametrize("ending", ["0", "r0", "namespaces"])
def test_a_file_that_turns_bad_keeps_its_last_good_content(directory: Path, ending: str) -> None:
    trust_directory = TrustDirectory(directory)
    before = trust_directory.load()
    damage(directory, ending, b"damaged")
    after = trust_directory.load()
    assert after.problems
    assert after.anchors == before.anchors
    assert accepts(after, "alice")
    assert trust_directory.load() == after


def test_a_file_that_is_gone_is_forgotten(directory: Path) -> None:
    trust_directory = TrustDirectory(directory)
    assert accepts(trust_directory.load(), "alice")
    for hash_ in TEST_CA:
        (directory / f"{hash_}.0").unlink()
    with pytest.raises(NoTrustAnchor):
        accepts(trust_directory.load(), "alice")


@pytest.mark.parametrize("ending", ["r0", "namespaces"])
def test_what_restrains_a_ca_stays_in_force_for_one_look_after_it_has_vanished(directory: Path, ending: str) -> None:
    trust_directory = TrustDirectory(directory)
    before = trust_directory.load()
    for hash_ in TEST_CA:
        (directory / f"{hash_}.{ending}").unlink()
    after = trust_directory.load()
    assert set(after.crls) == set(before.crls)
    assert set(after.namespaces) == set(before.namespaces)
    assert [str(problem) for problem in after.problems] == [
        f"{hash_}.{ending}: has vanished; what it said stays in force until the next look" for hash_ in sorted(TEST_CA)
    ]
    gone = trust_directory.load()
    assert gone == load_trust_anchors(directory)
    assert len(gone.crls) + len(gone.namespaces) < len(before.crls) + len(before.namespaces)


@pytest.mark.parametrize("content", [b"damaged", (GRID / "certificates" / "bb403f43.r0").read_bytes()])
def test_a_damaged_or_misnamed_file_that_vanishes_restrains_nobody(directory: Path, content: bytes) -> None:
    (directory / "bb403f43.r0").unlink()
    (directory / "d21b23b1.r0").unlink()
    damage(directory, "r0", content)
    trust_directory = TrustDirectory(directory)
    trust_directory.load()
    for hash_ in TEST_CA:
        (directory / f"{hash_}.r0").unlink()
    assert trust_directory.load().crls == load_trust_anchors(directory).crls


def test_a_ca_whose_file_was_taken_from_behind_the_link_is_trusted_no_more(directory: Path) -> None:
    real = directory / "argus-test-ca.pem"
    for hash_ in TEST_CA:
        (directory / f"{hash_}.0").unlink()
        (directory / f"{hash_}.0").symlink_to(real.name)
    trust_directory = TrustDirectory(directory)
    assert accepts(trust_directory.load(), "alice")
    real.unlink()
    with pytest.raises(NoTrustAnchor):
        accepts(trust_directory.load(), "alice")


def test_an_unchanged_directory_gives_an_equal_value_and_is_not_read_again(directory: Path) -> None:
    trust_directory = TrustDirectory(directory)
    before = trust_directory.load()
    after = trust_directory.load()
    assert after == before == load_trust_anchors(directory)
    assert all(one is other for one, other in zip(before.anchors, after.anchors, strict=True))


def test_a_replaced_file_is_seen(directory: Path) -> None:
    trust_directory = TrustDirectory(directory)
    before = trust_directory.load()
    for hash_ in TEST_CA:
        new = directory / "new"
        new.write_text('TO Issuer SELF PERMIT Subject "/nobody"')
        new.rename(directory / f"{hash_}.namespaces")
    after = trust_directory.load()
    assert after != before
    with pytest.raises(NamespaceViolation):
        accepts(after, "alice")


def test_a_file_whose_name_does_not_fit_is_ignored_and_told(directory: Path) -> None:
    (directory / f"{TEST_CA[0]}.0").rename(directory / "00000000.0")
    (directory / f"{TEST_CA[0]}.r0").rename(directory / "00000001.r0")
    trust = load_trust_anchors(directory)
    assert [str(problem) for problem in trust.problems] == [
        "00000000.0: ignored: the name should be b1d95bc4 or 0f70aaec",
        "00000001.r0: ignored: the name should be b1d95bc4 or 0f70aaec",
    ]
    assert accepts(trust, "alice")


def test_the_crl_of_another_ca_under_this_name_says_nothing(directory: Path) -> None:
    other = (directory / "bb403f43.r0").read_bytes()
    damage(directory, "r0", other)
    assert accepts(load_trust_anchors(directory), "alice")


def test_a_forged_crl_is_told_and_refuses(directory: Path) -> None:
    crl = x509.load_pem_x509_crl((directory / f"{TEST_CA[0]}.r0").read_bytes())
    forged = bytearray(crl.public_bytes(Encoding.DER))
    forged[-1] ^= 1  # in the signature
    damage(directory, "r0", bytes(forged))
    trust = load_trust_anchors(directory)
    assert [problem.reason for problem in trust.problems] == [
        "the CRL of CN=Argus Test CA,DC=argus-test,DC=org is not signed by this CA"
    ]
    with pytest.raises(RevocationUnknown, match="not signed"):
        accepts(trust, "alice")


def test_other_files_are_not_looked_at(directory: Path) -> None:
    (directory / "notes.txt").write_text("damaged")
    (directory / "b1d95bc4.crl_url").write_text("damaged")
    (directory / "broken-link").symlink_to("nowhere")
    assert load_trust_anchors(directory).problems == ()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_loop, "Too many levels of symbolic links"),
        (make_pipe, "not a regular file"),
        (make_dangling_link, "missing, or a link that leads nowhere"),
        (Path.mkdir, "not a regular file"),
    ],
)
def test_what_is_no_file_is_told(directory: Path, make: Callable[[Path], None], reason: str) -> None:
    make(directory / "12345678.0")
    assert [str(problem) for problem in load_trust_anchors(directory).problems] == [f"12345678.0: {reason}"]


def test_a_directory_without_cas_is_told(tmp_path: Path) -> None:
    trust = load_trust_anchors(tmp_path)
    assert [problem.reason for problem in trust.problems] == ["no CA certificate in it"]


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"trust directory .*/missing cannot be read: No such file"):
        load_trust_anchors(tmp_path / "missing")


def test_distrusted_versions_are_read_to_the_same_value(directory: Path) -> None:
    trust_directory = TrustDirectory(directory)
    before = trust_directory.load()
    trust_directory.distrust_versions()
    after = trust_directory.load()
    assert after == before
    assert all(one is other for one, other in zip(before.crls, after.crls, strict=True))


def test_a_crl_is_judged_again_when_its_ca_changes(directory: Path) -> None:
    trust_directory = TrustDirectory(directory)
    before = trust_directory.load()
    crl = next(crl for crl in before.crls if TEST_CA[0] in crl.issuer_hashes)
    assert before.is_proven(crl)
    twin = (GRID / "ca" / "evil-twin-ca.pem").read_bytes()
    damage(directory, "0", twin)
    assert not trust_directory.load().is_proven(crl)


@pytest.mark.parametrize("user", ["alice", "eacl", "free", "iota"])
def test_for_one_chain_its_cas_alone_are_looked_at_and_the_verdict_is_the_same(user: str) -> None:
    links = chain.order(pem.parse_certificates((GRID / "users" / f"{user}.pem").read_text())).links
    trust = load_trust_anchors_above(GRID / "certificates", {hash_ for link in links for hash_ in link.issuer_hashes})
    whole = load_trust_anchors(GRID / "certificates")
    assert path.verify(chain.order(link.x509 for link in links), trust, NOW).links[-1] in trust.anchors
    assert set(trust.anchors) < set(whole.anchors)
    assert accepts(trust, user)


def test_for_a_sub_ca_those_above_it_are_looked_at_too(directory: Path) -> None:
    whole = load_trust_anchors(directory)
    sub_ca = next(anchor for anchor in whole.anchors if not anchor.is_self_issued)
    trust = load_trust_anchors_above(directory, sub_ca.hashes)
    assert {anchor.subject for anchor in trust.anchors} == {sub_ca.subject, sub_ca.issuer}
    assert {crl.issuer for crl in trust.crls} <= {sub_ca.subject, sub_ca.issuer}
    with pytest.raises(ConfigurationError):
        load_trust_anchors_above(directory / "missing", sub_ca.hashes)
