"""argus explain of a running PDP: the decision that a worker node gets, by the same rule, before and after a ban."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

PASSWORD = "pdpadmin_password"


def explain(grid: "Grid", argus: "Argus", record: dict[str, Any], *words: str) -> str:
    """Asks what the worker node of an audit record asked."""
    password = grid.site.root / "password"
    password.write_text(PASSWORD)
    fqans = [word for fqan in record["fqans"] for word in ("--fqan", fqan)]
    asked = ["--subject", record["subject"], *fqans, "--resource", record["resource"], "--action", record["action"]]
    admin = ["--admin", argus.urls["PDP-admin"], "--password-file", str(password)]
    done = grid.run([sys.executable, "-m", "argus_py.cli.argus", "explain", *asked, *admin, *words])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rules(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node["kind"] == "Rule":
        yield node
    for child in node["children"]:
        yield from rules(child)


def test_a_running_pdp_explains_the_decision_that_worker_nodes_get(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    pilot = grid.pilot("Alice Pilot")

    def decided() -> dict[str, Any]:
        grid.ask(argus, pilot)
        record: dict[str, Any] = json.loads(argus.read("audit.jsonl").splitlines()[-1])
        told = json.loads(explain(grid, argus, record, "--output", "json"))
        assert (told["decision"], told["decided_by"]) == (record["decision"], record["decided_by"])
        assert told["reason"] == record["reason"]
        assert told["pap"] == "default"
        (deciding,) = (rule for rule in rules(told["trace"]) if rule["decision"] == told["decision"])
        assert deciding["id"] == record["decided_by"][-1]
        return record

    permitted = decided()
    assert permitted["decision"] == "Permit"
    assert grid.pap_admin(argus, "ban", "subject", permitted["subject"]).returncode == 0
    banned = decided()
    assert banned["decision"] == "Deny"
    text = explain(grid, argus, banned)
    assert text.startswith("Decision: Deny\nBy: rule deny { subject=")
    assert PASSWORD not in argus.read("process.log")


def test_who_reads_the_answer_may_stop_at_any_line(tmp_path: Path) -> None:
    bans = "".join(f'rule deny {{ subject="/C=CH/CN=user {number}" }}\n' for number in range(2000))
    (tmp_path / "bans.spl").write_text(f'resource "wn" {{ action "run" {{ {bans} }} }}')
    asked = ["--subject", "/CN=Alice", "--resource", "wn", "--action", "run", "--policy", str(tmp_path / "bans.spl")]
    command = [sys.executable, "-m", "argus_py.cli.argus", "explain", *asked, "--all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "Decision: NotApplicable\n"
        process.stdout.close()
        assert process.stderr.read() == ""
