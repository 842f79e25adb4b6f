"""pap-admin: a PAP from the command line, one of argus_py or a Java one.

Command line, output and exit codes are those of the Java client. Error texts have its words without its class names.
What is imported here is light: a command loads what it needs when it runs.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/PAPCLI.java
"""

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from argus_py.cli.pap_admin import (
    access,
    bans,
    completion,
    export,
    history,
    lint,
    obligations,
    paps,
    policies,
    questions,
)
from argus_py.cli.pap_admin.address import rest_url, services_url
from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError, first_word, parse
from argus_py.cli.pap_admin.command import Call, Command, Console, Exit
from argus_py.cli.pap_admin.credentials import User, choose
from argus_py.cli.pap_admin.service import Difference, Impossible, PapService
from argus_py.cli.pap_admin.settings import read_properties, with_effective_id
from argus_py.errors import ArgusError, ConfigurationError
from argus_py.model.dn import escape_controls

DEFAULT_TRUST_DIR: Final = "/etc/grid-security/certificates"
GLOBAL_OPTIONS: Final = (
    Option(("--url",), "URL of the services of the PAP, instead of --host and --port", "url"),
    Option(("--host",), "host of the PAP, default localhost", "hostname"),
    Option(("-p", "--port"), "port of the PAP, default 8150", "n"),
    Option(("--proxy",), "a proxy to be used instead of the user's certificate", "file"),
    Option(("--cert",), "a certificate, goes with --key", "file"),
    Option(("--key",), "the private key of the certificate", "file"),
    Option(("--cadir",), f"folder of trusted CAs, default $X509_CERT_DIR or {DEFAULT_TRUST_DIR}", "folder"),
    Option(("--no-host-check",), "trust a PAP whose certificate is for another host"),
    Option(("--soap",), "speak SOAP, as the Java client does, also with a PAP of argus_py"),
    Option(("-v", "--verbose"), "say more"),
    Option(("-h", "--help"), "show this text, or that of a command"),
)
_GROUPS: Final = (
    (
        "Policy management",
        (*bans.COMMANDS, *policies.COMMANDS, *obligations.COMMANDS),
    ),
    ("Distribution management", paps.COMMANDS),
    ("Authorization management", access.COMMANDS),
    ("History", history.COMMANDS),
    ("Questions and checks", (*questions.COMMANDS, *lint.COMMANDS, *export.COMMANDS)),
)
_GROUPED: Final = tuple(command for _, commands in _GROUPS for command in commands)
COMMANDS: Final = (*_GROUPED, completion.command(_GROUPED, GLOBAL_OPTIONS))

Told = Callable[[Difference], None]


@dataclass(frozen=True, slots=True)
class Site:
    """What a command line finds around it: the URL of the services it means, and the PAP there.

    ``pap_at`` gets the URL, and for a dry run who is told what would be changed.
    """

    url_of: Callable[[Arguments], str]
    pap_at: Callable[[Arguments, str, Told | None], PapService]


