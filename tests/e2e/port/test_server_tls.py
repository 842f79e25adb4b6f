"""Who comes through the TLS of a service port, as whom, and for how long.

Pre-RFC proxies (legacy and draft) are fine in a message, but OpenSSL refuses them in a handshake.
"""

import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.port.conftest import Serve, ServedPort, TrustDirectory

    Eventually = Callable[[Callable[[], bool]], None]

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
GRID = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid"
EACL_CA = ("d21b23b1.*", "bb403f43.*")
PEOPLE = "/DC=org/DC=argus-test/OU=People"
REFUSED = {
    "bad/user-revoked.pem": "revoked",
    "bad/proxy-of-revoked.pem": "revoked",
    "bad/user-outside-namespace.pem": "not accepted by any rule of the relevant namespace policies",
    "bad/proxy-of-outside.pem": "not accepted by any rule of the relevant namespace policies",
    "bad/proxy-escalation.pem": "limited",
    "bad/user-oldcrl.pem": "CRL",
    "users/cnproxy.pem": "cA field set",  # CN=Proxy makes a legacy proxy of its CA
}


def handshake_is_refused(port: "ServedPort", credential: str | None, version: ssl.TLSVersion = V13) -> bool:
    """With TLS 1.3 the client learns it when it reads."""
    try:
        port.ask(credential, version)
    except (OSError, EOFError):
        return True
    return False


# --- Who comes in


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(
    ("credential", "subject", "proxies"),
    [
        ("users/alice.pem", f"{PEOPLE}/CN=Alice Adams", 0),
        ("hosts/ce01.pem", "/DC=org/DC=argus-test/OU=Hosts/CN=ce01.argus-test.org", 0),
        ("users/subca.pem", f"{PEOPLE}/OU=Sub/CN=Frank Field", 0),
        ("users/free.pem", "/C=XX/O=Anything Goes/CN=Hank Hill", 0),  # of a CA without CRL and namespaces
        ("proxies/alice-plain.pem", f"{PEOPLE}/CN=Alice Adams", 1),
        ("proxies/alice-limited.pem", f"{PEOPLE}/CN=Alice Adams", 1),
        ("proxies/alice-dteam-delegated.pem", f"{PEOPLE}/CN=Alice Adams", 2),
        ("proxies/subca-dteam.pem", f"{PEOPLE}/OU=Sub/CN=Frank Field", 1),
    ],
)
def test_the_caller_is_the_end_entity(
    port: "ServedPort", credential: str, subject: str, proxies: int, version: ssl.TLSVersion
) -> None:
    assert port.ask(credential, version).caller == {"subject": subject, "proxies": proxies}


def test_curl_comes_in_with_a_proxy(port: "ServedPort") -> None:
    proxy, ca = str(GRID / "proxies" / "alice-dteam.pem"), str(GRID / "ca" / "argus-test-ca.pem")
    url = f"https://localhost:{port.number}/authz"
    command = ["curl", "--silent", "--cert", proxy, "--key", proxy, "--cacert", ca, "--data", "body", url]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert '"proxies":1' in answer
    assert '"octets":4' in answer


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(
    "credential",
    [
        None,
        "bad/user-untrusted-ca.pem",
        "bad/proxy-of-untrusted.pem",
        "bad/proxy-expired.pem",
        "proxies/alice-legacy.pem",
        "proxies/alice-draft.pem",
    ],
)
def test_the_handshake_is_refused(port: "ServedPort", credential: str | None, version: ssl.TLSVersion) -> None:
    assert handshake_is_refused(port, credential, version)


@pytest.mark.parametrize("credential", REFUSED)
def test_who_passes_the_handshake_only_is_told_why_he_is_refused(port: "ServedPort", credential: str) -> None:
    before = port.ask().served
    with port.connect(credential) as connection:
        body = b"x" * 100_000  # more than the head of a request, so that the end of the connection meets unread octets
        refusal = connection.ask(f"POST /authz HTTP/1.1\nContent-Length: {len(body)}", body)
        assert (refusal.status, refusal.headers["connection"]) == (403, "close")
        assert "client certificate refused: " in refusal.text
        assert REFUSED[credential] in refusal.text
        assert connection.is_closed()
    assert port.ask().served == before + 1
    assert refusal.text.strip().removeprefix("client certificate refused: ") in port.log


def test_no_request_of_a_refused_connection_is_served(port: "ServedPort") -> None:
    before = port.ask().served
    with port.connect("bad/user-revoked.pem") as connection:
        connection.tls.sendall(b"GET /authz HTTP/1.1\r\n\r\n" * 2)
        assert connection.answer().status == 403
        assert connection.is_closed()
    assert port.ask().served == before + 1


