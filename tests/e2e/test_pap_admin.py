"""pap-admin as a process: over mutual TLS with our PAP, and over one connection with a PAP that speaks SOAP alone."""

import http.server
import json
import os
import pty
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.e2e.conftest import Done, Grid

EXCHANGES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "pap-soap" / "exchanges.json").read_text()
)
PROGRAM: Final = str(Path(sys.executable).parent / "pap-admin")
EVE: Final = "/DC=org/DC=argus-demo/CN=Eve"
NOT_FOUND: Final = b"<html><head><title>Error 404 NOT_FOUND</title></head></html>\n"


class JavaPap(http.server.BaseHTTPRequestHandler):
    """As Jetty in front of the Java PAP: pages for people, and what the PAP was recorded to answer."""

    protocol_version = "HTTP/1.1"
    connections: list[object]  # that were made

    def setup(self) -> None:
        super().setup()
        self.connections.append(self.client_address)

    def do_GET(self) -> None:
        self._answer(404, "text/html", NOT_FOUND)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = re.search(rb"Body>\s*<(\w+)", body)
        assert name is not None
        answer = next(each for each in EXCHANGES if each["operation"] == name[1].decode() and each["status"] == 200)
        self._answer(200, "text/xml;charset=utf-8", answer["response"].encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def java_pap(grid: "Grid") -> Iterator[tuple[int, list[object]]]:
    """Its port, where nothing older than TLS 1.3 is spoken, and the connections that were made to it."""
    made: list[object] = []

    class Counting(JavaPap):
        connections = made

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A connection that fails is what some tests want."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, capath=str(grid.site.certificates))
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(*grid.site.host)
    with Server(("localhost", 0), Counting) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, made
        server.shutdown()


def asked(grid: "Grid", home: Path, *arguments: str) -> "Done":
    """With what the properties below ``home`` say, and the identity of the environment."""
    certificate, key = grid.site.admin
    identity = {"X509_USER_CERT": str(certificate), "X509_USER_KEY": str(key)}
    environment = {**identity, "X509_CERT_DIR": str(grid.site.certificates), "PAP_HOME": str(home)}
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False, env=environment)


def properties(home: Path, port: int, protocol: str) -> None:
    (home / "conf").mkdir(exist_ok=True)
    (home / "conf/pap-admin.properties").write_text(f"host=localhost\nport={port}\ntlsProtocol={protocol}\n")


def test_a_pap_that_speaks_soap_alone_is_asked_over_the_same_connection(grid: "Grid", tmp_path: Path) -> None:
    with java_pap(grid) as (port, connections):
        properties(tmp_path, port, "TLSv1.3")
        done = asked(grid, tmp_path, "ping")
        url = f"https://localhost:{port}/pap/services/"
        assert (done.returncode, done.stderr) == (0, "")
        assert re.fullmatch(rf'Contacting PAP at "{url}"\.\.\. ok \(PAP version: \S+\)\n', done.stdout)
        assert len(connections) == 1
        listed = asked(grid, tmp_path, "-v", "list-policies", "--show-xacml").stdout
        assert listed.startswith(f"Connecting to {url} using ")
        assert "PolicySet" in listed
        assert asked(grid, tmp_path, "history").returncode == 2


def test_the_protocol_is_that_of_the_properties(grid: "Grid", tmp_path: Path) -> None:
    with java_pap(grid) as (port, _):
        properties(tmp_path, port, "TLSv1.2")
        assert asked(grid, tmp_path, "gpo").returncode == 5
        properties(tmp_path, port, "SSLv3")
        refused = asked(grid, tmp_path, "gpo")
        assert refused.returncode == 2
        assert refused.stdout.startswith("Error: pap-admin.properties: tlsProtocol is 'SSLv3', ")


def test_the_passphrase_of_a_key_is_asked_for(grid: "Grid", tmp_path: Path) -> None:
    certificate, key = grid.site.admin
    locked = tmp_path / "locked.pem"
    grid.run(["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:open sesame", "-out", str(locked)])
    argus = grid.serve()
    command = [PROGRAM, "--url", f"{argus.urls['PAP']}/pap/services/", "--cadir", str(grid.site.certificates)]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*command, "--cert", str(certificate), "--key", str(locked), "list-paps"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while b"locked.pem: " not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, b"open sesame\n")
        assert process.stdout is not None
        assert process.stdout.read() == b"alias = default (local, enabled, public)\n"
    os.close(ours)
    assert b"Please enter the passphrase for the private key file " in shown
    assert process.returncode == 0


def test_an_administrator_bans_looks_and_takes_it_back(grid: "Grid") -> None:
    argus = grid.serve()
    told = grid.pap_admin(argus, "ban", "subject", EVE, "--dry-run")
    assert (told.returncode, told.stderr) == (0, "")
    assert '+        rule deny { subject="CN=Eve,DC=argus-demo,DC=org" }' in told.stdout.splitlines()
    assert "Eve" not in grid.policies(argus)
    assert grid.pap_admin(argus, "ban", "subject", EVE).returncode == 0
    number, _, _, command = grid.pap_admin(argus, "history", "--limit", "1").stdout.split("  ")
    assert command == f"ban subject {EVE}\n"
    assert "Eve" in grid.pap_admin(argus, "show", number).stdout
    assert grid.pap_admin(argus, "undo", number).returncode == 0
    assert "Eve" not in grid.policies(argus)


def test_our_pap_is_the_same_over_soap(grid: "Grid") -> None:
    argus = grid.serve()
    assert grid.pap_admin(argus, "--soap", "ban", "subject", EVE).returncode == 0
    listings = [grid.pap_admin(argus, *spoken, "lp", "--all", "-sai").stdout for spoken in ([], ["--soap"])]
    assert listings[0] == listings[1]
    assert "CN=Eve" in listings[0]
    for command in (["lpaps", "-l"], ["export-bans", "--format", "lcmaps"]):
        one, other = (grid.pap_admin(argus, *spoken, *command) for spoken in ([], ["--soap"]))
        assert (one.returncode, one.stdout) == (other.returncode, other.stdout)
    answer = grid.pap_admin(argus, "test-client", "-pdp", "-v")
    assert (answer.returncode, "CN=Eve" in answer.stdout) == (0, True)
    assert grid.pap_admin(argus, "test-client").stdout == ""


def test_bans_reach_a_file_and_a_pap_that_is_gone_leaves_it(grid: "Grid", tmp_path: Path) -> None:
    argus = grid.serve()
    assert grid.pap_admin(argus, "ban", "subject", EVE).returncode == 0
    export = ("export-bans", "--format", "lcmaps", "--output", str(tmp_path / "bans"))
    assert grid.pap_admin(argus, *export).returncode == 0
    assert f'"{EVE}"' in (tmp_path / "bans").read_text().splitlines()
    argus.kill()
    gone = grid.pap_admin(argus, *export)
    assert gone.returncode == 5
    assert gone.stdout.startswith("Error contacting the PAP service")
    assert f'"{EVE}"' in (tmp_path / "bans").read_text().splitlines()
