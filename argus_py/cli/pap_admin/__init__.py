"""pap-admin: policies of a PAP from the command line.

The command line, the output and the exit codes are those of the Java client; the PAP is asked by its REST interface, so
each command is one transaction. Error texts have the words of the Java client without its class names.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/PAPCLI.java
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

from argus_py.cli.pap_admin import bans, obligations, policies, questions
from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError, first_word, parse
from argus_py.cli.pap_admin.command import Call, Command, Exit
from argus_py.cli.pap_admin.connection import DEFAULT_TRUST_DIR, connect, endpoint, read_properties
from argus_py.cli.pap_admin.credentials import User, choose
from argus_py.clients.pap_rest import PapRest
from argus_py.errors import ArgusError, ConfigurationError

COMMANDS: Final = (*bans.COMMANDS, *policies.COMMANDS, *obligations.COMMANDS, *questions.COMMANDS)
# Of the Java client, for what this PAP cannot do yet.
UNSUPPORTED: Final = (
    ("add-pap", "apap"),
    ("remove-pap", "rpap"),
    ("update-pap", "upap"),
    ("list-paps", "lpaps"),
    ("enable-pap", "epap"),
    ("disable-pap", "dpap"),
    ("refresh-cache", "rc"),
    ("get-paps-order", "gpo"),
    ("set-paps-order", "spo"),
    ("get-polling-interval", "gpi"),
    ("set-polling-interval", "spi"),
    ("list-acl", "lacl"),
    ("add-ace", "aace"),
    ("remove-ace", "race"),
    ("test-client", "tc"),
)
GLOBAL_OPTIONS: Final = (
    Option(("--url",), "URL of the PAP, instead of --host and --port", "url"),
    Option(("--host",), "host of the PAP, default localhost", "hostname"),
    Option(("-p", "--port"), "port of the PAP, default 8150", "n"),
    Option(("--proxy",), "a proxy to be used instead of the user's certificate", "file"),
    Option(("--cert",), "a certificate, goes with --key", "file"),
    Option(("--key",), "the private key of the certificate", "file"),
    Option(("--cadir",), f"folder of trusted CAs, default $X509_CERT_DIR or {DEFAULT_TRUST_DIR}", "folder"),
    Option(("-v", "--verbose"), "say more"),
    Option(("-h", "--help"), "show this text, or that of a command"),
)


def main(argv: Sequence[str] | None = None) -> int:
    user = User(os.geteuid(), Path.home(), os.environ)
    return run(sys.argv[1:] if argv is None else argv, sys.stdout, sys.stderr, lambda given: _connect(given, user))


def run(argv: Sequence[str], out: TextIO, err: TextIO, connected: Callable[[Arguments], PapRest]) -> int:
    """``connected`` gives the PAP that the global options speak of."""
    try:
        _check_text(argv)
        return _run(argv, out, err, connected)
    except ParseError as error:
        print(f"\nParse error: {error}\n", file=err)
        return Exit.PARSE_ERROR
    except ConfigurationError as error:
        print(f"Error: {error}", file=out)
        return Exit.FAILURE
    except ArgusError as error:
        print(error, file=out)
        return Exit.REMOTE_EXCEPTION


def _run(argv: Sequence[str], out: TextIO, err: TextIO, connected: Callable[[Arguments], PapRest]) -> int:
    name = first_word(argv, (*GLOBAL_OPTIONS, *(option for command in COMMANDS for option in command.options)))
    if name is None:
        return _without_command(parse(argv, GLOBAL_OPTIONS), out)
    if any(name in names for names in UNSUPPORTED):
        print(f"{name}: not supported by this version", file=out)
        return Exit.FAILURE
    command = next((command for command in COMMANDS if name in command.names), None)
    if command is None:
        print(f"Unknown command: {name}", file=out)
        return Exit.INITIALIZATION_ERROR
    given = parse(argv, (*GLOBAL_OPTIONS, *command.options))
    if given.words[:1] != (name,):
        raise ParseError(f"{name} must stand before an option that takes several values")
    given = Arguments(given.words[1:], given.options)
    if given.has("help"):
        print(_help(command), file=out)
        return Exit.SUCCESS
    command.check(given)
    return command.run(Call(given, connected(given), out, err))


def _check_text(argv: Sequence[str]) -> None:
    """Bytes that are no text in the user's locale come as half surrogates, which no request can carry."""
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise ParseError(f"{word!r} is no text in the character set of this terminal") from error


def _without_command(given: Arguments, out: TextIO) -> Exit:
    if given.has("help"):
        print(_general_help(), file=out)
        return Exit.SUCCESS
    print("Missing command", file=out)
    return Exit.INITIALIZATION_ERROR


def _connect(given: Arguments, user: User) -> PapRest:
    url = endpoint(given, read_properties(user))
    credential = choose(given, user)
    if given.has("verbose") and credential.told:
        print(f"Connecting to {url} {credential.told}")
    trust_dir = given.get("cadir") or user.environment.get("X509_CERT_DIR") or DEFAULT_TRUST_DIR
    return connect(url, credential, Path(trust_dir))


def _general_help() -> str:
    lines = ["", "usage: pap-admin [global-options] <command> [options] [args]", "", "Commands:"]
    lines += (f"    {' | '.join(command.names):40}{command.help}" for command in COMMANDS)
    return "\n".join([*lines, *_described("Global options", GLOBAL_OPTIONS), ""])


def _help(command: Command) -> str:
    lines = ["", f"usage: pap-admin [global-options] {command.usage}", "", command.help]
    return "\n".join(
        [*lines, *_described("Valid options", command.options), *_described("Global options", GLOBAL_OPTIONS), ""]
    )


def _described(title: str, options: Sequence[Option]) -> list[str]:
    described = [f"    {_usage(option):40}{option.help}" for option in options]
    return ["", f"{title}:", *described] if described else []


def _usage(option: Option) -> str:
    return ",".join(option.names) + (f" <{option.value}>" if option.value else "")