def test_a_port_that_needs_no_certificate_asks_for_none(serve: "Serve") -> None:
    port = serve(require=False)
    assert port.ask(None).caller is None
    assert port.ask("bad/user-untrusted-ca.pem").caller is None


@pytest.mark.parametrize(("protocol", "spoken", "other"), [("TLSv1.2", V12, V13), ("TLSv1.3", V13, V12)])
def test_only_the_protocols_of_the_settings_are_spoken(
    serve: "Serve", protocol: str, spoken: ssl.TLSVersion, other: ssl.TLSVersion
) -> None:
    port = serve(protocols=[protocol])
    assert port.ask(version=spoken).status == 200
    assert handshake_is_refused(port, "users/alice.pem", other)


# --- Resumed sessions: there are none with TLS 1.3; those of TLS 1.2 have an id, no ticket


@pytest.mark.parametrize("version", [V12, V13])
def test_no_session_tickets_are_given_away(port: "ServedPort", version: ssl.TLSVersion) -> None:
    with port.connect(version=version) as connection:
        connection.ask()  # tickets of TLS 1.3 come with the first octets
        session = connection.tls.session
        assert session is not None
        assert not session.has_ticket


def test_a_session_of_tls_1_3_is_not_resumed(port: "ServedPort") -> None:
    with port.connect("proxies/alice-plain.pem", V13) as first:
        first.ask()
        with port.resume(first) as second:
            assert not second.tls.session_reused
            assert second.ask().caller == {"subject": f"{PEOPLE}/CN=Alice Adams", "proxies": 1}


def test_a_resumed_session_has_the_same_caller(port: "ServedPort") -> None:
    with port.connect("proxies/alice-dteam-delegated.pem", V12) as first, port.resume(first) as second:
        assert second.tls.session_reused
        assert second.ask().caller == first.ask().caller == {"subject": f"{PEOPLE}/CN=Alice Adams", "proxies": 2}


def test_a_resumed_session_is_judged_again(serve: "Serve", trust: "TrustDirectory", eventually: "Eventually") -> None:
    trust.remove("*.r0")
    port = serve(trust=str(trust.path))
    with port.connect("bad/user-revoked.pem", V12) as first:
        assert first.ask().status == 200
        trust.add("*.r0")
        eventually(lambda: port.ask("bad/user-revoked.pem").status == 403)
        with port.resume(first) as second:
            assert second.tls.session_reused
            assert second.ask().status == 403


def test_a_session_without_certificate_can_be_resumed_where_none_is_needed(serve: "Serve") -> None:
    port = serve(require=False)
    with port.connect(None, V12) as first, port.resume(first) as second:
        assert second.tls.session_reused
        assert second.ask().caller is None


# --- What changes while the port is open


def test_a_ca_that_comes_is_trusted_and_one_that_goes_is_not(
    serve: "Serve", trust: "TrustDirectory", eventually: "Eventually"
) -> None:
    trust.remove(*EACL_CA)
    port = serve(trust=str(trust.path))
    assert handshake_is_refused(port, "users/eacl.pem")
    trust.add(*EACL_CA)
    eventually(lambda: not handshake_is_refused(port, "users/eacl.pem"))
    assert port.ask("users/eacl.pem").caller["subject"] == "/C=XX/O=Argus EACL Test/OU=Unit 1/CN=Gina Green"
    trust.remove(*EACL_CA)
    eventually(lambda: port.ask("users/eacl.pem").status == 403)


def test_new_trust_counts_for_clients_that_send_no_server_name(
    serve: "Serve", trust: "TrustDirectory", eventually: "Eventually"
) -> None:
    trust.remove(*EACL_CA)
    port = serve(trust=str(trust.path))
    trust.add(*EACL_CA)

    def comes_in() -> bool:
        try:
            with port.connect("users/eacl.pem", V12, name="127.0.0.1") as connection:
                return connection.ask().status == 200
        except (OSError, EOFError):
            return False

    eventually(comes_in)


def test_a_new_crl_counts_for_the_next_connection(
    serve: "Serve", trust: "TrustDirectory", eventually: "Eventually"
) -> None:
    trust.remove("*.r0")
    port = serve(trust=str(trust.path))
    assert port.ask("bad/proxy-of-revoked.pem").status == 200
    trust.add("*.r0")
    eventually(lambda: port.ask("bad/proxy-of-revoked.pem").status == 403)
    assert port.ask().status == 200
