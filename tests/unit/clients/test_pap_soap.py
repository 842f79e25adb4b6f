"""The client against the recorded answers of the Java PAP."""

import inspect
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from argus_py.clients import pap_soap
from argus_py.clients.pap_soap import NotAPap, PapSoap, PapUnreachable, SoapRefused
from argus_py.errors import ArgusError
from argus_py.soap import pap_operations as operations
from argus_py.soap import rpc
from argus_py.soap.java_exceptions import JavaClass
from argus_py.soap.pap_beans import ANYONE_NAME, NOT_FOUND, PAPACE, REMOVED, VOMS_FQAN, X509_DN, Pap, PAPPrincipal
from argus_py.soap.pap_operations import SERVICES
from argus_py.xacml.policy import Policy, PolicySet

ROOT: Final = "https://pap.example.org:8150/pap/services/"
EXCHANGES: Final = {
    exchange["case"]: exchange
    for exchange in json.loads((Path(__file__).parents[2] / "vectors" / "pap-soap" / "exchanges.json").read_text())
}
FQAN: Final = PAPPrincipal(VOMS_FQAN, "/dteam/Role=VO-Admin")
DN: Final = PAPPrincipal(X509_DN, "/DC=example/DC=test/O=Users/CN=Test Admin")


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def pap_of(case: str) -> Pap:
    call = rpc.read_call(
        operations.PAP_MANAGEMENT, rpc.read_message(EXCHANGES[case]["request"].encode(), rpc.MAX_REQUEST)
    )
    pap = call.arguments[0]
    assert isinstance(pap, Pap)
    return pap


def sent_in(case: str, place: int) -> Any:
    message = rpc.read_message(EXCHANGES[case]["request"].encode(), rpc.MAX_REQUEST)
    return rpc.read_call(operations.XACML_POLICY_MANAGEMENT, message).arguments[place]


class Recorded:
    """Answers with the recording of one case, and keeps what was asked."""

    def __init__(self, case: str) -> None:
        self.exchange = EXCHANGES[case]
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        headers = {"Content-Type": "text/xml;charset=utf-8"}
        return httpx.Response(
            self.exchange["status"], headers=headers, stream=Stream(self.exchange["response"].encode())
        )


