"""argus explain: of policy files, and by the admin port of a PDP."""

import http.server
import json
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argus_py.cli import argus

ROOT = Path(__file__).parents[3]
POLICY = """\
resource "wn" {
    action "run" {
        rule deny { subject="/C=CH/CN=Eve" }
        rule permit { vo="dteam" }
    }
}
"""
ALICE = ("--subject", "/C=CH/CN=Alice", "--fqan", "/dteam", "--resource", "wn", "--action", "run")

Explain = Callable[..., tuple[int, str, str]]


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Explain:
    """Exit code, standard output, standard error."""

    def explain(*words: str) -> tuple[int, str, str]:
        code = argus.main(["explain", *words])
        return code, *capsys.readouterr()

    return explain


@pytest.fixture
def policy(tmp_path: Path) -> str:
    (tmp_path / "wn.spl").write_text(POLICY)
    return str(tmp_path / "wn.spl")


# Policy files


def test_the_example_of_the_document_is_what_comes_out(explain: Explain, tmp_path: Path) -> None:
    document = (ROOT / "docs" / "explain.md").read_text()
    example = document[document.index("$ argus explain ") :]
    command, answer = example[: example.index("```")].split("\n", 1)
    (tmp_path / "wn.spl").write_text(
        """\
resource "wn" {
    obligation "http://glite.org/xacml/obligation/local-environment-map" { }

    action "run" {
        rule deny { subject="/C=CH/CN=Eve" }
        rule permit { pfqan="/dteam/Role=pilot" }
        rule permit { vo="dteam" }
    }
}
"""
    )
    words = [str(tmp_path / word) if word == "wn.spl" else word for word in shlex.split(command)[3:]]
    assert explain(*words) == (0, answer, "")


def test_a_policy_text_is_explained_with_its_lines(explain: Explain, policy: str) -> None:
    code, out, err = explain("--policy", policy, *ALICE)
    assert (code, err) == (0, "")
    assert out.startswith('Decision: Permit\nBy: rule permit { vo="dteam" } of action "run" of resource "wn"\n\n')
    assert 'Permit        rule permit { vo="dteam" }  [4, line 4]\n' in out


def test_json_has_the_line_that_decided(explain: Explain, policy: str) -> None:
    code, out, _ = explain("--policy", policy, *ALICE, "--output", "json")
    told = json.loads(out)
    assert (code, told["decision"], told["line"], told["decided_by"]) == (
        0,
        "Permit",
        4,
        ["wn.spl", "1", "public_2", "4"],
    )


def test_every_decision_is_fine(explain: Explain, policy: str) -> None:
    code, out, _ = explain("--policy", policy, *ALICE[:6], "--action", "stop")
    assert (code, out.splitlines()[0]) == (0, "Decision: NotApplicable")


def test_all_shows_what_the_short_form_leaves_out(explain: Explain, tmp_path: Path) -> None:
    bans = "".join(f'rule deny {{ subject="/C=CH/CN=user {number}" }}\n' for number in range(50))
    (tmp_path / "bans.spl").write_text(f'resource "wn" {{ action "run" {{ {bans} }} }}')
    words = ("--policy", str(tmp_path / "bans.spl"), *ALICE)
    assert "45 more, looked at and not shown" in explain(*words)[1]
    assert explain(*words, "--all")[1].count("rule deny") == 50


def test_the_policies_delivered_to_a_pdp_are_explained_with_their_pap(explain: Explain) -> None:
    file = ROOT / "tests" / "vectors" / "xacml" / "policy-two-paps.xml"
    code, out, _ = explain("--policy", str(file), *ALICE)
    assert code == 0
    assert 'pap "ngi"  [ngi-00000002-0000-4000-8000-000000000002]' in out


def test_documents_may_refer_to_each_other_and_what_cannot_be_followed_is_told(
    explain: Explain, tmp_path: Path
) -> None:
    (tmp_path / "root.xml").write_text(
        '<PolicySet xmlns="urn:oasis:names:tc:xacml:2.0:policy:schema:os" PolicySetId="root" PolicyCombiningAlgId='
        '"urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable"><Target/>'
        "<PolicyIdReference>p</PolicyIdReference></PolicySet>"
    )
    (tmp_path / "p.xml").write_text(
        '<Policy xmlns="urn:oasis:names:tc:xacml:2.0:policy:schema:os" PolicyId="p" RuleCombiningAlgId='
        '"urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable"><Target/>'
        '<Rule RuleId="r" Effect="Permit"/></Policy>'
    )
    words = ("--policy", str(tmp_path / "root.xml"), *ALICE)
    assert explain(*words, "--policy", str(tmp_path / "p.xml"))[1].startswith("Decision: Permit\n")
    code, out, err = explain(*words)
    assert (code, out.splitlines()[0]) == (0, "Decision: Indeterminate")
    assert err == "argus: root: the reference to p cannot be followed: no such Policy was delivered\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--subject", "Alice"), "Alice"),
        (("--fqan", "dteam"), "not an FQAN: 'dteam'"),
        (("--resource", ""), "resource: it is empty"),
    ],
)
def test_what_cannot_be_asked_is_told(words: tuple[str, ...], reason: str, explain: Explain, policy: str) -> None:
    code, out, err = explain("--policy", policy, *ALICE, *words)
    assert (code, out) == (1, "")
    assert err.startswith("argus: ")
    assert reason in err