def main(argv: Sequence[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names have characters that a terminal may not have
    try:
        with ExitStack() as open_connections:
            code = run(sys.argv[1:] if argv is None else argv, _console(), _site(open_connections))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return Exit.FAILURE
    except KeyboardInterrupt:
        return 130  # as shells tell it


def _console() -> Console:
    is_seen = sys.stdout.isatty()
    colours = is_seen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(sys.stdout, sys.stderr, _ask if is_seen and sys.stdin.isatty() else None, colours)


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:  # the user has gone
        print()
        return ""


def _site(open_connections: ExitStack) -> Site:
    user = User(os.geteuid(), Path.home(), os.environ)
    properties = read_properties(user)

    def pap_at(given: Arguments, url: str, dry_run: Told | None) -> PapService:
        credential = choose(given, with_effective_id(user, properties))
        if given.has("verbose") and credential.told:
            print(f"Connecting to {url} {credential.told}")
        from argus_py.cli.pap_admin.connection import Security, secured, service  # noqa: PLC0415 - help needs no TLS

        trust_dir = given.get("cadir") or user.environment.get("X509_CERT_DIR") or DEFAULT_TRUST_DIR
        security = Security(Path(trust_dir), properties.get("tlsProtocol"), not given.has("no-host-check"))
        transport = open_connections.enter_context(secured(credential, security))
        return service(url, None if given.has("soap") else rest_url(url), transport, dry_run)

    return Site(lambda given: services_url(given, properties), pap_at)


def run(argv: Sequence[str], console: Console, site: Site) -> int:
    try:
        _check_text(argv)
        return _run(argv, console, site)
    except ParseError as error:
        print(f"\nParse error: {error}\n", file=console.err)
        return Exit.PARSE_ERROR
    except (ConfigurationError, Impossible) as error:
        print(f"Error: {_shown(error)}", file=console.out)
        return Exit.FAILURE
    except ArgusError as error:
        print(_shown(error), file=console.out)
        return Exit.REMOTE_EXCEPTION


def _shown(error: ArgusError) -> str:
    """In as many lines as it has; nothing in a text from elsewhere commands the terminal."""
    return "\n".join(map(escape_controls, str(error).split("\n")))


def _run(argv: Sequence[str], console: Console, site: Site) -> int:
    name = first_word(argv, (*GLOBAL_OPTIONS, *(option for command in COMMANDS for option in command.options)))
    if name is None:
        return _without_command(parse(argv, GLOBAL_OPTIONS), console)
    command = next((command for command in COMMANDS if name in command.names), None)
    if command is None:
        print(f"Unknown command: {name}", file=console.out)
        return Exit.INITIALIZATION_ERROR
    given = parse(argv, (*GLOBAL_OPTIONS, *command.options))
    if given.words[:1] != (name,):
        raise ParseError(f"{name} must stand before an option that takes several values")
    given = Arguments(given.words[1:], given.options)
    if given.has("help"):
        print(_help(command), file=console.out)
        return Exit.SUCCESS
    command.check(given)
    return command.run(_call(given, console, site))


def _call(given: Arguments, console: Console, site: Site) -> Call:
    url = site.url_of(given)

    @cache
    def connect() -> PapService:
        return site.pap_at(given, url, _tell if call.is_dry_run else None)

    def _tell(difference: Difference) -> None:
        call.tell(difference)
        if not difference:
            call.say("Nothing would be changed.")

    call = Call(given, url, connect, console)
    return call


def _check_text(argv: Sequence[str]) -> None:
    """Bytes that are no text in the user's locale come as half surrogates, which no request can carry."""
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise ParseError(f"{word!r} is no text in the character set of this terminal") from error


def _without_command(given: Arguments, console: Console) -> Exit:
    if given.has("help"):
        print(_general_help(), file=console.out)
        return Exit.SUCCESS
    print("Missing command", file=console.out)
    return Exit.INITIALIZATION_ERROR


def _general_help() -> str:
    lines = ["", "usage: pap-admin [global-options] <command> [options] [args]"]
    for title, commands in (*_GROUPS, ("Shells", COMMANDS[len(_GROUPED) :])):
        lines += ["", f"{title}:"]
        lines += (f"    {_named(command):32}{command.help.splitlines()[0]}" for command in commands)
    lines += ["", '"pap-admin <command> --help" tells more of a command, with examples.']
    return "\n".join([*lines, *_described("Global options", GLOBAL_OPTIONS), ""])


def _named(command: Command) -> str:
    name, *aliases = command.names
    return f"{name} ({', '.join(aliases)})" if aliases else name


def _help(command: Command) -> str:
    lines = ["", f"usage: pap-admin [global-options] {command.usage}", "", command.help, "", "Examples:"]
    for typed, meaning in command.examples:
        lines += [f"    # {meaning}", f"    pap-admin {typed}"]
    return "\n".join(
        [*lines, *_described("Valid options", command.options), *_described("Global options", GLOBAL_OPTIONS), ""]
    )


def _described(title: str, options: Sequence[Option]) -> list[str]:
    described = [f"    {_usage(option):32}{option.help}" for option in options]
    return ["", f"{title}:", *described] if described else []


def _usage(option: Option) -> str:
    return ",".join(option.names) + (f" <{option.value}>" if option.value else "")
