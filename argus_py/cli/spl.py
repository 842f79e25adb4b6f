"""``argus spl``: policy texts and XACML documents made of each other, texts laid out and checked; without any server.

docs/spl.md describes the language and the commands.
"""

import argparse
import stat
import sys
import uuid
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from lxml import etree

from argus_py.cli import spl_checks
from argus_py.config.files import read_text
from argus_py.errors import MalformedInput
from argus_py.spl.attributes import DEFAULT_MAPPINGS, AttributeMappings, parse_mappings
from argus_py.spl.errors import Problem, SplError, SplSyntaxError
from argus_py.spl.formatter import format_text
from argus_py.spl.lexer import MAX_LENGTH, Places
from argus_py.spl.lift import elements_of, lift_for_file
from argus_py.spl.lower import lower, lower_as_java, tree_of
from argus_py.spl.parser import parse, parse_as_java
from argus_py.spl.printer import format_source
from argus_py.store.whole_file import replace_file
from argus_py.xacml.policy import PolicySet
from argus_py.xacml.policy_xml import MAX_BYTES, policy_set_to_element, read_policy_document

_STDIN: Final = "-"
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_LONGEST_CHARACTER: Final = 4  # octets, in UTF-8
_IDS: Final = uuid.UUID("6b1f4f6e-5b0e-4c49-9d57-3f5e7d6c1a52")  # of this command, as a name space


class NothingSaid(MalformedInput):
    """A policy file has one element at least."""

    def __init__(self) -> None:
        super().__init__("there is no policy in it, and no policy file without one")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of all commands; ``run`` of what is parsed gives the exit code."""
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(run=run)
        return added

    to_xacml = command("to-xacml", _to_xacml, "print the XACML that a policy file becomes; 0 if it can")
    from_xacml = command("from-xacml", _from_xacml, "print the policy file that says what an XACML document says")
    for each, content in ((to_xacml, "policy file"), (from_xacml, "PolicySet or Policy of XACML 2.0")):
        each.add_argument("file", metavar="FILE", help=f"{content}; - is standard input")
        each.add_argument(
            "--attribute-mappings",
            type=Path,
            metavar="FILE",
            help="attribute-mappings.ini of the PAP, default: the attributes that are shipped with it",
        )
    how = to_xacml.add_mutually_exclusive_group()
    how.add_argument("--strict", action="store_true", help="refuse what the PAP refuses, instead of a warning")
    how.add_argument(
        "--ignore-rest", action="store_true", help="stop in front of what begins no element, as older PAPs do"
    )

    formatting = command("format", _format, "print policy files in one layout, with their comments")
    formatting.add_argument("files", metavar="FILE", nargs="+", help="policy file; - is standard input")
    instead = formatting.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="only name the files that are not in it; 1 if there are")
    instead.add_argument("--in-place", action="store_true", help="change the files")

    spl_checks.add_commands(command)


def _to_xacml(arguments: argparse.Namespace) -> int:
    mappings = _mappings(arguments.attribute_mappings)
    try:
        text = _text_of(arguments.file)
        tree, warnings = _tree(text, mappings, arguments.strict, arguments.ignore_rest)
    except SplError as error:
        return _refused(arguments.file, error)
    for warning in sorted(warnings, key=lambda warning: (warning.line, warning.column)):
        print(_at(arguments.file, warning, "warning: "), file=sys.stderr)
    document = policy_set_to_element(tree)
    etree.indent(document, "    ")
    _write(_DECLARATION + etree.tostring(document, encoding="UTF-8", xml_declaration=False) + b"\n")
    return 0


def _tree(
    text: str, mappings: AttributeMappings, strict: bool, ignore_rest: bool
) -> tuple[PolicySet, tuple[Problem, ...]]:
    """What a PDP would get, with ids made of the text; and warnings. Raises SplError."""
    id = uuid.uuid5(_IDS, text)
    numbers = count(1)

    def new_id() -> str:
        return str(uuid.uuid5(id, str(next(numbers))))

    if strict:
        return tree_of(lower(parse(text), mappings, new_id), str(id)), ()
    reading = parse_as_java(text, ignore_rest)
    lowered = lower_as_java(reading.elements, mappings, new_id)
    return tree_of(lowered.elements, str(id)), reading.warnings + lowered.warnings


def _from_xacml(arguments: argparse.Namespace) -> int:
    mappings = _mappings(arguments.attribute_mappings)
    texts: list[str] = []
    refusals: list[MalformedInput] = []
    try:
        for element in elements_of(read_policy_document(_octets_of(arguments.file, MAX_BYTES))):
            try:
                texts.append(format_source([lift_for_file(element, mappings)]))
            except MalformedInput as error:
                refusals.append(error)
        if not (texts or refusals):
            raise NothingSaid
    except MalformedInput as error:
        refusals.append(error)
    for refusal in refusals:
        print(f"{_shown(arguments.file)}: {refusal}", file=sys.stderr)
    if not refusals:
        _write(format_text("\n".join(texts)).encode())
    return 1 if refusals else 0


def _format(arguments: argparse.Namespace) -> int:
    return max([_format_one(file, arguments.check, arguments.in_place) for file in arguments.files])


def _format_one(file: str, check: bool, in_place: bool) -> int:
    try:
        text = _text_of(file)
        formatted = format_text(text)
    except SplError as error:
        return _refused(file, error)
    if check:
        if formatted != text:
            print(f"{_shown(file)}: not formatted", file=sys.stderr)
        return int(formatted != text)
    if not in_place or file == _STDIN:
        _write(formatted.encode())
    elif formatted != text:
        target = Path(file).resolve()
        replace_file(target, formatted.encode(), stat.S_IMODE(target.stat().st_mode))
    return 0


def _mappings(file: Path | None) -> AttributeMappings:
    return DEFAULT_MAPPINGS if file is None else parse_mappings(read_text(file), str(file))


def _octets_of(file: str, limit: int) -> bytes:
    """One octet more than the limit tells the parser that there are too many."""
    if file == _STDIN:
        return sys.stdin.buffer.read(limit + 1)
    with Path(file).open("rb") as opened:
        return opened.read(limit + 1)


def _text_of(file: str) -> str:
    """Raises SplSyntaxError: not in UTF-8."""
    octets = _octets_of(file, MAX_LENGTH * _LONGEST_CHARACTER)
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        before = octets[: error.start].decode()
        raise SplSyntaxError([Problem.at(Places(before).at(len(before)), "this is not UTF-8")]) from error


def _refused(file: str, error: SplError) -> int:
    for problem in error.problems:
        print(_at(file, problem), file=sys.stderr)
    return 1


def _at(file: str, problem: Problem, severity: str = "") -> str:
    return f"{_shown(file)}:{problem.line}:{problem.column}: {severity}{problem.reason}"


def _shown(file: str) -> str:
    return "<stdin>" if file == _STDIN else file


def _write(octets: bytes) -> None:
    """In UTF-8, whatever the terminal has."""
    sys.stdout.buffer.write(octets)
    sys.stdout.flush()
