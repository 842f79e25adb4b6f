"""``argus-probe-wn``: the test that monitoring runs in a job on each worker node, as an ops pilot.

It is its own payload: its proxy, with /ops/Role=pilot as the primary FQAN, is that of the pilot and of the user, so
that the payload has to come out under the account that the job runs as already. Everything on the way is used: the
proxy and its attribute certificate are judged here as the daemon judges them, Argus is asked as by gLExec and as by a
compute element and has to map both alike, and gLExec itself is run if it is named. What would make the next payload
fail is looked at too: revocation lists and the clock.

Output and exit codes are those of Nagios plug-ins: one line with the worst of all findings and figures for graphs, then
a line per finding; 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, which says that the probe itself could not do its work.
"""

import argparse
import os
import pwd
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NoReturn

from argus_py.cli.site.clock import KernelClock, kernel_clock
from argus_py.client.question import Certificates, UnusableSubject
from argus_py.clients.pep import HttpPep, PepTls
from argus_py.credentials import chain, path, pem, rejections, voms
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ArgusError, ConfigurationError, CredentialRejected, MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.dn import escape_controls
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.run.parts import now, our_names, trust_anchors, voms_trust
from argus_py.worker.pep_answer import NamedAccount, read_account

_WORKER_NODE: Final = "http://authz-interop.org/xacml/resource/resource-type/wn"
_EXECUTE: Final = "http://glite.org/xacml/action/execute"
_SUBMIT: Final = "http://glite.org/xacml/action/ce/job/submit"
_PROXY_ENDS_SOON: Final = timedelta(hours=1)  # less is not enough for the next run of an hourly test
_CRL_ENDS_SOON: Final = timedelta(hours=12)  # fetch-crl runs every six hours: two runs have failed
_CLOCK_ERROR: Final = timedelta(seconds=30)  # wrong by more, and fresh proxies are not valid yet
_GLEXEC_PATIENCE: Final = 2  # times that for an endpoint: its own question to Argus is not all that gLExec does
_MAX_SAID: Final = 65536  # octets of its output
_IDENTITY: Final = ("/usr/bin/id", "-un")


class State(IntEnum):
    """The value is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_WORST_LAST: Final = (State.OK, State.WARNING, State.UNKNOWN, State.CRITICAL)


@dataclass(frozen=True, slots=True)
class Figure:
    """Performance data; ``warning`` and ``critical`` are ranges of Nagios, empty for none."""

    name: str
    seconds: float
    warning: str = ""
    critical: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.seconds:.3f}s;{self.warning};{self.critical}"


@dataclass(frozen=True, slots=True)
class Finding:
    state: State
    text: str
    figures: tuple[Figure, ...] = ()


class Usage(Exception):
    """The command line cannot be used; carries the text for the user."""


@dataclass(frozen=True, slots=True)
class World:
    """What the probe stands in, beside files and daemons."""

    environment: Mapping[str, str]
    user: str
    uid: int
    now: Callable[[], datetime] = now
    monotonic: Callable[[], float] = time.monotonic
    clock: Callable[[], KernelClock | None] = kernel_clock

    @classmethod
    def ours(cls) -> "World":
        return cls(os.environ, name_of(os.getuid()), os.getuid())


def name_of(uid: int) -> str:
    """The number itself for who has no name, as in some containers."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@dataclass(frozen=True, slots=True)
class Options:
    endpoints: tuple[str, ...]
    proxy: Path
    fqan: Fqan
    trust_dir: Path
    vomsdir: Path
    wn: tuple[str, str]  # resource and action
    ce: tuple[str, str] | None
    account: str | None  # None: any
    glexec: Path | None
    timeout: timedelta
    warning: float  # seconds for an answer of Argus
    critical: float


def main(argv: Sequence[str] | None = None, world: World | None = None) -> int:
    world = world or World.ours()
    try:
        findings = list(probe(_options(sys.argv[1:] if argv is None else argv, world), world))
    except Usage as error:
        findings = [Finding(State.UNKNOWN, str(error))]
    print(report(findings), end="")
    return state_of(findings)


