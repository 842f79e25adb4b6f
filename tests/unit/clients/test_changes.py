"""What counts as news of a PAP or a PDP."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from argus_py.clients.changes import ChangesRefused, HttpChanges, NoChangeFeed
from argus_py.clients.transport import PeerUnreachable
from argus_py.model.policy_news import News

PAP = "https://pap.example.org:8150/pap/services/ProvisioningService"


def after(peer: Any, known: str | None = "a b&c") -> News | None:
    return HttpChanges(PAP, peer.transport()).after(known)


def test_what_is_known_is_told_on_the_port_of_the_service(peer: Any) -> None:
    pap = peer(httpx.Response(204))
    assert after(pap) is None
    assert after(pap, None) is None
    assert [(request.method, str(request.url)) for request in pap.requests] == [
        ("GET", "https://pap.example.org:8150/v1/policy-changes?after=a+b%26c"),
        ("GET", "https://pap.example.org:8150/v1/policy-changes?after="),
    ]
    assert pap.requests[0].extensions["timeout"] == {"connect": 5.0, "read": 25.0, "write": 25.0, "pool": 25.0}


def test_news_are_read(peer: Any) -> None:
    pap = peer(httpx.Response(200, content=b'{"state": "b", "age": 0.5}'))
    assert after(pap) == News("b", timedelta(seconds=0.5))


@pytest.mark.parametrize("service", ["https://[::1:8150/", "https://pap.example.org:8150services", "https://a\x01:1/"])
def test_what_is_no_url_is_a_peer_that_cannot_be_reached(service: str, peer: Any) -> None:
    with pytest.raises(PeerUnreachable):
        HttpChanges(service, peer().transport())


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_java_daemon_has_no_feed(status: int, peer: Any) -> None:
    with pytest.raises(NoChangeFeed, match=f"^{PAP} tells nothing of changes$"):
        after(peer(httpx.Response(status, content=b"<html>Not Found</html>")))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(403, content=b"no"), "HTTP status 403"),
        (httpx.Response(302), "HTTP status 302"),
        (httpx.Response(200, content=b"<html/>"), "unreadable news: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_what_is_no_news_is_a_refusal(answer: httpx.Response, reason: str, peer: Any) -> None:
    with pytest.raises(ChangesRefused) as refused:
        after(peer(answer))
    assert (refused.value.url, refused.value.reason) == (PAP, reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.Response(503, content=b"busy"), "HTTP status 503"),
        (httpx.Response(200, content=b"x" * 1025), "the answer is longer than 1024 octets"),
    ],
)
def test_a_peer_that_gives_no_answer_is_named_by_its_service(
    answer: httpx.Response | Exception, reason: str, peer: Any
) -> None:
    with pytest.raises(PeerUnreachable) as unreachable:
        after(peer(answer))
    assert (unreachable.value.url, unreachable.value.reason) == (PAP, reason)
