"""pepcli against every recording of the C program: same request, same output, same exit code.

A small server on the loopback interface replays the recorded answers, over TLS where the recording used it. The
differences are listed once, each with its reason.
"""

import json
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from argus_py.cli import pepcli
from argus_py.hessian import base64_lines, messages
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType
from argus_py.model.request import Request, Resource, Subject
from argus_py.model.response import indeterminate

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "pep"
RECORDED: dict[str, Any] = {
    path.stem: json.loads(path.read_text()) for path in sorted((VECTORS / "cases").glob("*.json"))
}
CASES = [name for name, case in RECORDED.items() if case.get("argv", [""])[0] == "pepcli"]

ACCEPTED_HERE = {
    "c-fail-attribute-value-int": "the echoed request is read as the daemon reads requests: a number has a text",
    "c-fail-request-subjects-null": "the same: a null list is an empty one",
    "c-fail-cyrillic-echo": "the C library counts U+0400 to U+07FF wrongly",
    "c-fail-cyrillic-message": "the same",
    "java-resp-cyrillic-echo": "the same",
    "java-resp-unicode-message": "the same",
    "c-fail-nul-body": "the C library takes a NUL octet for base64",
    "c-fail-ref-global": "the C library looks references up in the wrong place",
    "c-fail-ref-list": "the same, and crashes",
    "java-resp-shared-status": "the same",
}
REFUSED_HERE = {
    "c-odd-ref-local": "the reference is to the response itself, which the C library takes for its first result",
    "c-odd-truncated-ends": "an answer that was cut off must not be a Permit",
}
OWN_OUTPUT = {
    "c-cli-version": "the versions are our own",
    "c-cli-help": "the same, and --profileid, which the C program does not have either, is not offered",
    "c-cli-profileid-unknown": "the wording of getopt",
}
PROPER_UTF8 = {
    "c-ok-astral-cesu8": "the C program shows the halves of a surrogate pair as they came, three octets each"
}
OTHER_CAUSE = {"c-fail-truncated-in-map": "a string that ends early is unreadable here, in C a strange class name"}
# The C library's own words; the others that follow "failed to authorize" are libcurl's.
NAMED_BY_C_LIBRARY = ("authorize request error", "Unmarshalling IO error", "Hessian unmarshalling error")
FAILED = "pepcli:ERROR: failed to authorize XACML request: "


class ReplayServer(socketserver.ThreadingTCPServer):
    """Answers every request with the same octets and keeps the body of the last one."""

    daemon_threads = True

    def __init__(self, host: str, answer: bytes | None, tls: ssl.SSLContext | None, silent: bool) -> None:
        super().__init__((host, 0), Replay)
        self.answer = answer
        self.tls = tls
        self.silent = silent
        self.body: bytes | None = None
        self.stopped = threading.Event()