def report(findings: Sequence[Finding]) -> str:
    """The line that is shown in tables comes first; its figures follow a bar, which no text may hold."""
    state = state_of(findings)
    worst = [finding.text for finding in findings if finding.state is state]
    summary = "; ".join(worst) if state is not State.OK else findings[-1].text
    figures = " ".join(str(figure) for finding in findings for figure in finding.figures)
    first = f"WN {state.name} - {_shown(summary)}{f' | {figures}' if figures else ''}"
    return "".join(f"{line}\n" for line in [first, *(f"{each.state.name}: {_shown(each.text)}" for each in findings)])


def state_of(findings: Sequence[Finding]) -> State:
    return max((finding.state for finding in findings), key=_WORST_LAST.index)


def _shown(text: str) -> str:
    return escape_controls(text).replace("|", "/")


def probe(options: Options, world: World) -> Iterator[Finding]:
    """All findings, in the order of the way of a payload."""
    try:
        payload = Certificates.from_file(options.proxy)
        trust = trust_anchors(options.trust_dir).current.value
    except (UnusableSubject, ConfigurationError) as error:
        yield Finding(State.UNKNOWN, str(error))
        return
    yield _file_mode(options.proxy, world.uid)
    yield _credential(payload, trust, options, world.now())
    yield _revocation_lists(trust, world.now())
    yield _clock(world.clock())
    accounts: list[str] = []
    for name, profile, asked in (
        ("wn", Glite.PROFILE_WORKER_NODE, options.wn),
        ("ce", Glite.PROFILE_COMPUTE_ELEMENT, options.ce),
    ):
        if asked is not None:
            finding, account = _mapping(name, _request(payload, profile, asked), options, world.monotonic)
            yield finding
            accounts += [account] if account else []
    if accounts:
        yield _identity(accounts, options)
    if options.glexec is not None:
        yield _glexec(options.glexec, options, world)


# What can be seen here


def _file_mode(proxy: Path, uid: int) -> Finding:
    try:
        status = proxy.stat()
    except OSError as error:
        return Finding(State.UNKNOWN, f"{proxy}: {error.strerror}")
    if status.st_uid != uid or stat.S_IMODE(status.st_mode) & 0o077:
        return Finding(State.CRITICAL, f"gLExec takes no proxy that others own or may read: {proxy}")
    return Finding(State.OK, f"{proxy} is ours alone")


def _credential(payload: Certificates, trust: TrustAnchors, options: Options, moment: datetime) -> Finding:
    try:
        verified = path.verify(chain.order(pem.parse_certificates(payload.pem)), trust, moment)
        acs = voms.verify(verified, voms_trust(options.vomsdir).current.value, trust, moment, our_names())
    except (rejections.UnreadableCredential, rejections.NotValidNow, rejections.AcNotValidNow) as error:
        return Finding(State.UNKNOWN, f"the proxy of this probe is no good: {error}")
    except (CredentialRejected, ConfigurationError) as error:
        return Finding(State.CRITICAL, f"this host does not accept {options.proxy}: {error}")
    subject = verified.subject.readable()
    primary = _fqan(acs[0].fqans[0]) if acs and acs[0].fqans else None
    if primary != options.fqan:
        return Finding(
            State.UNKNOWN, f"the primary FQAN of {subject} is {primary or 'missing'}; the test is for {options.fqan}"
        )
    left = min(acs[0].not_after, *(each.not_valid_after_utc for each in verified.certificates)) - moment
    figure = Figure("proxy_left", left.total_seconds(), f"{_PROXY_ENDS_SOON.total_seconds():.0f}:", "0:")
    state = State.WARNING if left < _PROXY_ENDS_SOON else State.OK
    return Finding(state, f"the proxy of {subject} is good for {_hours(left)}", (figure,))


def _fqan(text: str) -> Fqan | None:
    try:
        return Fqan.parse(text)
    except MalformedInput:
        return None


