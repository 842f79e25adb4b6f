"""The PEP client without a network; the exchange over TLS is in tests/interop."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from argus_py.clients.pep import HttpPep, PepRefused, PepTls, PepUnreachable
from argus_py.errors import ConfigurationError
from argus_py.hessian import base64_lines, messages
from argus_py.hessian.base64_lines import BodyTooLarge
from argus_py.hessian.values import HessianError
from argus_py.model.attribute import Attribute
from argus_py.model.request import Request, Subject
from argus_py.model.response import Decision, Response, Result

CERTS = Path(__file__).resolve().parents[2] / "vectors" / "pep" / "certs"
ENDPOINT = "http://pep.example.org:8154/authz"
REQUEST = Request((Subject((Attribute("a", ("1",)),)),))
DENY = Response((Result(Decision.DENY),))
BODY = base64_lines.encode(messages.write_response(DENY))


class Pieces(httpx.SyncByteStream):
    """An answer that arrives piece by piece."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces


def ok(*pieces: bytes) -> httpx.Response:
    return httpx.Response(200, stream=Pieces(iter(pieces)))


def pep(answer: Callable[[httpx.Request], httpx.Response], monotonic: Callable[[], float] = lambda: 0.0) -> HttpPep:
    return HttpPep(ENDPOINT, PepTls(), timedelta(seconds=30), httpx.MockTransport(answer), monotonic)


def test_a_request_is_posted_and_the_response_read() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(BODY)

    with pep(answer) as client:
        assert client.authorize(REQUEST) == DENY
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", ENDPOINT)
    assert messages.read_request(base64_lines.decode(request.content)) == REQUEST
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [201, 204, 302, 400, 500, 503])
def test_a_status_other_than_200_is_no_response(status: int) -> None:
    with (
        pep(lambda _: httpx.Response(status, content=BODY, headers={"Location": ENDPOINT})) as client,
        pytest.raises(PepRefused) as caught,
    ):
        client.authorize(REQUEST)
    assert (caught.value.endpoint, caught.value.status) == (ENDPOINT, status)


def test_an_endless_answer_is_cut() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(100_000)

    with pep(lambda _: httpx.Response(200, stream=Pieces(endless()))) as client, pytest.raises(BodyTooLarge):
        client.authorize(REQUEST)


def test_an_answer_that_trickles_beyond_the_timeout_is_cut() -> None:
    now = iter(range(0, 1000, 10))
    answer = ok(*[BODY[:10]] * 100)
    with pep(lambda _: answer, lambda: next(now)) as client, pytest.raises(PepUnreachable, match="within 30 seconds"):
        client.authorize(REQUEST)


def test_a_failure_on_the_way_names_endpoint_and_reason() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pep(refuse) as client, pytest.raises(PepUnreachable) as caught:
        client.authorize(REQUEST)
    assert (caught.value.endpoint, caught.value.reason) == (ENDPOINT, "connection refused")


@pytest.mark.parametrize("endpoint", ["", "pep.example.org:8154/authz", "http://[", "ftp://pep.example.org/authz"])
def test_what_is_no_http_url_cannot_be_reached(endpoint: str) -> None:
    with HttpPep(endpoint, PepTls()) as client, pytest.raises(PepUnreachable):
        client.authorize(REQUEST)


def test_an_unreadable_answer_is_a_hessian_error() -> None:
    with pep(lambda _: ok(b"<html>")) as client, pytest.raises(HessianError):
        client.authorize(REQUEST)


@pytest.mark.parametrize(
    ("tls", "culprit"),
    [
        (PepTls(ca_file=CERTS / "nocert.pem"), "nocert.pem"),
        (PepTls(ca_file=CERTS / "none.pem"), "none.pem"),
        (PepTls(certificate=CERTS / "host.pem", private_key=CERTS / "user.key"), "user.key"),
        (PepTls(certificate=CERTS / "host.pem", private_key=CERTS / "host-enc.key"), "host-enc.key"),
        (PepTls(certificate=CERTS / "nocert.pem", private_key=CERTS / "host.key"), "nocert.pem"),
    ],
)
def test_an_unusable_file_is_named(tls: PepTls, culprit: str) -> None:
    with pytest.raises(ConfigurationError, match=culprit):
        HttpPep(ENDPOINT, tls)


@pytest.mark.parametrize(
    "tls",
    [
        PepTls(certificate=CERTS / "proxy.pem", private_key=CERTS / "proxy.pem"),
        PepTls(CERTS / "ca.pem", CERTS / "capath", CERTS / "host.pem", CERTS / "host-enc.key", "test"),
        PepTls(ca_directory=CERTS / "capath"),
    ],
)
def test_proxies_encrypted_keys_and_hashed_directories_can_be_used(tls: PepTls) -> None:
    with HttpPep(ENDPOINT, tls, http=httpx.MockTransport(lambda _: ok(BODY))) as client:
        assert client.authorize(REQUEST) == DENY


@pytest.mark.parametrize("proxy", ["socks5://proxy.example.org", "gopher://proxy.example.org", "http://proxy:port"])
def test_an_unusable_proxy_setting_is_told(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="proxy"):
        HttpPep(ENDPOINT, PepTls())
