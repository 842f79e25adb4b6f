"""A CA takes a certificate back while the daemons run: a new CRL file is all it takes."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from demo.issuing import CertificateAuthority
    from tests.e2e.conftest import Grid


def test_a_revoked_user_is_refused_within_seconds_and_others_are_not(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    alice, bob = grid.site.pilot("Alice Pilot"), grid.pilot("Bob Pilot")
    proxy = alice.certificate_pem().decode()
    assert grid.ask(argus, proxy).decision == grid.ask(argus, bob).decision == "Permit"

    (user,) = alice.chain
    crl = crl_with(grid.site.authority, user.serial_number)
    for file in grid.site.certificates.glob("*.r0"):
        new = file.with_suffix(".new")
        new.write_bytes(crl)
        new.rename(file)

    grid.eventually(lambda: grid.ask(argus, proxy).decision == "Indeterminate")
    assert "Certificate was revoked at: " in str(grid.ask(argus, proxy).message)
    assert grid.ask(argus, bob).decision == "Permit"
    assert f"trust directory {grid.site.certificates}: 1 CA certificates, 1 CRLs" in argus.read("process.log")
    for port, path in (("PEP", "/status"), ("PDP", "/status"), ("PAP", "/pap/status")):
        assert 0 < float(grid.status(argus, port, path)["NextCrlExpiryHours"]) <= 48


def crl_with(authority: "CertificateAuthority", serial: int) -> bytes:
    now = datetime.now(UTC)
    revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject).add_revoked_certificate(revoked)
    builder = builder.last_update(now).next_update(now + timedelta(days=2))
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)