def _revocation_lists(trust: TrustAnchors, moment: datetime) -> Finding:
    outdated = trust.outdated_crls(moment)
    if outdated:
        return Finding(State.CRITICAL, f"outdated CRL of {', '.join(crl.issuer.readable() for crl in outdated)}")
    expiry = trust.next_crl_expiry(moment)
    if expiry is None:
        return Finding(State.WARNING, "there is no CRL here that says until when it holds")
    left = expiry - moment
    figure = Figure("crl_left", left.total_seconds(), f"{_CRL_ENDS_SOON.total_seconds():.0f}:", "0:")
    state = State.WARNING if left < _CRL_ENDS_SOON else State.OK
    return Finding(state, f"the next CRL expires in {_hours(left)}", (figure,))


def _clock(clock: KernelClock | None) -> Finding:
    if clock is None:
        return Finding(State.WARNING, "the kernel does not say whether its clock is kept right")
    figure = Figure("clock_error", clock.error.total_seconds(), f"{_CLOCK_ERROR.total_seconds():.0f}")
    if not clock.synchronized or clock.error > _CLOCK_ERROR:
        return Finding(State.WARNING, "nobody keeps the clock of this host right", (figure,))
    return Finding(State.OK, f"the clock is right within {clock.error.total_seconds():.3f} s", (figure,))


# What Argus says


def _request(payload: Certificates, profile: str, asked: tuple[str, str]) -> Request:
    key_info = Attribute(AttributeId.KEY_INFO, (payload.pem,))
    resource, action = asked
    return Request(
        (Subject((key_info,)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (action,)),)),
        Environment((Attribute(Glite.PROFILE_ID, (profile,), DataType.ANY_URI),)),
    )


def _mapping(
    name: str, request: Request, options: Options, monotonic: Callable[[], float]
) -> tuple[Finding, str | None]:
    """The account, if there is one; all endpoints are tried as gLExec does."""
    began, failures = monotonic(), []
    for endpoint in options.endpoints:
        tls = PepTls(ca_directory=options.trust_dir, certificate=options.proxy, private_key=options.proxy)
        try:
            with HttpPep(endpoint, tls, options.timeout) as pep:
                response = pep.authorize(request)
        except ArgusError as error:
            failures.append(str(error))
            continue
        seconds = monotonic() - began
        figure = Figure(name, seconds, f"{options.warning:g}", f"{options.critical:g}")
        try:
            account = read_account(response)
        except ArgusError as error:
            return Finding(State.CRITICAL, f"{name}: {error}", (figure,)), None
        if not isinstance(account, NamedAccount) or not account.groups:
            return Finding(State.CRITICAL, f"{name}: Argus names no account with a group", (figure,)), None
        told = f"{name}: Argus maps to {account.user}:{account.groups[0]} in {seconds:.3f} s"
        if failures:
            return Finding(State.WARNING, f"{told}, but only after: {'; '.join(failures)}", (figure,)), account.user
        slow = State.CRITICAL if seconds > options.critical else State.WARNING
        state = slow if seconds > options.warning else State.OK
        return Finding(state, told, (figure,)), account.user
    return Finding(State.CRITICAL, f"{name}: no answer of Argus: {'; '.join(failures)}"), None


def _identity(accounts: list[str], options: Options) -> Finding:
    """The payload of the ops test changes nothing: CE and Argus have given the account to this job before."""
    if len(set(accounts)) > 1:
        return Finding(State.CRITICAL, f"worker node and CE map to different accounts: {' and '.join(accounts)}")
    if options.account is not None and accounts[0] != options.account:
        text = f"the payload would run as {accounts[0]}, and the pilot runs as {options.account}"
        return Finding(State.CRITICAL, text)
    return Finding(State.OK, f"pilot and payload are the same account, {accounts[0]}")


def _glexec(glexec: Path, options: Options, world: World) -> Finding:
    own = {name: value for name, value in world.environment.items() if not name.startswith("GLEXEC_")}
    environment = own | {"GLEXEC_CLIENT_CERT": str(options.proxy), "X509_USER_PROXY": str(options.proxy)}
    began = world.monotonic()
    try:
        done = _ended([str(glexec), *_IDENTITY], environment, _GLEXEC_PATIENCE * options.timeout.total_seconds())
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(State.CRITICAL, f"gLExec: {error}")
    figure = Figure("glexec", world.monotonic() - began)
    account = done.stdout.decode(errors="replace").strip()
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
        return Finding(State.CRITICAL, f"gLExec ended with {done.returncode}: {complaint[0][:200]}", (figure,))
    if account != world.user:
        return Finding(State.CRITICAL, f"gLExec ran the payload as {account}, not as {world.user}", (figure,))
    return Finding(State.OK, f"gLExec ran the payload as {account}", (figure,))