def test_a_file_without_a_policy_is_refused(explain: Explain, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("permit")
    code, out, err = explain("--policy", str(tmp_path / "x"), *ALICE)
    assert (code, out) == (1, "")
    assert err.startswith(f"argus: {tmp_path / 'x'}: ")


@pytest.mark.parametrize(
    "words",
    [
        ALICE[2:],
        (*ALICE, "--profile", "other"),
        (*ALICE, "--admin", "localhost:8153"),
        (*ALICE, "--admin", "https://localhost:8153"),
        (*ALICE, "--admin", "http://localhost"),
        (*ALICE, "--admin", "http://localhost:x"),
        (*ALICE, "--admin", "http://localhost:8153/explain"),
        (*ALICE, "--admin", "http://localhost:8153", "--policy", "x"),
    ],
)
def test_wrong_usage_ends_with_2(words: tuple[str, ...], explain: Explain) -> None:
    with pytest.raises(SystemExit) as end:
        explain(*words)
    assert end.value.code == 2


# The admin port


@dataclass
class Pdp:
    """An admin port that gives one answer, and remembers what it was asked."""

    status: int = 200
    body: bytes = b"Decision: Permit\n"
    asked: list[tuple[str, str | None, str | None, Any]] = field(default_factory=list)
    number: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.number}"


@pytest.fixture
def pdp() -> Iterator[Pdp]:
    pdp = Pdp()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = self.headers
            body = json.loads(self.rfile.read(int(headers["Content-Length"])))
            pdp.asked.append((self.path, headers["X-Admin-Password"], headers["Content-Type"], body))
            self.send_response(pdp.status)
            self.send_header("Content-Type", "text/plain;charset=utf-8")
            self.send_header("Content-Length", str(len(pdp.body)))
            self.end_headers()
            self.wfile.write(pdp.body)

        def log_message(self, *_: object) -> None:
            """Not to standard error."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    pdp.number = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield pdp
    server.shutdown()
    thread.join()
    server.server_close()


def ini(folder: Path, number: int) -> str:
    file = folder / "pdp.ini"
    file.write_text(
        f"""
        [SERVICE]
        entityId = urn:pdp
        hostname = localhost
        adminHost = 127.0.0.1
        adminPort = {number}
        adminPassword = sécret word
        [POLICY]
        paps = http://localhost/pap
        """
    )
    return str(file)


def test_the_pdp_of_the_configuration_is_asked_with_its_password(explain: Explain, pdp: Pdp, tmp_path: Path) -> None:
    words = ("--profile", "common", "--issuer", "/CN=CA", "--fqan", "/ops", "--all")
    assert explain("--config", ini(tmp_path, pdp.number), *ALICE, *words) == (0, "Decision: Permit\n", "")
    ((path, password, content_type, body),) = pdp.asked
    assert (path, content_type) == ("/explain", "application/json")
    assert password
    assert password.encode("latin-1").decode() == "sécret word"
    assert body == {
        "subject": "/C=CH/CN=Alice",
        "resource": "wn",
        "action": "run",
        "fqans": ["/dteam", "/ops"],
        "issuers": ["/CN=CA"],
        "profile": "common",
        "output": "text",
        "whole": True,
    }


def test_another_pdp_is_asked_with_the_password_of_a_file(explain: Explain, pdp: Pdp, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\nnot this\n")
    pdp.body = b'{"decision": "Deny"}'
    words = ("--admin", f"{pdp.url}/", "--password-file", str(tmp_path / "password"), "--output", "json")
    assert explain(*words, *ALICE) == (0, '{\n  "decision": "Deny"\n}\n', "")
    ((path, password, _, body),) = pdp.asked
    assert (path, password, body["output"]) == ("/explain", "secret", "json")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"", "the password of the admin port is another one"),
        (404, b"<html>", "this is no PDP of argus_py, which alone can explain"),
        (405, b"<html>", "this is no PDP of argus_py, which alone can explain"),
        (503, b"no policy has been loaded yet\n", "HTTP status 503: no policy has been loaded yet"),
    ],
)
def test_what_the_pdp_declines_is_told(status: int, body: bytes, reason: str, explain: Explain, pdp: Pdp) -> None:
    pdp.status, pdp.body = status, body
    assert explain("--admin", pdp.url, *ALICE) == (1, "", f"argus: {pdp.url}: {reason}\n")


def test_a_question_that_is_none_is_not_sent(explain: Explain, pdp: Pdp) -> None:
    assert explain("--admin", pdp.url, *ALICE, "--fqan", "dteam")[0] == 1
    assert pdp.asked == []


def test_an_answer_that_is_not_the_json_asked_for_is_told(explain: Explain, pdp: Pdp) -> None:
    code, out, err = explain("--admin", pdp.url, *ALICE, "--output", "json")
    assert (code, out) == (1, "")
    assert err == f"argus: {pdp.url}: the answer is no JSON\n"


def test_nobody_there_is_told(explain: Explain) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    assert explain("--admin", url, *ALICE) == (1, "", f"argus: {url}: [Errno 111] Connection refused\n")


def test_an_empty_password_file_is_an_error(explain: Explain, tmp_path: Path) -> None:
    (tmp_path / "password").touch()
    code, _, err = explain("--admin", "http://localhost:1", "--password-file", str(tmp_path / "password"), *ALICE)
    assert (code, err) == (1, f"argus: {tmp_path / 'password'} is empty, where a password is expected\n")
