"""Which PAP it is, over which connection, and what is needed to speak to it."""

from pathlib import Path

import httpx
import pytest

from argus_py.cli.pap_admin.connection import (
    KeyUnreadable,
    Security,
    UnusableProtocol,
    ask_passphrase,
    secured,
    service,
)
from argus_py.cli.pap_admin.credentials import Credential
from argus_py.cli.pap_admin.rest import RestPap
from argus_py.cli.pap_admin.service import JavaPapCannot
from argus_py.cli.pap_admin.soap import SoapPap
from argus_py.clients.pap_rest import PapUnreachable
from argus_py.errors import ArgusError

SERVICES, REST = "https://pap/pap/services/", "https://pap/v1/"
PAGE = "<html><body><h2>HTTP ERROR: 404</h2><p>Problem accessing /v1/ping. Reason: NOT_FOUND</p></body></html>"


def answering(*answers: httpx.Response) -> httpx.MockTransport:
    left = list(answers)
    return httpx.MockTransport(lambda _request: left.pop(0))


def test_a_pap_that_answers_a_ping_of_ours_is_asked_by_rest() -> None:
    pong = httpx.Response(200, json={"service": "Argus PAP", "version": "9"})
    assert isinstance(service(SERVICES, REST, answering(pong), None), RestPap)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text=PAGE),
        httpx.Response(200, text="<html>Jetty</html>"),
        httpx.Response(200, json={"version": "9"}),
        httpx.Response(302, headers={"Location": "/elsewhere"}),
        httpx.Response(405, json={}),
    ],
)
def test_whatever_else_answers_is_asked_by_soap(answer: httpx.Response) -> None:
    assert isinstance(service(SERVICES, REST, answering(answer), None), SoapPap)


def test_soap_is_spoken_at_once_where_there_is_no_rest() -> None:
    assert isinstance(service(SERVICES, None, answering(), None), SoapPap)
    with pytest.raises(JavaPapCannot, match="cannot try a change without making it"):
        service(SERVICES, None, answering(), lambda _difference: None)


def test_a_pap_that_does_not_answer_is_not_asked_again() -> None:
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    with pytest.raises(PapUnreachable, match="Connection refused"):
        service(SERVICES, REST, httpx.MockTransport(refuse), None)
    assert asked == ["/v1/ping"]


def test_only_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "secret"

    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    assert ask_passphrase(key, ask) is None
    key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert ask_passphrase(key, ask) == "secret"
    assert asked == [f"Please enter the passphrase for the private key file {key}: "]
    with pytest.raises(KeyUnreadable, match="No such file"):
        ask_passphrase(tmp_path / "missing", ask)


def test_a_passphrase_that_nobody_can_give_is_told(tmp_path: Path) -> None:
    def nobody(_question: str) -> str:
        raise EOFError

    (tmp_path / "key.pem").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(KeyUnreadable, match="nobody to ask"):
        ask_passphrase(tmp_path / "key.pem", nobody)


def test_without_trust_anchors_nothing_is_connected(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key\n")
    with pytest.raises(ArgusError):
        secured(Credential(key, key), Security(tmp_path / "certificates"))


@pytest.mark.parametrize("protocol", ["SSLv3", "TLSv1", "TLSv1.1", "tls"])
def test_a_protocol_that_is_not_secure_is_refused(protocol: str, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key\n")
    with pytest.raises(UnusableProtocol, match=rf"tlsProtocol is '{protocol}', and can be TLS, TLSv1\.2, TLSv1\.3"):
        secured(Credential(key, key), Security(tmp_path, protocol))
