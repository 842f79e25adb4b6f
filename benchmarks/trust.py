"""A trust directory larger than that of the grid: 200 CAs, each with a CRL of 50,000 entries.

Beside the time and memory that loading takes it shows what requests notice of it: a thread that validates one chain
after the other runs along, with itself on an idle process as the yardstick.
"""

import hashlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials import der, names, path
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.crl import read_crl
from argus_py.store.trustdir import TrustDirectory
from benchmarks.tables import Row, microseconds, show

Look = Callable[[], object]

_CAS = 200
_ENTRIES = 50_000
_ROUNDS = 3
_FIRST_SERIAL = 1 << 63  # as long as the random ones that CAs use now
_NOW = datetime.now(UTC).replace(microsecond=0)
_STATM = Path("/proc/self/statm")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="argus-trust-") as folder:
        site = _Site(Path(folder))
        _loading(site)
        _question(site)
        _requests(site)


class _Site:
    """The directory. All CAs share one key, and their lists all but the issuer; neither saves the reader any work."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._key = rsa.generate_private_key(65537, 2048)
        self._lists = self._list(_ENTRIES), self._list(_ENTRIES - 1)
        for number in range(_CAS):
            self._write(self._certificate(number, _name(number), is_ca=True).public_bytes(Encoding.PEM), number, "0")
            self.issue_crl(number)
        user = x509.Name.from_rfc4514_string("CN=User,DC=org")
        self.chain = UnverifiedChain.of([self._certificate(0, user, is_ca=False)])

    def issue_crl(self, number: int, version: int = 0) -> None:
        self._write(self.crl(number, version), number, "r0")

    def crl(self, number: int, version: int = 0) -> bytes:
        """The list of the first CA, for another one; ``version`` 1 has one entry less."""
        (_, _, tbs), (_, _, algorithm), _ = der.elements(der.content(self._lists[version], der.SEQUENCE))
        tbs = tbs.replace(_name(0).public_bytes(), _name(number).public_bytes())
        signature = der.encode(der.BIT_STRING, b"\0" + self._key.sign(tbs, PKCS1v15(), hashes.SHA256()))
        return der.encode(der.SEQUENCE, tbs + algorithm + signature)

    def _write(self, content: bytes, number: int, ending: str) -> None:
        """Under both hashes, as links to the same file would be."""
        old, new = names.hashes(_name(number).public_bytes())
        (self.directory / "new").write_bytes(content)
        (self.directory / "new").rename(self.directory / f"{old}.{ending}")
        link = self.directory / f"{new}.{ending}"
        if not link.is_symlink():
            link.symlink_to(f"{old}.{ending}")

    def _list(self, entries: int) -> bytes:
        revoked = [x509.RevokedCertificateBuilder(_FIRST_SERIAL + number, _NOW).build() for number in range(entries)]
        builder = x509.CertificateRevocationListBuilder(_name(0), _NOW, _NOW + timedelta(days=30), [], revoked)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _certificate(self, issuer: int, subject: x509.Name, *, is_ca: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .issuer_name(_name(issuer))
            .subject_name(subject)
            .public_key(self._key.public_key())
            .serial_number(_FIRST_SERIAL + _ENTRIES)
            .not_valid_before(_NOW - timedelta(days=1))
            .not_valid_after(_NOW + timedelta(days=30))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def _loading(site: _Site) -> None:
    directory = TrustDirectory(site.directory)
    before = _resident()
    load = [_seconds(directory.load)]
    grown = _resident() - before
    load += [_seconds(TrustDirectory(site.directory).load) for _ in range(_ROUNDS - 1)]
    rows = [
        _row(f"load {_CAS} CAs with CRLs of {_ENTRIES:,} entries; read and hash the files", load, _hash_all(site)),
        _row("look at the directory, nothing is new; stat the files", _rounds(directory.load), _stat_all(site)),
    ]
    changed, anew = [], []
    for number in range(_ROUNDS):
        site.issue_crl(number, version=1)
        changed.append(_seconds(directory.load))
        directory.distrust_versions()
        anew.append(_seconds(directory.load))
    one = _rounds(lambda: _hash(site.directory / f"{names.hash_old(_name(0).public_bytes())}.r0"))
    rows.append(_row("take up one new CRL; read and hash it", changed, one))
    rows.append(_row("read all anew, nothing has changed; read and hash the files", anew, _hash_all(site)))
    show("A large trust directory, milliseconds", "argus", "yardstick", rows)
    size = sum(file.stat().st_size for file in site.directory.glob("*.r0") if not file.is_symlink())
    show("Its memory, MiB", "argus", "its CRLs on disk", [Row("resident", grown / 2**20, size / 2**20)])


def _question(site: _Site) -> None:
    crl = read_crl(site.crl(0))
    ask = crl.decoded.get_revoked_certificate_by_serial_number
    serials = {"is not listed": _FIRST_SERIAL - 1, "is the last one": _FIRST_SERIAL + _ENTRIES - 1}
    rows = []
    for name, serial in serials.items():
        if bool(crl.revocation(serial)) != bool(ask(serial)):
            raise AssertionError(name)
        medians = microseconds(partial(crl.revocation, serial), partial(ask, serial))
        rows.append(Row(f"a serial number that {name}", *medians))
    show(f"A question to a CRL of {_ENTRIES:,} entries, microseconds", "argus", "cryptography", rows)


def _requests(site: _Site) -> None:
    """Wall time of one validation after the other, and meanwhile everything is loaded from nothing."""
    trust = TrustDirectory(site.directory).load()

    def validate() -> object:
        return path.verify(site.chain, trust, datetime.now(UTC))

    loading = _beside(TrustDirectory(site.directory).load, validate)
    idle = _beside(partial(time.sleep, 3), validate)
    rows = [
        Row("p50", statistics.median(loading) * 1e3, statistics.median(idle) * 1e3),
        Row("p99", _p99(loading) * 1e3, _p99(idle) * 1e3),
        Row("the longest", max(loading) * 1e3, max(idle) * 1e3),
    ]
    show("One validation, milliseconds", "while loading", "idle", rows)


def _beside(other: Look, work: Look) -> list[float]:
    """Seconds that each ``work`` took until ``other``, in a thread of its own, was done."""
    thread = threading.Thread(target=other)
    thread.start()
    taken = []
    while thread.is_alive():
        taken.append(_seconds(work))
    return taken


def _p99(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=100)[-1]


def _row(name: str, seconds: Sequence[float], yardstick: Sequence[float]) -> Row:
    return Row(name, statistics.median(seconds) * 1e3, statistics.median(yardstick) * 1e3)


def _hash_all(site: _Site) -> list[float]:
    """The links too, as what is loaded does not trust names."""
    return _rounds(lambda: [_hash(file) for file in site.directory.iterdir()])


def _stat_all(site: _Site) -> list[float]:
    return _rounds(lambda: [file.stat() for file in site.directory.iterdir()])


def _hash(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def _rounds(work: Look) -> list[float]:
    return [_seconds(work) for _ in range(_ROUNDS)]


def _seconds(work: Look) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _resident() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _name(number: int) -> x509.Name:
    return x509.Name.from_rfc4514_string(f"CN=Benchmark CA {number:03},DC=org")


if __name__ == "__main__":
    main()