class Replay(socketserver.BaseRequestHandler):
    server: ReplayServer

    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.settimeout(10)
        try:
            if self.server.tls:
                connection = self.server.tls.wrap_socket(connection, server_side=True)
            self.exchange(connection)
        except OSError:
            pass  # the client went away, or showed no certificate
        finally:
            connection.close()

    def exchange(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            assert stream.readline() == b"POST /authz HTTP/1.1\r\n"
            headers = dict(line.split(b": ", 1) for line in iter(stream.readline, b"\r\n"))
            lengths = [value for name, value in headers.items() if name.lower() == b"content-length"]
            self.server.body = stream.read(int(lengths[0]))
        if self.server.silent:
            self.server.stopped.wait()
        elif self.server.answer is not None:
            connection.sendall(self.server.answer)


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(VECTORS / "certs" / "server.pem", VECTORS / "certs" / "server.key")
    context.load_verify_locations(VECTORS / "certs" / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_ALLOW_PROXY_CERTS
    return context


@contextmanager
def serving(case: dict[str, Any]) -> Iterator[ReplayServer]:
    host = "127.0.0.2" if any("127.0.0.2" in argument for argument in case["argv"]) else "127.0.0.1"
    plain = any("_PLAIN@" in argument for argument in case["argv"])
    silent = "delay" in (case.get("http_response") or {})
    with ReplayServer(host, recorded_answer(case), None if plain else server_tls(), silent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()


def recorded_answer(case: dict[str, Any]) -> bytes | None:
    """The octets of the HTTP answer, None if the connection is just closed."""
    if "response_raw" in case:
        return str(case["response_raw"]).encode("latin-1")
    http = case.get("http_response")
    if http is None or "drop" in http:
        return None
    body: bytes = case.get("response", "").encode("latin-1")
    lines = [f"HTTP/1.1 {http['status']} Recorded", *(f"{name}: {value}" for name, value in http["headers"].items())]
    if http["transfer"] == "chunked":
        lines.append("Transfer-Encoding: chunked")
        body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    elif http["transfer"] == "content-length":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def filled(text: str, port: int, dead: int) -> str:
    places = {
        "@ENDPOINT@": f"https://localhost:{port}/authz",
        "@ENDPOINT_PLAIN@": f"http://localhost:{port}/authz",
        "@DEADHOSTPORT@": f"localhost:{dead}",
        "@PORT@": str(port),
    }
    for place, value in places.items():
        text = text.replace(place, value)
    return text


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:  # and not listening: connections to it are refused
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


@pytest.fixture(autouse=True)
def recorded_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in the recordings are relative; a proxy of the test machine has no part in them."""
    monkeypatch.chdir(VECTORS)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize("name", CASES)
def test_a_recording_is_reproduced(name: str, closed_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    case = RECORDED[name]
    with serving(case) as server:
        port = server.server_address[1]
        code = pepcli.main([filled(argument, port, closed_port) for argument in case["argv"][1:]])
        body = server.body
    output = capsys.readouterr()
    if "request" in case:
        assert body is not None
        assert base64_lines.decode(body) == base64_lines.decode(case["request"].encode("latin-1"))
    if name in ACCEPTED_HERE:
        assert code == 0 != case["exit_code"]
        assert output.out.startswith(("Decision: ", "Resource: "))
    elif name in REFUSED_HERE:
        assert code == 5 != case["exit_code"]
        assert output.out == ""
        assert output.err.startswith(FAILED)
    elif case["killed_by_signal"]:
        assert code == 5
        assert output.err.startswith(FAILED)
    elif name in OWN_OUTPUT:
        assert code == case["exit_code"]
        assert output.out.splitlines()[1:] == [
            line for line in case["stdout"].splitlines()[1:] if "--profileid" not in line
        ]
        assert bool(output.err) == bool(case["stderr"])
    else:
        assert code == case["exit_code"]
        expected = filled(case["stdout"], port, closed_port)
        assert output.out == (joined_pairs(expected) if name in PROPER_UTF8 else expected)
        compare_errors(name, output.err.splitlines(), case["stderr"])


def joined_pairs(text: str) -> str:
    halves = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogatepass")
    return halves.encode("utf-16", "surrogatepass").decode("utf-16")


def compare_errors(name: str, lines: list[str], recorded: list[str]) -> None:
    """As recorded, but after "failed to authorize" the cause may be told in more words, or in others than libcurl's."""
    assert len(lines) == len(recorded)
    for line, expected in zip(lines, recorded, strict=True):
        if not expected.startswith(FAILED):
            assert line == expected
        elif expected.endswith(NAMED_BY_C_LIBRARY) and name not in OTHER_CAUSE:
            assert line.startswith(f"{expected}: ")
        else:
            assert line.startswith(FAILED)
            assert len(line) > len(FAILED)


def test_every_field_of_an_effective_request_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    attribute = Attribute("a", ("1", "2"), DataType.STRING, "i")
    request = Request((Subject((attribute,), "c"),), (Resource((), "text"),))
    case = {
        "argv": ["@ENDPOINT_PLAIN@"],
        "http_response": {"status": 200, "headers": {}, "transfer": "chunked"},
        "response": base64_lines.encode(messages.write_response(indeterminate(None, request))).decode(),
    }
    with serving(case) as server:
        port = server.server_address[1]
        assert pepcli.main(["-v", "-x", "-p", f"http://localhost:{port}/authz", "-s", "CN=x"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("pepcli: request")] == [
        "pepcli: request: 1 subjects",
        "pepcli: request.subject[0].category= c",
        "pepcli: request.subject[0]: 1 attributes",
        "pepcli: request.subject[0].attribute[0].id= a",
        f"pepcli: request.subject[0].attribute[0].datatype= {DataType.STRING}",
        "pepcli: request.subject[0].attribute[0].issuer= i",
        "pepcli: request.subject[0].attribute[0].value[0]= 1",
        "pepcli: request.subject[0].attribute[0].value[1]= 2",
        "pepcli: request: 1 resources",
        "pepcli: request.resource[0].content= text",
        "pepcli: request.resource[0]: 0 attributes",
    ]


def test_debug_output_goes_to_standard_error_alone(closed_port: int) -> None:
    program = [sys.executable, "-c", "import sys; from argus_py.cli.pepcli import main; sys.exit(main())"]
    arguments = ["-d", "-p", f"http://127.0.0.1:{closed_port}/authz", "-s", "CN=x"]
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    *debug, last = done.stderr.splitlines()
    assert debug
    assert all(line.startswith("pepcli:DEBUG: ") for line in debug)
    assert last.startswith(FAILED)


def test_the_listed_differences_are_recorded_ones() -> None:
    assert ACCEPTED_HERE.keys() | REFUSED_HERE.keys() | OWN_OUTPUT.keys() <= set(CASES)
    assert PROPER_UTF8.keys() | OTHER_CAUSE.keys() <= set(CASES)
