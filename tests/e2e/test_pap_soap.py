"""The management services over mutual TLS, as cron jobs and clients of the Java PAP call them."""

import json
import socket
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import httpx
import pytest

from argus_py.clients.pap_soap import PapSoap, SoapRefused
from argus_py.pap.paps import DEFAULT_ALIAS
from argus_py.soap.pap_beans import Pap

if TYPE_CHECKING:
    from tests.conftest import RecordedSession
    from tests.e2e.conftest import Argus, Grid

VECTORS = Path(__file__).parents[1] / "vectors" / "pap-soap"
CALLERS = VECTORS / "callers"
EXCHANGES: list[dict[str, Any]] = json.loads((VECTORS / "exchanges.json").read_text())
XACML = "{urn:oasis:names:tc:xacml:2.0:policy:schema:os}"


def curl(grid: "Grid", argus: "Argus", body: Path) -> list[str]:
    certificate, key = grid.site.admin
    url = f"{argus.urls['PAP']}/pap/services/XACMLPolicyManagementService?wsdl"
    headers = ["-H", 'SOAPAction: ""', "-H", "Content-Type: text/xml; charset=utf-8"]
    identity = ["--cert", str(certificate), "--key", str(key), "--capath", str(grid.site.certificates)]
    return ["curl", "-sS", "-w", "<!-- http_code=%{http_code} -->", *identity, *headers, "-d", f"@{body}", url]


def test_a_cron_job_with_curl_reads_the_bans(grid: "Grid") -> None:
    argus = grid.serve()
    assert grid.pap_admin(argus, "ban", "subject", "/DC=org/DC=argus-demo/CN=Eve").returncode == 0
    done = grid.run(curl(grid, argus, CALLERS / "central-ban-curl.xml"))
    assert done.stdout.endswith("<!-- http_code=200 -->"), done.stdout + done.stderr
    answer = ElementTree.fromstring(done.stdout.partition("<!--")[0])
    banned = answer.findall(f".//{XACML}Rule[@Effect='Deny']//{XACML}AttributeValue")
    assert [value.text for value in banned] == ["CN=Eve,DC=argus-demo,DC=org"]


def test_a_client_of_the_java_services_does_the_work_of_an_administrator(grid: "Grid") -> None:
    argus = grid.serve()
    url = f"{argus.urls['PAP']}/pap/services/"
    with grid.https(grid.site.admin, url) as client:
        pap = PapSoap(client)
        assert pap.ping().startswith("PAP version: ")
        assert pap.add_pap(Pap("mine", local=True))
        assert [each.alias for each in pap.get_all_paps()] == [DEFAULT_ALIAS, "mine"]
        assert pap.ban("mine", "vo", "dteam", ".*", ".*", public=True)
        assert len(pap.list_policies("mine")) == 1
        assert grid.pap_admin(argus, "list-policies", "--pap", "mine").stdout.count("rule deny") == 1
    with grid.https(grid.site.host, url) as client:
        with pytest.raises(SoapRefused) as refused:
            PapSoap(client).get_all_paps()
        assert refused.value.message == "Insufficient privileges to perform operation 'ListPapsOperation'."


def test_the_services_are_there_for_whoever_looks(grid: "Grid") -> None:
    argus = grid.serve()
    with grid.https(grid.site.host, f"{argus.urls['PAP']}/pap/services/") as client:
        assert "<li>XACMLPolicyManagementService" in client.get("").text
        for name in ("PAPManagementService", "ProvisioningService"):
            answer: httpx.Response = client.get(f"{name}?wsdl")
            assert ElementTree.fromstring(answer.content).tag == "{http://schemas.xmlsoap.org/wsdl/}definitions"
            assert f'location="{argus.urls["PAP"]}/pap/services/{name}"' in answer.text


def as_axis_does(grid: "Grid", url: httpx.URL, action: str, body: bytes) -> httpx.Response:
    """One connection for each call, HTTP/1.0, the answer ends with the connection."""
    head = (
        f"POST {url.path} HTTP/1.0\r\nContent-Type: text/xml; charset=utf-8\r\n"
        "Accept: application/soap+xml, application/dime, multipart/related, text/*\r\nUser-Agent: Axis/1.4\r\n"
        f"Host: {url.host}:{url.port}\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n"
        f'SOAPAction: "{action}"\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    context = grid.tls(grid.site.admin)
    received = bytearray()
    with (
        socket.create_connection((url.host, url.port or 0), 30.0) as plain,
        context.wrap_socket(plain, server_hostname=url.host) as connection,
    ):
        connection.sendall(head.encode() + body)
        while octets := connection.recv(1 << 16):
            received += octets
    status, _, rest = received.partition(b"\r\n")
    return httpx.Response(int(status.split()[1]), content=bytes(rest.partition(b"\r\n\r\n")[2]))


def test_the_recorded_session_of_the_java_client_is_answered_as_recorded(
    grid: "Grid", recorded_session: "RecordedSession"
) -> None:
    (grid.site.configuration / "pap" / "pap_authorization.ini").write_text("[dn]\nANYONE : ALL\n")
    configuration = "pap/pap_configuration.ini"
    grid.configure(configuration, "poll_interval", "ordering = default\npoll_interval")
    grid.configure(configuration, "hostname = localhost", "hostname = pap.example.org")
    argus = grid.serve()
    services = httpx.URL(f"{argus.urls['PAP']}/pap/services/")

    def send(exchange: dict[str, Any], request: str) -> httpx.Response:
        return as_axis_does(grid, services.join(exchange["service"]), exchange["soap_action"], request.encode())

    session = takewhile(lambda each: each["case"] != "bad-boolean", EXCHANGES)
    recorded_session.replay((each for each in session if each["case"] != "refreshCache"), send)  # no PAP is there
    with grid.https(grid.site.admin, str(services)) as client, pytest.raises(SoapRefused) as refused:
        PapSoap(client).get_acl()  # the last request gave all permissions to somebody else
    assert refused.value.message == "Insufficient privileges to perform operation 'GetACLOperation'."