def _ended(command: list[str], environment: Mapping[str, str], patience: float) -> subprocess.CompletedProcess[bytes]:
    """Files take what it says, since a pipe would also be waited for until its children have let go.

    Raises OSError; TimeoutExpired: it runs on, if it is root's already.
    """
    with TemporaryFile() as output, TemporaryFile() as complaint:
        running = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=complaint)  # noqa: S603
        try:
            code = running.wait(patience)
        except subprocess.TimeoutExpired:
            with suppress(PermissionError):
                running.kill()
                running.wait()
            raise
        output.seek(0)
        complaint.seek(0)
        return subprocess.CompletedProcess(command, code, output.read(_MAX_SAID), complaint.read(_MAX_SAID))


def _hours(left: timedelta) -> str:
    return f"{left / timedelta(hours=1):.1f} h"


# The command line


class _Parser(argparse.ArgumentParser):
    """Wrong usage is UNKNOWN, and not CRITICAL, which argparse's own exit code would be."""

    def error(self, message: str) -> NoReturn:
        raise Usage(message)


def command_line() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="argus-probe-wn", description="Ask Argus as a worker node does, for this pilot's own proxy as the payload."
    )
    parser.add_argument("-p", "--pepd", action="append", metavar="URL", help="endpoint; several are tried in order")
    parser.add_argument("-x", "--proxy", type=Path, help="default X509_USER_PROXY, else /tmp/x509up_u<uid>")
    parser.add_argument("--fqan", default="/ops/Role=pilot", help="the primary one of the proxy, default %(default)s")
    parser.add_argument("--capath", type=Path, default=Path("/etc/grid-security/certificates"), help="%(default)s")
    parser.add_argument("--vomsdir", type=Path, default=Path("/etc/grid-security/vomsdir"), help="%(default)s")
    parser.add_argument("--resource", default=_WORKER_NODE, help="of the worker node, default %(default)s")
    parser.add_argument("--action", default=_EXECUTE, help="of the worker node, default %(default)s")
    parser.add_argument("--ce-resource", metavar="URI", help="of the CE, if it asks Argus: both have to map alike")
    parser.add_argument("--ce-action", default=_SUBMIT, help="of the CE, default %(default)s")
    parser.add_argument("--account", help="that of the pilot, default: whoever runs this; ANY outside of a job")
    parser.add_argument("--glexec", type=Path, help="run this gLExec too, such as /usr/sbin/glexec")
    parser.add_argument(
        "-t", "--timeout", type=_seconds, default=30.0, help="seconds, for each endpoint; twice that for gLExec"
    )
    parser.add_argument("-w", "--warning", type=_seconds, default=5.0, help="seconds for an answer")
    parser.add_argument("-c", "--critical", type=_seconds, default=15.0, help="seconds for an answer")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError
    return seconds


def _options(argv: Sequence[str], world: World) -> Options:
    given = command_line().parse_args(argv)
    if not given.pepd:
        raise Usage("the option -p/--pepd URL is missing")
    try:
        fqan = Fqan.parse(given.fqan)
    except ArgusError as error:
        raise Usage(str(error)) from error
    proxy = given.proxy or Path(world.environment.get("X509_USER_PROXY") or f"/tmp/x509up_u{world.uid}")  # noqa: S108
    account = given.account or world.user
    return Options(
        endpoints=tuple(given.pepd),
        proxy=proxy,
        fqan=fqan,
        trust_dir=given.capath,
        vomsdir=given.vomsdir,
        wn=(given.resource, given.action),
        ce=(given.ce_resource, given.ce_action) if given.ce_resource else None,
        account=None if account == "ANY" else account,
        glexec=given.glexec,
        timeout=timedelta(seconds=given.timeout),
        warning=given.warning,
        critical=given.critical,
    )


if __name__ == "__main__":
    sys.exit(main())
