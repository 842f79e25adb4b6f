"""``argus``: start the daemons, look after their database, ask how they are."""

import argparse
import functools
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import httpx

from argus_py import __version__
from argus_py.cli import check_configuration, explain, leases, moving, site, spl, xacml_evaluate
from argus_py.cli.check_credential import Settings, check_credential
from argus_py.cli.check_pap import check_pap
from argus_py.cli.leases.names import span_argument
from argus_py.clients.transport import ClientCredential, ClientTls
from argus_py.config.ini import BadConfiguration
from argus_py.errors import ArgusError
from argus_py.observe import logs
from argus_py.run.embedded import embedded
from argus_py.run.pap import pap_alone
from argus_py.run.parts import TrustOf, now, our_names, trust_anchors
from argus_py.run.pdp import pdp_alone
from argus_py.run.pep import pep_alone
from argus_py.run.servers import Servers
from argus_py.store.sql.engine import open_policies, upgrade

_log = logging.getLogger(__name__)
_ALONE = {"pap": pap_alone, "pdp": pdp_alone, "pepd": pep_alone}
_CHECKS = {"pap": check_pap, "pdp": check_configuration.check_pdp, "pepd": check_configuration.check_pepd}
_CONFIGURATION = {
    "pap": "/etc/argus/pap/pap_configuration.ini",
    "pdp": "/etc/argus/pdp/pdp.ini",
    "pepd": "/etc/argus/pepd/pepd.ini",
}
_TRUST_DIR = "/etc/grid-security/certificates"
_VOMSDIR = "/etc/grid-security/vomsdir"
_GRID_SECURITY = {
    "--cert": "/etc/grid-security/hostcert.pem",
    "--key": "/etc/grid-security/hostkey.pem",
    "--cadir": _TRUST_DIR,
}
_STATUS_TIMEOUT = timedelta(seconds=4)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: done, or stopped with every request answered; 1: why is on standard error; 2: wrong usage."""
    arguments = command_line().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names have characters that a terminal may not have
    try:
        return int(arguments.run(arguments))
    except BadConfiguration as error:
        print(f"argus: Error parsing configuration file {error.problems[0].place.file}\n{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return 1
    except (ArgusError, OSError) as error:
        print(f"argus: {error}", file=sys.stderr)
        return 1


def _serve(arguments: argparse.Namespace) -> int:
    return _run(arguments, lambda trust_of: Servers(embedded(arguments.config_dir, trust_of)))


def _serve_one(arguments: argparse.Namespace) -> int:
    if getattr(arguments, "check", False):
        return _check(arguments)
    make = _ALONE[arguments.command]
    return _run(arguments, lambda trust_of: Servers([make(arguments.file, trust_of)]))


def _check(arguments: argparse.Namespace) -> int:
    logging.getLogger().addHandler(logging.NullHandler())  # what the parts would log stands in the report
    report = _CHECKS[arguments.command](arguments.file)
    print(report.as_json() if arguments.output == "json" else report.as_text(), end="")
    return 1 if report.errors else 0


def _run(arguments: argparse.Namespace, make: Callable[[TrustOf], Servers]) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until we can act upon it: to be asked to reload must not be the end
    if arguments.log_dir:
        arguments.log_dir.mkdir(parents=True, exist_ok=True)
    level = logging.DEBUG if arguments.log_level == "debug" else logging.INFO
    logs.configure(arguments.log_dir, level, as_json=arguments.log_format == "json")
    try:
        servers = make(functools.cache(trust_anchors))
    except (ArgusError, OSError) as error:
        if arguments.log_dir:  # else the log is where ``main`` tells it
            _log.error("Unable to start service, shutting down: %s", error)
        raise

    def ready() -> None:
        print("\n".join(f"{name} {url}" for name, url in servers.urls.items()), flush=True)

    servers.run(ready)
    return 0


def _upgrade(arguments: argparse.Namespace) -> int:
    upgrade(arguments.url)
    return 0


def _forget_history(arguments: argparse.Namespace) -> int:
    repository = open_policies(arguments.url)
    try:
        forgotten = repository.forget_before(now() - arguments.older_than)
    finally:
        repository.close()
    print(f"{forgotten} {'change is' if forgotten == 1 else 'changes are'} forgotten")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    credential = ClientCredential(arguments.cert, arguments.key)
    tls = ClientTls(credential, trust_anchors(arguments.cadir), now)
    try:
        with httpx.Client(verify=tls.context(), timeout=_STATUS_TIMEOUT.total_seconds(), trust_env=False) as client:
            page = client.get(arguments.url)
    except httpx.HTTPError as error:
        print(f"argus: {arguments.url}: {error}", file=sys.stderr)
        return 1
    print(page.text, end="")
    return 0 if page.status_code == 200 and page.text.startswith("Status: OK\n") else 1


def _check_credential(arguments: argparse.Namespace) -> int:
    settings = Settings(
        arguments.trust_dir,
        None if arguments.chain_only else arguments.vomsdir,
        frozenset(arguments.hostname or our_names()),
    )
    outcome = check_credential(arguments.file, settings, now(), sys.stdin.buffer)
    print(outcome.text, end="")
    return outcome.exit_code


def command_line() -> argparse.ArgumentParser:
    """What can be asked for; ``run`` of the parsed arguments does it."""
    parser = argparse.ArgumentParser(prog="argus", description="The Argus Authorization Service.")
    parser.add_argument("--version", action="version", version=f"argus-py {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    daemon = argparse.ArgumentParser(add_help=False)
    daemon.add_argument("--log-dir", type=Path, help="folder for process.log, access.log, audit.log and audit.jsonl")
    daemon.add_argument("--log-format", choices=("text", "json"), default="text", help="of the process log")
    daemon.add_argument(
        "--log-level",
        choices=("info", "debug"),
        default="info",
        help="debug: also the requests and answers, without certificates",
    )

    serve = commands.add_parser("serve", parents=[daemon], help="PAP, PDP and PEP in one process")
    serve.add_argument("--config-dir", type=Path, default=Path("/etc/argus"), help="with pap/, pdp/ and pepd/ in it")
    serve.set_defaults(run=_serve)
    for name, default in _CONFIGURATION.items():
        alone = commands.add_parser(name, parents=[daemon], help=f"the {name} daemon alone")
        alone.add_argument("file", type=Path, nargs="?", default=Path(default), help=f"default {default}")
        alone.set_defaults(run=_serve_one)
        if name in _CHECKS:
            instead = alone.add_argument_group("instead of serving")
            instead.add_argument(
                "--check",
                action="store_true",
                help="tell all that is wrong with the file and what it names; 0 if the daemon would start, else 1",
            )
            instead.add_argument("--output", choices=("text", "json"), default="text", help="of --check")

    status = commands.add_parser("status", help="ask a daemon for its status page; 0 if it is OK")
    status.add_argument("url", help="such as https://localhost:8154/status")
    for option, default in _GRID_SECURITY.items():
        status.add_argument(option, type=Path, default=Path(default), help="default %(default)s")
    status.set_defaults(run=_status)

    checking = commands.add_parser(
        "check-credential", help="judge a proxy or certificate as the daemons do; 0 if it is good"
    )
    checking.add_argument("file", help="PEM, also with a private key, or DER of one certificate; - is standard input")
    checking.add_argument("--trust-dir", type=Path, default=_TRUST_DIR, help="default %(default)s")
    checking.add_argument("--vomsdir", type=Path, default=_VOMSDIR, help="default %(default)s")
    checking.add_argument("--hostname", action="append", help="what the service is called, default: as this host")
    checking.add_argument("--chain-only", action="store_true", help="do not look at attribute certificates")
    checking.set_defaults(run=_check_credential)

    leases.add_arguments(commands.add_parser("leases", help="who holds which pool account; check, give back, forecast"))

    site.add_arguments(
        commands.add_parser("site", help="set up a site and its worker nodes, and check what is missing")
    )

    moving.add_arguments(commands)

    explaining = "how a request would be decided, and why; 0 for any decision"
    explain.add_arguments(commands.add_parser("explain", help=explaining, description=explaining))

    spl.add_arguments(commands.add_parser("spl", help="policy files: to and from XACML, and in one layout; no server"))

    xacml = commands.add_parser("xacml", help="XACML 2.0 documents").add_subparsers(required=True)
    evaluating = "evaluate policies for a request and print the Response; 0 for any decision"
    xacml_evaluate.add_arguments(xacml.add_parser("evaluate", help=evaluating, description=evaluating))

    database = commands.add_parser("database", help="the policy database").add_subparsers(required=True)
    upgrading = database.add_parser("upgrade", help="bring the schema to the version this program needs")
    upgrading.add_argument("url", help="as in pap_configuration.ini: postgresql+psycopg://user@host/name")
    upgrading.set_defaults(run=_upgrade)
    forget = "forget who changed what, and what was stored then; the policy of now, and how it came since, stays"
    forgetting = database.add_parser("forget-history", help=forget, description=forget)
    forgetting.add_argument("--older-than", type=span_argument, required=True, metavar="SPAN", help="such as 2y or 90d")
    forgetting.add_argument("url", help="as in pap_configuration.ini: sqlite:////path or postgresql+psycopg://...")
    forgetting.set_defaults(run=_forget_history)
    return parser


if __name__ == "__main__":
    sys.exit(main())
