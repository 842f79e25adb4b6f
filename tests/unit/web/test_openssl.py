"""Judging in place of OpenSSL, by handshakes in memory."""

import gc
import logging
import re
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from argus_py.web.openssl import JudgingContext, NotPossible, Verdict

GRID = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid"
HOST = GRID / "hosts" / "localhost.pem"
PROXY = GRID / "proxies" / "alice-legacy.pem"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)
PROXY_DER = [ssl.PEM_cert_to_DER_cert(pem) for pem in PEM.findall(PROXY.read_text())]


def server() -> JudgingContext:
    context = JudgingContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HOST, HOST.with_suffix(".key"))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client(credential: Path = PROXY) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(credential)
    return context


def accept(_: list[bytes]) -> Verdict:
    return Verdict.ACCEPTED


def handshake(context: ssl.SSLContext) -> None:
    """Raises what the server's side of it raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(to_server, to_client, server_side=True)
    theirs = client().wrap_bio(to_client, to_server)
    for _ in range(3):
        with suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
        with suppress(ssl.SSLWantReadError):
            return ours.do_handshake()
    raise AssertionError


def test_the_judge_sees_what_was_sent_and_decides() -> None:
    seen: list[bytes] = []

    def judge(sent: list[bytes]) -> Verdict:
        seen.extend(sent)
        return Verdict.ACCEPTED

    context = server()
    context.judge_clients(judge, client())
    handshake(context)
    assert seen == PROXY_DER


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.ACCEPTED])
def test_every_other_verdict_ends_the_handshake(verdict: Verdict) -> None:
    context = server()
    context.judge_clients(lambda _: verdict, client())
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(context)
    assert caught.value.verify_code == verdict


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_a_judge_that_raises_has_refused(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    def judge(_: list[bytes]) -> Verdict:
        raise error

    context = server()
    context.judge_clients(judge, client())
    with pytest.raises(ssl.SSLCertVerificationError), caplog.at_level(logging.ERROR):
        handshake(context)
    assert "unexpected error, the client is refused" in caplog.messages


def test_a_context_that_asks_for_no_certificate_has_nothing_to_judge() -> None:
    context = server()
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(NotPossible, match="no judge is asked"):
        context.judge_clients(accept, client())


def test_a_handshake_that_fails_for_other_reasons_is_no_proof() -> None:
    context, old = server(), client()
    context.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
    with pytest.raises(NotPossible, match=r"a handshake with ourselves fails: .*UNSUPPORTED_PROTOCOL"):
        context.judge_clients(accept, old)


def test_after_a_failed_proof_openssl_judges() -> None:
    context = server()
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(NotPossible):
        context.judge_clients(accept, client())
    context.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(context)


def test_contexts_have_judges_of_their_own() -> None:
    one, other = server(), server()
    one.judge_clients(accept, client())
    other.judge_clients(lambda _: Verdict.BAD_CERTIFICATE, client())
    handshake(one)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(other)


def test_a_judge_lives_as_long_as_its_connections() -> None:
    context = server()
    context.judge_clients(accept, client())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(to_server, to_client, server_side=True)
    del context
    gc.collect()
    theirs = client().wrap_bio(to_client, to_server)
    for side in (theirs, ours, theirs):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    ours.do_handshake()