class Stream(httpx.SyncByteStream):
    """Content that comes in small pieces, as from the network."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return (self._content[start : start + 1000] for start in range(0, len(self._content), 1000))


def client(answer: Callable[[httpx.Request], httpx.Response]) -> PapSoap:
    return PapSoap(httpx.Client(base_url=ROOT, transport=httpx.MockTransport(answer)))


CALLS: Final[list[tuple[str, Callable[[PapSoap], object], object]]] = [
    ("ping", PapSoap.ping, "PAP version: 1.7.3"),
    ("exists-true", lambda pap: pap.exists("default"), True),
    ("exists-false", lambda pap: pap.exists("nope"), False),
    ("getOrder-two", PapSoap.get_order, ("rem1", "default")),
    ("getOrder-none", PapSoap.get_order, ()),
    ("addPap-local", lambda pap: pap.add_pap(pap_of("addPap-local")), True),
    ("addPap-already-exists", lambda pap: pap.add_pap(pap_of("addPap-already-exists")), False),
    ("setEnabled", lambda pap: pap.set_enabled("rem1", True), None),
    ("setOrder", lambda pap: pap.set_order(["rem1", "default"]), None),
    ("setOrder-empty-array", lambda pap: pap.set_order([]), None),
    ("getPollingInterval", PapSoap.get_polling_interval, timedelta(minutes=5)),
    ("setPollingInterval", lambda pap: pap.set_polling_interval(timedelta(minutes=10)), None),
    ("refreshCache", lambda pap: pap.refresh_cache("rem1"), True),
    ("refreshCache-unknown-alias", lambda pap: pap.refresh_cache("nope"), False),
    ("updatePap", lambda pap: pap.update_pap(pap_of("updatePap")), True),
    ("removePap", lambda pap: pap.remove_pap("rem1"), True),
    ("ban", lambda pap: pap.ban(None, "vo", "badvo", ".*", ".*", public=True), f"public_{uuid(7)}"),
    ("ban-already-banned", lambda pap: pap.ban(None, "vo", "badvo", ".*", ".*", public=True), None),
    ("unban", lambda pap: pap.unban(None, "vo", "badvo", ".*", ".*").status_code, REMOVED),
    ("unban-not-found", lambda pap: pap.unban(None, "vo", "badvo", ".*", ".*").status_code, NOT_FOUND),
    (
        "addRule-by-value",
        lambda pap: pap.add_rule(
            None,
            ["vo=dteam", "fqan=/dteam/prod"],
            permit=True,
            action="http://example.org/action",
            resource="http://example.org/resource",
        ),
        uuid(9),
    ),
    (
        "addRule-after-rule-id",
        lambda pap: pap.add_rule(
            None, ["vo=x"], permit=False, action_id=f"public_{uuid(12)}", rule_id=uuid(9), move_after=True
        ),
        uuid(14),
    ),
    (
        "purge",
        lambda pap: pap.purge(
            None,
            unreferenced_policies=True,
            empty_policies=True,
            unreferenced_policy_sets=True,
            empty_policy_sets=True,
        ),
        None,
    ),
    ("eraseRepository", lambda pap: pap.erase_repository(None), None),
    ("addPolicySet", lambda pap: pap.add_policy_set(None, 0, sent_in("addPolicySet", 2)), uuid(18)),
    (
        "addPolicies",
        lambda pap: pap.add_policies(None, 0, uuid(18), ["public", "private"], sent_in("addPolicies", 4)),
        (f"public-{uuid(23)}", f"private-{uuid(24)}"),
    ),
    (
        "addPolicy",
        lambda pap: pap.add_policy(None, pap_soap.END, uuid(18), "public", sent_in("addPolicy", 4)),
        f"public-{uuid(27)}",
    ),
    (
        "addPolicy-no-such-set",
        lambda pap: pap.add_policy(None, pap_soap.END, "nope", "public", sent_in("addPolicy-no-such-set", 4)),
        None,
    ),
    ("storePolicy", lambda pap: pap.store_policy(None, "public", sent_in("storePolicy", 2)), f"public-{uuid(30)}"),
    ("storePolicySet", lambda pap: pap.store_policy_set(None, None, sent_in("storePolicySet", 2)), uuid(32)),
    ("hasPolicy", lambda pap: pap.has_policy(None, f"public-{uuid(27)}"), True),
    ("hasPolicySet-false", lambda pap: pap.has_policy_set(None, "nope"), False),
    ("listPolicies-empty", lambda pap: pap.list_policies(None), ()),
    ("move", lambda pap: pap.move(None, f"public-{uuid(27)}", f"public-{uuid(23)}", after=False), None),
    ("updatePolicy", lambda pap: pap.update_policy(None, "1", sent_in("updatePolicy", 2)), True),
    ("updatePolicySet", lambda pap: pap.update_policy_set(None, "5", sent_in("updatePolicySet", 2)), True),
    ("removePolicy-not-found", lambda pap: pap.remove_policy(None, "nope"), False),
    ("removePolicySet-not-found", lambda pap: pap.remove_policy_set(None, "nope"), False),
    ("removeObjectByIdAndReferences", lambda pap: pap.remove_object(None, f"public-{uuid(27)}"), None),
    ("addACE-fqan", lambda pap: pap.add_ace(FQAN, ["POLICY_READ_LOCAL", "CONFIGURATION_READ"]), None),
    ("removeACE", lambda pap: pap.remove_ace(FQAN), None),
    ("setACL", lambda pap: pap.set_acl([PAPACE(DN, ("ALL",))]), None),
]


@pytest.mark.parametrize(("case", "call", "expected"), CALLS, ids=[case for case, _, _ in CALLS])
def test_a_call_is_sent_as_by_the_java_client_and_its_answer_understood(
    case: str, call: Callable[[PapSoap], object], expected: object
) -> None:
    recorded = Recorded(case)
    assert call(client(recorded)) == expected
    (request,) = recorded.requests
    assert request.method == "POST"
    assert str(request.url) == ROOT + recorded.exchange["service"]
    assert request.headers["SOAPAction"] == f'"{recorded.exchange["soap_action"]}"'
    if "xacml:" not in recorded.exchange["request"]:
        assert request.content == recorded.exchange["request"].encode()


def test_headers_are_those_that_the_java_client_sends() -> None:
    recorded = Recorded("ping")
    client(recorded).ping()
    (request,) = recorded.requests
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert request.headers["Accept"] == "application/soap+xml, application/dime, multipart/related, text/*"
    assert request.headers["Cache-Control"] == request.headers["Pragma"] == "no-cache"


def test_paps_are_read() -> None:
    rem1 = client(Recorded("getPap-remote")).get_pap("rem1")
    assert rem1.dn == "/DC=example/DC=test/OU=hosts/CN=localhost"
    assert rem1.endpoint == "https://localhost:8150/pap/services/"
    assert (rem1.remote, rem1.type_as_string, rem1.enabled) == (True, "remote", False)
    paps = client(Recorded("getAllPaps")).get_all_paps()
    assert [pap.alias for pap in paps] == ["default", "rem1", "loc1"]


def test_policies_are_read() -> None:
    root, *_ = client(Recorded("listPolicySets")).list_policy_sets(None)
    assert root.id == f"default-{uuid(4)}"
    assert [child.id for child in root.children] == [uuid(15), uuid(16)]
    assert client(Recorded("getRootPolicySet")).get_root_policy_set(None) == root
    assert isinstance(client(Recorded("getPolicy")).get_policy(None, "x"), Policy)
    assert isinstance(client(Recorded("getPolicySet")).get_policy_set(None, "x"), PolicySet)
    assert len(client(Recorded("listPolicies")).list_policies(None)) == 2


def test_the_access_control_list_is_read() -> None:
    (entry,) = client(Recorded("getACL")).get_acl()
    assert entry.principal == PAPPrincipal(X509_DN, ANYONE_NAME)
    assert len(entry.permissions) == 5
    assert len(client(Recorded("getACL-many")).get_acl("global-context")) == 3


def test_there_is_a_method_for_every_operation() -> None:
    methods = [name for name, _ in inspect.getmembers(PapSoap, inspect.isfunction) if not name.startswith("_")]
    assert len(methods) == sum(len(service.operations) for service in SERVICES)


# refusals and failures


def test_a_fault_is_told_with_class_and_message() -> None:
    with pytest.raises(SoapRefused) as refused:
        client(Recorded("getPap-not-found")).get_pap("nope")
    assert refused.value.java_class == JavaClass.NOT_FOUND
    assert refused.value.message == "Not found: papAlias=nope"
    assert str(refused.value) == EXCHANGES["getPap-not-found"]["fault_string"]


def test_a_fault_of_axis_itself_has_no_class() -> None:
    with pytest.raises(SoapRefused) as refused:
        client(Recorded("no-soapaction-header")).ping()
    assert (refused.value.java_class, refused.value.message) == ("", "no SOAPAction header!")


def test_a_fault_is_one_whatever_the_status() -> None:
    answer = httpx.Response(200, stream=Stream(EXCHANGES["getPap-not-found"]["response"].encode()))
    with pytest.raises(SoapRefused):
        client(lambda _request: answer).get_pap("nope")


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (404, b"<html><body>Not Found</body></html>", "Bad envelope tag"),
        (200, b"", "Premature end"),
        (200, b"hello", "Content is not allowed in prolog"),
        (500, EXCHANGES["ping"]["response"].encode(), "no fault"),
        (200, EXCHANGES["setEnabled"]["response"].encode(), "a value is needed"),
        (200, EXCHANGES["ping"]["response"].replace("PAP version", "<x/>").encode(), "text is expected"),
    ],
)
def test_what_is_no_answer_of_a_pap_is_never_taken_for_one(status: int, content: bytes, reason: str) -> None:
    with pytest.raises(NotAPap, match=reason) as failed:
        client(lambda _request: httpx.Response(status, stream=Stream(content))).ping()
    assert failed.value.status == status
    assert failed.value.url == ROOT + "PAPManagementService"


def test_an_interval_of_more_than_all_time_is_refused() -> None:
    content = EXCHANGES["getPollingInterval"]["response"].replace("300.0", "1e300").encode()
    with pytest.raises(NotAPap, match=r"1e\+300 seconds"):
        client(lambda _request: httpx.Response(200, stream=Stream(content))).get_polling_interval()


class Endless(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield bytes(1 << 24)


def test_an_answer_that_does_not_end_is_given_up() -> None:
    with pytest.raises(NotAPap, match="longer than"):
        client(lambda _request: httpx.Response(200, stream=Endless())).ping()


def caused_by(cause: OSError) -> httpx.ConnectError:
    error = httpx.ConnectError(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            caused_by(ConnectionRefusedError(111, "Connection refused")),
            "Error contacting the PAP service. Caused by java.net.ConnectException: Connection refused.",
        ),
        (
            caused_by(ConnectionResetError(104, "Connection reset by peer")),
            "Error contacting the PAP service. Caused by java.net.SocketException: Connection reset by peer.",
        ),
        (
            caused_by(socket.gaierror(-2, "Name or service not known")),
            "Error. Caused by java.net.UnknownHostException: pap.example.org.",
        ),
        (
            caused_by(ssl.SSLCertVerificationError("certificate of a stranger.")),
            "SSL authentication error. Caused by javax.net.ssl.SSLPeerUnverifiedException: certificate of a stranger.",
        ),
        (
            caused_by(ssl.SSLError(1, "sslv3 alert bad certificate")),
            "Error. Caused by javax.net.ssl.SSLException: sslv3 alert bad certificate.",
        ),
        (httpx.ConnectTimeout(""), "Error. Caused by java.net.SocketTimeoutException: connect timed out."),
        (httpx.ReadTimeout(""), "Error. Caused by java.net.SocketTimeoutException: Read timed out."),
        (
            httpx.RemoteProtocolError("Server disconnected"),
            "Error. Caused by java.io.IOException: Server disconnected.",
        ),
        (httpx.RemoteProtocolError(""), "Error. Caused by java.io.IOException: RemoteProtocolError."),
    ],
)
def test_what_goes_wrong_on_the_way_is_told_as_the_java_client_does(error: httpx.HTTPError, text: str) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(PapUnreachable) as failed:
        client(fail).ping()
    assert str(failed.value) == text
    assert failed.value.url == ROOT + "PAPManagementService"


def test_all_failures_are_of_our_kinds() -> None:
    assert all(issubclass(error, ArgusError) for error in (PapUnreachable, NotAPap, SoapRefused))
