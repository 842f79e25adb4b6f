"""Every way out checks the name of the host it talks to; that its certificate is of a trusted CA is not enough."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.cli import argus
from argus_py.cli.pap_admin.connection import Security, secured, service
from argus_py.cli.pap_admin.credentials import Credential
from argus_py.cli.pap_admin.soap import SoapPap
from argus_py.clients.pap_rest import PapUnreachable
from argus_py.clients.pep import HttpPep, PepTls, PepUnreachable
from argus_py.model.request import Request

if TYPE_CHECKING:
    from tests.e2e.port.conftest import Serve, ServedPort

GRID = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid"
TRUST = GRID / "certificates"
USER, KEY = GRID / "users" / "alice.pem", GRID / "users" / "alice.key"
MISMATCH = "Hostname mismatch"


@pytest.fixture
def elsewhere(serve: "Serve") -> "ServedPort":
    """Has a certificate for another host than the one it is reached by."""
    hosts = GRID / "hosts"
    return serve(certificate=str(hosts / "elsewhere.pem"), key=str(hosts / "elsewhere.key"))


def test_pap_admin(elsewhere: "ServedPort") -> None:
    services, rest = (f"https://localhost:{elsewhere.number}/{path}/" for path in ("pap/services", "v1"))
    with (
        secured(Credential(USER, KEY), Security(TRUST)) as transport,
        pytest.raises(PapUnreachable, match=MISMATCH),
    ):
        service(services, rest, transport, None)


def test_pap_admin_without_the_check(elsewhere: "ServedPort") -> None:
    services, rest = (f"https://localhost:{elsewhere.number}/{path}/" for path in ("pap/services", "v1"))
    with secured(Credential(USER, KEY), Security(TRUST, check_host_name=False)) as transport:
        assert isinstance(service(services, rest, transport, None), SoapPap)


def test_pepcli(elsewhere: "ServedPort") -> None:
    tls = PepTls(ca_file=GRID / "ca" / "argus-test-ca.pem", certificate=USER, private_key=KEY)
    with (
        HttpPep(f"https://localhost:{elsewhere.number}/authz", tls) as pep,
        pytest.raises(PepUnreachable, match=MISMATCH),
    ):
        pep.authorize(Request())


def test_argus_status(elsewhere: "ServedPort", capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--cert", str(USER), "--key", str(KEY), "--cadir", str(TRUST)]
    assert argus.main(["status", f"https://localhost:{elsewhere.number}/status", *files]) == 1
    assert MISMATCH in capsys.readouterr().err
