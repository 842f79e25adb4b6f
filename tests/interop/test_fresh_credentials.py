"""Credentials that did not exist a minute ago, made by Debian's openssl and voms-proxy-fake, judged here and by them.

Nothing of it can expire in a repository. Proxies live twelve hours as everywhere; what is to be expired, or not valid
yet, is judged at another time.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from argus_py.credentials import chain, path, pem, voms
from argus_py.credentials.attribute_certificate import VOMS_EXTENSION
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.proxy import ProxyInfo, ProxyType
from argus_py.credentials.rejections import (
    AcBadSignature,
    AcExtension,
    AcIssuerNotTrusted,
    AcNotValidNow,
    AcWrongHolder,
    AcWrongTarget,
    BadAttributeCertificate,
    BadProxy,
    BadSignature,
    BrokenChain,
    NamespaceViolation,
    NoTrustAnchor,
    NotValidNow,
    ProxyEscalation,
    ProxyPathTooLong,
    Rejection,
    RevocationUnknown,
    Revoked,
    UnknownCriticalExtension,
    UnreadableCredential,
)
from argus_py.credentials.trust import TrustAnchors
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

TOOLS = ("openssl", "voms-proxy-fake", "voms-proxy-info")
if not all(map(shutil.which, TOOLS)):
    pytest.skip(f"needs {', '.join(TOOLS)} (Debian: openssl, voms-clients)", allow_module_level=True)

BASE = "/DC=org/DC=example"
CA, SUB_CA = f"{BASE}/CN=Fresh CA", f"{BASE}/CN=Fresh Sub CA"
ALICE, BOB, CAROL = f"{BASE}/CN=Alice Adams", f"{BASE}/CN=Bob Brown", f"{BASE}/CN=Carol Clark"
VOMS_HOST = "voms.example.org"
HOSTNAMES = frozenset({"argus.example.org"})
NO_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n", re.DOTALL)
REQUEST_CONFIG = "[req]\ndistinguished_name = dn\n[dn]\n"  # the system's own adds the extensions of a CA
CA_CONFIG = """[ca]
default_ca = own
[own]
database = {folder}/{name}.index
crlnumber = {folder}/{name}.crlnumber
default_md = sha256
default_crl_days = 2
"""
AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash")
END_ENTITY = ("basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment")


def run(*command: str | Path, **environment: str) -> str:
    """What it printed; a tool that fails fails the test with its own words."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Grid:
    """A folder with a CA (name.pem, name.key), what it issued, a trust directory and a vomsdir."""

    folder: Path

    @property
    def trust_directory(self) -> Path:
        return self.folder / "certificates"

    @property
    def vomsdir(self) -> Path:
        return self.folder / "vomsdir"

    def file(self, name: str) -> Path:
        return self.folder / name

    def issue(self, name: str, subject: str, issuer: str | None, *extensions: str, key: str = "rsa:2048") -> None:
        """One certificate in ``name.pem`` with its key in ``name.key``; self-signed without issuer."""
        command: list[str | Path] = ["openssl", "req", "-x509", "-newkey", key, "-nodes", "-utf8", "-days", "10"]
        command += ["-config", self.file("request.cnf")]
        command += ["-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else []
        command += ["-subj", subject, "-keyout", self.file(f"{name}.key"), "-out", self.file(f"{name}.pem")]
        command += ["-CA", self.file(f"{issuer}.pem"), "-CAkey", self.key_file(issuer)] if issuer else []
        for extension in extensions:
            command += ["-addext", extension]
        run(*command)

    def key_file(self, name: str) -> Path:
        """The file of a proxy holds its key."""
        own = self.file(f"{name}.key")
        return own if own.exists() else self.file(f"{name}.pem")

    def publish(self, name: str, subject: str, *revoked: str) -> None:
        """Put a CA into the trust directory, with its namespace and a CRL."""
        config, certificate = self.file(f"{name}.cnf"), self.file(f"{name}.pem")
        config.write_text(CA_CONFIG.format(folder=self.folder, name=name))
        self.file(f"{name}.index").touch()
        self.file(f"{name}.crlnumber").write_text("01\n")
        authority = ("-config", config, "-cert", certificate, "-keyfile", self.file(f"{name}.key"))
        for listed in revoked:
            run("openssl", "ca", *authority, "-revoke", self.file(f"{listed}.pem"))
        crl = run("openssl", "ca", *authority, "-gencrl")
        rule = f'TO Issuer "{subject}" PERMIT Subject "{BASE}/.*"\n'
        for option in ("-subject_hash", "-subject_hash_old"):  # programs of the field look for one or the other
            hash_ = run("openssl", "x509", "-noout", option, "-in", certificate).strip()
            shutil.copy(certificate, self.trust_directory / f"{hash_}.0")
            (self.trust_directory / f"{hash_}.r0").write_text(crl)
            (self.trust_directory / f"{hash_}.namespaces").write_text(rule)

    def fake(self, name: str, user: str, *options: str) -> None:
        """A proxy file by voms-proxy-fake: certificate, key, certificate of the user."""
        command = ["voms-proxy-fake", "-quiet", "-bits", "1024", "-path-length", "-1"]
        command += [option.replace("{folder}", str(self.folder)) for option in options]
        own = ("-cert", self.file(f"{user}.pem"), "-key", self.file(f"{user}.key"))
        run(*command, *own, "-certdir", self.trust_directory, "-out", self.file(f"{name}.pem"))

    def delegate(self, name: str, issuer: str, subject: str, *extensions: str) -> None:
        """A proxy of a user or of a proxy, by openssl."""
        self.issue(name, subject, issuer, "keyUsage=critical,digitalSignature", *extensions, key="rsa:1024")
        with self.file(f"{name}.pem").open("a") as file:
            file.write(self.certificates_in(issuer))

    def certificates_in(self, name: str) -> str:
        return NO_KEY.sub("", self.file(f"{name}.pem").read_text())

    @property
    def trust(self) -> TrustAnchors:
        return load_trust_anchors(self.trust_directory)

    def judge(self, name: str, later: timedelta = timedelta(minutes=30)) -> VerifiedChain:
        """The verdict of the site on a file, that long after its leaf became valid."""
        certificates = pem.parse_certificates(self.certificates_in(name))
        return path.verify(chain.order(certificates), self.trust, self.moment(name, later))

    def moment(self, name: str, later: timedelta) -> datetime:
        return pem.parse_certificates(self.certificates_in(name))[0].not_valid_before_utc + later

    def fqans(self, name: str, later: timedelta = timedelta(minutes=30)) -> list[str]:
        """What the attribute certificates in a file assert."""
        site = (load_voms_trust(self.vomsdir), self.trust, self.moment(name, later), HOSTNAMES)
        return [fqan for ac in voms.verify(self.judge(name, later), *site) for fqan in ac.fqans]


def ac(*fqans: str, vo: str = "dteam", host: str = VOMS_HOST, server: str = "voms", key: str = "voms") -> list[str]:
    """Options for an attribute certificate; ``Grid.fake`` fills ``{folder}`` in."""
    options = ["-voms", vo, "-uri", f"{host}:15000"]
    options += ["-hostcert", f"{{folder}}/{server}.pem", "-hostkey", f"{{folder}}/{key}.key"]
    return options + [part for fqan in fqans for part in ("-fqan", fqan)]


PILOT, MEMBER = "/dteam/Role=pilot", "/dteam"


def targeted(host: bytes) -> list[str]:
    """SEQUENCE { SEQUENCE { SEQUENCE { [0] { [6] host } } } }; the program's own -target writes an empty list."""
    octets = bytes((0x86, len(host))) + host
    for tag in (0xA0, 0x30, 0x30, 0x30):
        octets = bytes((tag, len(octets))) + octets
    return ["-acextension", f"2.5.29.55/true~{octets.hex().upper()}"]


# name: (user, options of voms-proxy-fake, kind of proxy, FQANs)
RFC, LIMITED = ProxyInfo(ProxyType.RFC, limited=False), ProxyInfo(ProxyType.RFC, limited=True)
GOOD: dict[str, tuple[str, list[str], ProxyInfo, list[str]]] = {
    "plain": ("alice", ["-rfc"], RFC, []),
    "member": ("alice", ["-rfc", *ac(MEMBER)], RFC, [MEMBER]),
    "pilot": ("alice", ["-rfc", *ac(PILOT, MEMBER)], RFC, [PILOT, MEMBER]),
    "below-sub-ca": ("bob", ["-rfc", *ac(MEMBER)], RFC, [MEMBER]),
    "limited": ("alice", ["-rfc", "-limited", *ac(MEMBER)], LIMITED, [MEMBER]),
    "no-more": ("alice", ["-rfc", "-path-length", "0"], ProxyInfo(ProxyType.RFC, limited=False, path_length=0), []),
    "legacy": ("alice", ["-proxyver", "2", *ac(PILOT)], ProxyInfo(ProxyType.LEGACY, limited=False), [PILOT]),
    "legacy-limited": ("alice", ["-proxyver", "2", "-limited"], ProxyInfo(ProxyType.LEGACY, limited=True), []),
    "draft": ("alice", ["-proxyver", "3", *ac(PILOT)], ProxyInfo(ProxyType.DRAFT, limited=False), [PILOT]),
    "new-format": ("alice", ["-rfc", "-newformat", *ac(MEMBER)], RFC, [MEMBER]),
    "generic": ("alice", ["-rfc", *ac(MEMBER), "-ga", "nickname = aadams"], RFC, [MEMBER]),
    "for-us": ("alice", ["-rfc", *ac(MEMBER), *targeted(b"argus.example.org")], RFC, [MEMBER]),
}
BAD_CHAINS: dict[str, tuple[str, list[str], type[Rejection]]] = {
    "of-revoked": ("carol", ["-rfc"], Revoked),
    "of-unknown": ("stranger", ["-rfc"], NoTrustAnchor),
    "of-twin": ("twin-alice", ["-rfc"], NoTrustAnchor),
    "of-outsider": ("outsider", ["-rfc"], NamespaceViolation),
    "of-no-signer": ("no-signer", ["-rfc"], BadProxy),
    "other-subject": ("alice", ["-rfc", "-newsubject", f"{BOB}/CN=1"], BadProxy),
}
BAD_ACS: dict[str, tuple[str, list[str], type[Rejection]]] = {
    "other-key": ("alice", ["-rfc", *ac(MEMBER, key="alice")], AcBadSignature),
    "imposter": ("alice", ["-rfc", *ac(MEMBER, server="bob", key="bob")], AcIssuerNotTrusted),
    "twin-server": ("alice", ["-rfc", *ac(MEMBER, server="twin-voms", key="twin-voms")], AcIssuerNotTrusted),
    "other-host": ("alice", ["-rfc", *ac(MEMBER, host="elsewhere.example.org")], AcIssuerNotTrusted),
    "other-vo": ("alice", ["-rfc", *ac("/ops", vo="ops")], AcIssuerNotTrusted),
    "foreign-fqan": ("alice", ["-rfc", *ac("/ops/Role=admin")], BadAttributeCertificate),
    "not-for-us": ("alice", ["-rfc", *ac(MEMBER), *targeted(b"elsewhere.example.org")], AcWrongTarget),
    "critical": ("alice", ["-rfc", *ac(MEMBER), "-acextension", "1.2.3.4.5/true:x"], AcExtension),
}
FULL_PROXY = "proxyCertInfo=critical,language:id-ppl-inheritAll"
LIMITED_PROXY = "proxyCertInfo=critical,language:1.3.6.1.4.1.3536.1.1.1.9"


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    made = Grid(tmp_path_factory.mktemp("grid"))
    made.trust_directory.mkdir()
    made.file("request.cnf").write_text(REQUEST_CONFIG)
    (made.vomsdir / "dteam").mkdir(parents=True)
    made.issue("ca", CA, None, *AUTHORITY, key="ec")
    made.issue("sub-ca", SUB_CA, "ca", *AUTHORITY, key="ec")
    made.issue("twin-ca", CA, None, *AUTHORITY, key="ec")
    made.issue("stranger-ca", "/C=XX/CN=Stranger CA", None, *AUTHORITY, key="ec")
    for name, subject, issuer in (
        ("alice", ALICE, "ca"),
        ("bob", BOB, "sub-ca"),
        ("carol", CAROL, "ca"),
        ("outsider", "/C=XX/CN=Oscar Outside", "ca"),
        ("stranger", "/C=XX/CN=Uma Unknown", "stranger-ca"),
        ("twin-alice", ALICE, "twin-ca"),
        ("voms", f"{BASE}/CN={VOMS_HOST}", "ca"),
        ("twin-voms", f"{BASE}/CN={VOMS_HOST}", "twin-ca"),
    ):
        made.issue(name, subject, issuer, *END_ENTITY)
    made.issue("no-signer", f"{BASE}/CN=Nora", "ca", END_ENTITY[0], "keyUsage=critical,keyEncipherment")
    made.publish("ca", CA, "carol")
    made.publish("sub-ca", SUB_CA)
    (made.vomsdir / "dteam" / f"{VOMS_HOST}.lsc").write_text(f"{BASE}/CN={VOMS_HOST}\n{CA}\n")
    for name, (user, options, *_) in (GOOD | BAD_CHAINS | BAD_ACS).items():
        made.fake(name, user, *options)
    return made


def subject_of_leaf(grid: Grid, name: str) -> str:
    return grid.judge(name).links[0].subject.slash()


@pytest.mark.parametrize("name", GOOD)
def test_good_proxies_prove_their_user_and_attributes(grid: Grid, name: str) -> None:
    user, _, kind, fqans = GOOD[name]
    verified = grid.judge(name)
    assert verified.subject.slash() == {"alice": ALICE, "bob": BOB}[user]
    assert [link.proxy for link in verified.links[: verified.proxy_count]] == [kind]
    assert grid.fqans(name) == fqans


@pytest.mark.parametrize("name", GOOD)
def test_voms_proxy_info_reads_the_same(grid: Grid, name: str) -> None:
    def info(option: str) -> list[str]:
        site = {"X509_CERT_DIR": str(grid.trust_directory), "X509_VOMS_DIR": str(grid.vomsdir)}
        return run("voms-proxy-info", "-file", grid.file(f"{name}.pem"), option, **site).splitlines()

    assert info("-identity") == [grid.judge(name).subject.slash()]
    if GOOD[name][3]:
        printed = [re.sub("/(Role|Capability)=NULL", "", fqan) for fqan in info("-fqan")]
        assert printed == grid.fqans(name)


@pytest.mark.parametrize("name", [name for name, (*_, kind, _) in GOOD.items() if kind.type is ProxyType.RFC])
def test_openssl_accepts_the_same(grid: Grid, name: str) -> None:
    file = grid.file(f"{name}.pem")
    run("openssl", "verify", "-allow_proxy_certs", "-CApath", grid.trust_directory, "-untrusted", file, file)


@pytest.mark.parametrize("name", BAD_CHAINS)
def test_bad_chains_are_refused_for_their_reason(grid: Grid, name: str) -> None:
    with pytest.raises(BAD_CHAINS[name][2]):
        grid.judge(name)


@pytest.mark.parametrize("name", BAD_ACS)
def test_bad_attribute_certificates_are_refused_for_their_reason(grid: Grid, name: str) -> None:
    assert grid.judge(name).subject.slash() == ALICE
    with pytest.raises(BAD_ACS[name][2]):
        grid.fqans(name)


# The issuer, what is appended to its name, extensions, the verdict
DELEGATIONS: list[tuple[str, str, Sequence[str], type[Rejection] | None]] = [
    ("pilot", "/CN=1", [FULL_PROXY], None),
    ("pilot", "/CN=1", [LIMITED_PROXY], None),
    ("limited", "/CN=1", [LIMITED_PROXY], None),
    ("legacy", "/CN=proxy", [], None),
    ("limited", "/CN=1", [FULL_PROXY], ProxyEscalation),
    ("legacy-limited", "/CN=proxy", [], ProxyEscalation),
    ("pilot", "/CN=proxy", [], ProxyEscalation),
    ("no-more", "/CN=1", [FULL_PROXY], ProxyPathTooLong),
    ("pilot", "/CN=1", [FULL_PROXY, "subjectAltName=DNS:localhost"], BadProxy),
    ("pilot", "/CN=1/CN=2", [FULL_PROXY], BadProxy),
    ("alice", "/CN=1", [FULL_PROXY, "basicConstraints=critical,CA:TRUE"], BadProxy),
    ("alice", "/OU=1", [FULL_PROXY], BadProxy),
    ("alice", "/CN=1", [FULL_PROXY, "1.2.3.4.5=critical,DER:05:00"], UnknownCriticalExtension),
    ("alice", "/CN=1", [], BrokenChain),
]


@pytest.mark.parametrize(("issuer", "suffix", "extensions", "refused"), DELEGATIONS)
def test_proxies_made_by_openssl(
    grid: Grid, issuer: str, suffix: str, extensions: Sequence[str], refused: type[Rejection] | None
) -> None:
    grid.delegate("delegated", issuer, subject_of_leaf(grid, issuer) + suffix, *extensions)
    if refused is None:
        assert grid.judge("delegated").proxy_count == 2
        assert grid.fqans("delegated") == grid.fqans(issuer)
    else:
        with pytest.raises(refused):
            grid.judge("delegated")


def test_a_proxy_does_not_outlive_its_hours(grid: Grid) -> None:
    assert grid.judge("pilot", timedelta(hours=11))
    with pytest.raises(NotValidNow, match="expired"):
        grid.judge("pilot", timedelta(hours=13))
    with pytest.raises(NotValidNow, match="not yet valid"):
        grid.judge("pilot", -timedelta(minutes=6))


def test_an_attribute_certificate_may_expire_first(grid: Grid) -> None:
    grid.fake("short", "alice", "-rfc", *ac(MEMBER), "-vomslife", "2")
    assert grid.fqans("short", timedelta(hours=1)) == [MEMBER]
    with pytest.raises(AcNotValidNow):
        grid.fqans("short", timedelta(hours=3))


def test_a_crl_that_is_not_renewed_refuses_everybody(grid: Grid) -> None:
    with pytest.raises(RevocationUnknown, match="expired on"):
        grid.judge("alice", timedelta(days=3))


def test_an_attribute_certificate_belongs_to_its_holder(grid: Grid) -> None:
    leaf = Certificate(pem.parse_certificates(grid.certificates_in("member"))[0])
    stolen = leaf.extensions[VOMS_EXTENSION].value.hex(":")
    grid.delegate("thief", "bob", f"{BOB}/CN=1", FULL_PROXY, f"{VOMS_EXTENSION}=DER:{stolen}")
    assert grid.judge("thief").subject.slash() == BOB
    with pytest.raises(AcWrongHolder):
        grid.fqans("thief")


def test_a_proxy_without_its_issuer_proves_nobody(grid: Grid) -> None:
    """The certificates of two proxies of one user, mixed: the names fit, the signature does not."""
    grid.delegate("child", "pilot", f"{subject_of_leaf(grid, 'pilot')}/CN=1", FULL_PROXY)
    child, parent, user = pem.parse_certificates(grid.certificates_in("child"))
    grid.delegate("sister", "alice", Certificate(parent).subject.slash(), FULL_PROXY)
    sister = pem.parse_certificates(grid.certificates_in("sister"))[0]
    with pytest.raises(BadSignature):
        path.verify(UnverifiedChain.of((child, sister, user)), grid.trust, grid.moment("child", timedelta(minutes=30)))


def test_a_file_that_was_cut_is_unreadable(grid: Grid) -> None:
    grid.file("cut.pem").write_text(grid.certificates_in("pilot")[:-30])
    with pytest.raises(UnreadableCredential):
        grid.judge("cut")
