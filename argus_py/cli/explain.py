"""``argus explain``: how would this request be decided, and why?

It is asked of the PDP on this host by its admin port, of another one, or of policy files; docs/explain.md tells more.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from argus_py.cli.policy_files import read_policies
from argus_py.config.pdp import load_pdp
from argus_py.errors import ConfigurationError, Unavailable
from argus_py.model.dn import escape_controls
from argus_py.pdp.explanation import explained
from argus_py.pdp.question import Profile, Question
from argus_py.pdp.trace_json import explanation_as_json
from argus_py.pdp.trace_text import format_explanation
from argus_py.run.parts import now
from argus_py.web.admin import PASSWORD_HEADER

DEFAULT_CONFIG: Final = Path("/etc/argus/pdp/pdp.ini")
_PATIENCE: Final = 60.0  # seconds; to look at each of a hundred thousand rules takes some
_SENTENCE: Final = 500  # characters of what another program may have answered
_DECLINED: Final = {
    401: "the password of the admin port is another one",
    404: "this is no PDP of argus_py, which alone can explain",
    405: "this is no PDP of argus_py, which alone can explain",
}


class PdpSilent(Unavailable):
    """No answer came from the admin port at ``url``, or none that can be read."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url


class PdpDeclined(Unavailable):
    """The admin port at ``url`` answered with the HTTP ``status``, and not with an explanation."""

    def __init__(self, url: str, status: int, text: str) -> None:
        reason = _DECLINED.get(status, f"HTTP status {status}: {escape_controls(text[:_SENTENCE])}")
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.status = status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``run`` of what is parsed is ``main``."""
    parser.set_defaults(run=main)
    parser.add_argument("--subject", required=True, metavar="DN", help="slash form or RFC 2253")
    parser.add_argument(
        "--fqan",
        action="append",
        default=[],
        help="once for each; the first is the primary one and tells the VO",
    )
    parser.add_argument("--resource", required=True, help="the resource, as requests name it")
    parser.add_argument("--action", required=True, help="the action, as requests name it")
    parser.add_argument(
        "--issuer", action="append", default=[], metavar="DN", help="CA of the subject; then the CAs above it"
    )
    profiles = [profile.value for profile in Profile]
    parser.add_argument("--profile", choices=profiles, default=profiles[0], help="of the client, default %(default)s")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--all", action="store_true", help="text: all that was looked at, not the first few of a kind")
    asked = parser.add_argument_group("who is asked").add_mutually_exclusive_group()
    asked.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, help="the PDP of this pdp.ini, default %(default)s"
    )
    asked.add_argument("--admin", type=_admin_url, metavar="URL", help="the PDP with this admin port: http://host:8153")
    asked.add_argument(
        "--policy",
        type=Path,
        action="append",
        metavar="FILE",
        help="no PDP, but this policy text or XACML 2.0 document; it may refer to further ones",
    )
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="with the adminPassword, if it is not that of --config"
    )


def main(arguments: argparse.Namespace) -> int:
    """0 for any decision.

    Raises DnSyntaxError, FqanSyntaxError, UnusableQuestion; FileRefused, PolicyTooLarge; ConfigurationError; PdpSilent,
    PdpDeclined; OSError: a file cannot be read.
    """
    question = Question.parse(
        arguments.subject,
        arguments.resource,
        arguments.action,
        fqans=arguments.fqan,
        issuers=arguments.issuer,
        profile=Profile(arguments.profile),
    )
    print(_by_files(arguments, question) if arguments.policy else _by_pdp(arguments), end="", flush=True)
    return 0


def _by_files(arguments: argparse.Namespace, question: Question) -> str:
    given = read_policies(arguments.policy)
    for warning in given.broken:
        print(f"argus: {escape_controls(warning)}", file=sys.stderr)
    explanation = explained(given.root, question.request(), now())
    if arguments.output == "json":
        return _json(explanation_as_json(explanation, given.lines))
    return format_explanation(explanation, arguments.all, given.lines)


def _by_pdp(arguments: argparse.Namespace) -> str:
    url, password = _admin_port(arguments)
    body = {
        "subject": arguments.subject,
        "resource": arguments.resource,
        "action": arguments.action,
        "fqans": arguments.fqan,
        "issuers": arguments.issuer,
        "profile": arguments.profile,
        "output": arguments.output,
        "whole": arguments.all,
    }
    headers = [] if password is None else [(PASSWORD_HEADER.encode(), password.encode())]
    try:
        with httpx.Client(timeout=_PATIENCE, trust_env=False) as client:
            answer = client.post(f"{url}/explain", json=body, headers=headers)
    except httpx.HTTPError as error:
        raise PdpSilent(url, str(error) or type(error).__name__) from error
    if answer.status_code != httpx.codes.OK:
        raise PdpDeclined(url, answer.status_code, answer.text.strip())
    if arguments.output == "text":
        return answer.text
    try:
        return _json(answer.json())
    except ValueError as error:
        raise PdpSilent(url, "the answer is no JSON") from error


def _admin_port(arguments: argparse.Namespace) -> tuple[str, str | None]:
    """Its URL and password."""
    given = None if arguments.password_file is None else _password(arguments.password_file)
    if arguments.admin is not None:
        return arguments.admin, given
    admin = load_pdp(arguments.config).service.admin
    host = f"[{admin.host}]" if ":" in admin.host else admin.host
    return f"http://{host}:{admin.port}", admin.password if given is None else given


def _password(file: Path) -> str:
    """Its first line."""
    lines = file.read_text(errors="replace").splitlines()
    if not lines:
        raise ConfigurationError(f"{file} is empty, where a password is expected")
    return lines[0]


def _admin_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme == "http" and bool(parts.hostname) and parts.port is not None
    except ValueError:
        is_usable = False
    if not is_usable or parts.path.strip("/") or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL of an admin port, such as http://localhost:8153")
    return text.rstrip("/")


def _json(value: Any) -> str:
    return f"{json.dumps(value, indent=2)}\n"
