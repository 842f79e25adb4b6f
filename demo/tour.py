"""The tour of ``make run``: each step runs a real command, shows it, and checks what it announces."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from demo.site import ACTION, RESOURCE, Site, make_site

_BIN = Path(sys.executable).parent
_READY = 30.0  # seconds; a start takes two
_PILOT = "Alice Pilot"
_PILOT_DN = f"/DC=org/DC=argus-demo/CN={_PILOT}"


class Surprise(Exception):
    """A step came out differently from what it announced."""


def tour(root: Path, policy: Path, once: bool) -> None:
    """Make the site, serve it, walk through it; then serve until Ctrl-C unless ``once``.

    Raises Surprise: a step differs from what it says.
    """
    _say("A throw-away site: CA, host, users, VOMS server, pools")
    site = make_site(root)
    pilot = site.add_pilot(_PILOT)
    print(f"  {site.root}: {', '.join(sorted(path.name for path in site.root.iterdir()))}")
    with _service(site) as urls:
        commands = Commands(site, urls)
        _walk(site, commands, policy, pilot)
        _farewell(commands, pilot)
        if not once:
            print("\nServing until Ctrl-C.", flush=True)
            with suppress(KeyboardInterrupt):
                signal.pause()


def _walk(site: Site, commands: "Commands", policy: Path, pilot: Path) -> None:
    _say("The administrator loads a policy")
    commands.run(commands.pap_admin("add-policies-from-file", str(policy)))
    commands.run(commands.pap_admin("list-policies"))

    _say("A worker node asks: may this pilot run here, and as whom? (mutual TLS, Hessian, VOMS proxy)")
    _expect(commands.run(commands.pepcli(pilot)), "Decision: Permit")
    account = _tell_permit(site)

    _say("Who may do this?")
    commands.run(commands.pap_admin("who-may", "--resource", RESOURCE, "--action", ACTION))

    _say("The pilot is banned; the next question is refused")
    commands.run(commands.pap_admin("ban", "subject", _PILOT_DN))
    _expect(commands.run(commands.pepcli(pilot)), "Decision: Deny")
    print(f"  decided by: {_last_record(site)['reason']}")

    _say("The ban is lifted; the pilot gets the same account again")
    commands.run(commands.pap_admin("un-ban", "subject", _PILOT_DN))
    _expect(commands.run(commands.pepcli(pilot)), "Decision: Permit")
    again = _tell_permit(site)
    if again != account:
        raise Surprise(f"the account was {account} and is {again} now")


def _tell_permit(site: Site) -> str:
    """Print what the answer does not show: lease file and deciding rule. Gives the account."""
    record = _last_record(site)
    account, lease = str(record["account"]), str(record["lease"])
    print(f"  account:    {account}")
    print(f"  lease file: {site.gridmapdir / lease}")
    print(f"  decided by: {record['reason']}")
    if not (site.gridmapdir / lease).samefile(site.gridmapdir / account):
        raise Surprise(f"the lease {lease} is no link to {account}")
    return account


def _last_record(site: Site) -> dict[str, object]:
    lines = (site.root / "log" / "audit.jsonl").read_text().splitlines()
    record: dict[str, object] = json.loads(next(line for line in reversed(lines) if '"account"' in line))
    return record


def _farewell(commands: "Commands", pilot: Path) -> None:
    _say("How to go on by hand")
    for command in (
        commands.pap_admin("list-policies", "-sai"),
        commands.pap_admin("ban", "vo", "dteam"),
        commands.pepcli(pilot),
        commands.status(),
    ):
        print(f"  {shlex.join(command)}")


class Commands:
    """Command lines against the running service."""

    def __init__(self, site: Site, urls: dict[str, str]) -> None:
        self._site = site
        self._urls = urls

    def pap_admin(self, *arguments: str) -> list[str]:
        certificate, key = self._site.admin
        port = str(urlsplit(self._urls["PAP"]).port)
        trust = ["--cadir", str(self._site.certificates)]
        connection = ["--host", "localhost", "--port", port, "--cert", str(certificate), "--key", str(key), *trust]
        return [str(_BIN / "pap-admin"), *connection, *arguments]

    def pepcli(self, proxy: Path) -> list[str]:
        """The pilot's proxy is both what is asked about and the credential of the connection, as with gLExec."""
        tls = ["--cert", str(proxy), "--key", str(proxy), "--capath", str(self._site.certificates)]
        question = ["--keyinfo", str(proxy), "--resourceid", RESOURCE, "--actionid", ACTION]
        return [str(_BIN / "pepcli"), "--pepd", f"{self._urls['PEP']}/authz", *tls, *question]

    def status(self) -> list[str]:
        certificate, key = self._site.admin
        credential = ["--cert", str(certificate), "--key", str(key), "--cadir", str(self._site.certificates)]
        return [str(_BIN / "argus"), "status", f"{self._urls['PEP']}/status", *credential]

    def run(self, command: Sequence[str]) -> str:
        """Show the command and its output. Raises Surprise: it fails."""
        print(f"  $ {_readable(command)}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print("".join(f"    {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="", flush=True)
        if done.returncode:
            raise Surprise(f"{Path(command[0]).name} ended with {done.returncode}")
        return done.stdout


@contextmanager
def _service(site: Site) -> Iterator[dict[str, str]]:
    """All daemons in one process; gives the URL of each port. Stopped by SIGTERM at the end."""
    _say("PAP, PDP and PEP in one process")
    command = [
        str(_BIN / "argus"),
        "serve",
        "--config-dir",
        str(site.configuration),
        "--log-dir",
        str(site.root / "log"),
    ]
    print(f"  $ {_readable(command)}")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        urls = _urls(process)
        for name, url in urls.items():
            print(f"    {name} {url}")
        yield urls
    finally:
        process.terminate()
        if process.wait(timeout=_READY):
            raise Surprise(f"argus serve ended with {process.returncode}")


def _urls(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    urls: dict[str, str] = {}
    give_up = time.monotonic() + _READY
    while len(urls) < 3:
        line = process.stdout.readline()
        if not line or time.monotonic() > give_up:
            raise Surprise(f"argus serve does not start (exit code {process.poll()}), see the log folder")
        name, _, url = line.strip().partition(" ")
        urls[name] = url
    return urls


def _readable(command: Sequence[str]) -> str:
    """With the options of the connection left out; the farewell shows whole commands."""
    hidden = {"--host", "--port", "--cert", "--key", "--cadir", "--capath", "--pepd"}
    shown, skip = [Path(command[0]).name], False
    for word in command[1:]:
        if skip or word in hidden:
            skip = not skip
            continue
        shown.append(os.path.relpath(word) if word.startswith("/") and Path(word).exists() else word)
    return shlex.join(shown)


def _expect(output: str, line: str) -> None:
    if line not in output.splitlines():
        raise Surprise(f"expected {line!r} in the answer")


def _say(title: str) -> None:
    print(f"\n== {title}", flush=True)
