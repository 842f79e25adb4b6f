"""Who comes through the TLS of a service port, as whom, and for how long."""

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
REFUSED = {  # and the alert
    "bad/user-untrusted-ca.pem": "unknown_ca",
    "bad/proxy-of-untrusted.pem": "unknown_ca",
    "bad/proxy-of-evil-twin.pem": "unknown_ca",
    "bad/proxy-expired.pem": "certificate_expired",
    "bad/proxy-not-yet.pem": "certificate_expired",
    "bad/proxy-of-expired.pem": "certificate_expired",
    "bad/user-revoked.pem": "certificate_revoked",
    "bad/proxy-of-revoked.pem": "certificate_revoked",
    "bad/user-outside-namespace.pem": "bad_certificate",
    "bad/proxy-of-outside.pem": "bad_certificate",
    "bad/proxy-escalation.pem": "bad_certificate",
    "bad/proxy-mixed-types.pem": "bad_certificate",
    "bad/proxy-path-length.pem": "bad_certificate",
    "bad/proxy-bad-signature.pem": "bad_certificate",
    "bad/proxy-critical-extension.pem": "bad_certificate",
    "bad/proxy-no-eec.pem": "unknown_ca",
    "bad/proxy-no-pci.pem": "bad_certificate",
    "bad/proxy-of-no-dsig.pem": "bad_certificate",
    "bad/proxy-two-cns.pem": "bad_certificate",
    "bad/proxy-last-not-cn.pem": "bad_certificate",
    "bad/proxy-wrong-subject.pem": "bad_certificate",
    "bad/user-oldcrl.pem": "bad_certificate",
    "users/cnproxy.pem": "bad_certificate",  # CN=Proxy makes a legacy proxy of its CA
}


def alert_to(port: "ServedPort", credential: str | None, version: ssl.TLSVersion) -> str:
    """With TLS 1.3 the client learns it when it reads."""
    with pytest.raises(ssl.SSLError) as caught:
        port.ask(credential, version)
    return caught.value.reason.lower().partition("_alert_")[2]


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
        ("proxies/alice-legacy.pem", f"{PEOPLE}/CN=Alice Adams", 1),
        ("proxies/alice-legacy-limited.pem", f"{PEOPLE}/CN=Alice Adams", 1),
        ("proxies/alice-draft.pem", f"{PEOPLE}/CN=Alice Adams", 1),
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
@pytest.mark.parametrize(("credential", "alert"), REFUSED.items())
def test_who_is_refused_gets_an_alert_and_the_log_has_the_reason(
    port: "ServedPort", credential: str, alert: str, version: ssl.TLSVersion
) -> None:
    served = port.ask().served
    assert alert_to(port, credential, version) == alert
    log = port.log
    assert f"TLS handshake with 127.0.0.1 failed: the client certificate is refused with the alert {alert}: " in log
    assert port.ask().served == served + 1


def test_a_client_without_certificate_is_refused(port: "ServedPort") -> None:
    assert alert_to(port, None, V12) == "handshake_failure"
    assert alert_to(port, None, V13) == "certificate_required"
    assert "TLS handshake with 127.0.0.1 failed: peer did not return a certificate" in port.log


def test_octets_sent_too_early_do_not_take_the_alert_away(port: "ServedPort") -> None:
    with port.connect("bad/user-revoked.pem", V13) as connection:  # the client is ready before it is judged
        connection.tls.sendall(b"GET /authz HTTP/1.1\r\n\r\n" * 10_000)
        with pytest.raises(ssl.SSLError, match="certificate revoked"):
            connection.answer()


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


# --- Sessions: only those of TLS 1.2 are resumed, by their id, and only where OpenSSL decides in the handshake


@pytest.mark.parametrize("version", [V12, V13])
def test_no_session_tickets_are_given_away(port: "ServedPort", version: ssl.TLSVersion) -> None:
    with port.connect(version=version) as connection:
        connection.ask()  # tickets of TLS 1.3 come with the first octets
        session = connection.tls.session
        assert session is not None
        assert not session.has_ticket


@pytest.mark.parametrize("version", [V12, V13])
def test_a_session_is_not_resumed(port: "ServedPort", version: ssl.TLSVersion) -> None:
    with port.connect("proxies/alice-plain.pem", version) as first:
        first.ask()
        with port.resume(first) as second:
            assert not second.tls.session_reused
            assert second.ask().caller == {"subject": f"{PEOPLE}/CN=Alice Adams", "proxies": 1}


def test_a_resumed_session_has_the_same_caller(unjudging: "ServedPort") -> None:
    with unjudging.connect("proxies/alice-dteam-delegated.pem", V12) as first, unjudging.resume(first) as second:
        assert second.tls.session_reused
        assert second.ask().caller == first.ask().caller == {"subject": f"{PEOPLE}/CN=Alice Adams", "proxies": 2}


def test_a_resumed_session_is_judged_again(serve: "Serve", trust: "TrustDirectory", eventually: "Eventually") -> None:
    trust.remove("*.r0")
    port = serve(trust=str(trust.path), judging=False)
    with port.connect("bad/user-revoked.pem", V12) as first:
        assert first.ask().status == 200
        trust.add("*.r0")
        eventually(lambda: port.ask("bad/user-revoked.pem").status == 403)
        with port.resume(first) as second:
            assert second.tls.session_reused
            body = b"x" * 100_000  # more than a head, so that the end of the connection meets unread octets
            refusal = second.ask(f"POST /authz HTTP/1.1\nContent-Length: {len(body)}", body)
            assert (refusal.status, refusal.headers["connection"]) == (403, "close")
            assert "client certificate refused: " in refusal.text
            assert "Certificate was revoked" in refusal.text
            assert second.is_closed()
        assert refusal.text.strip().removeprefix("client certificate refused: ") in port.log


def test_a_session_without_certificate_can_be_resumed_where_none_is_needed(serve: "Serve") -> None:
    port = serve(require=False)
    with port.connect(None, V12) as first, port.resume(first) as second:
        assert second.tls.session_reused
        assert second.ask().caller is None


def test_who_wants_another_handshake_is_told_that_there_is_none(port: "ServedPort") -> None:
    alice = ["-cert", str(GRID / "users" / "alice.pem"), "-key", str(GRID / "users" / "alice.key")]
    command = ["openssl", "s_client", "-tls1_2", *alice, "-connect", f"127.0.0.1:{port.number}"]
    told = subprocess.run(command, input="R\n", capture_output=True, text=True, timeout=20, check=False)
    assert "no renegotiation" in told.stderr


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
    eventually(lambda: handshake_is_refused(port, "users/eacl.pem"))


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
    eventually(lambda: handshake_is_refused(port, "bad/proxy-of-revoked.pem"))
    assert port.ask().status == 200
