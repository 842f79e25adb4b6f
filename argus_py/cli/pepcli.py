"""pepcli: asks a PEP daemon for a decision and shows it; options, output and exit codes of the C program.

Nagios probes and robot tests run it and read its ``Decision:`` and ``Username:`` lines. The exit code says whether
there was an answer, not what it decides. Arguments are sent octet for octet, whatever their encoding.

BETTER: where the C program crashes on an answer, this exits 5 with the reason; the key password is asked for with
every kind of encrypted key; the debug output does not hold it.

Source: argus-pep-cli:src/pepcli.c
"""

import getopt
import io
import logging
import os
import re
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from getpass import getpass
from pathlib import Path
from typing import Final

import httpx

from argus_py import __version__
from argus_py.clients.pep import DEFAULT_TIMEOUT, HttpPep, PepRefused, PepTls
from argus_py.errors import ArgusError
from argus_py.hessian.base64_lines import BodyTooLarge
from argus_py.hessian.messages import MessageError
from argus_py.hessian.values import HessianError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite, StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Decision, Obligation, Response, Result

EXIT_OPTION: Final = 2
EXIT_KEY_INFO: Final = 3
EXIT_EXCHANGE: Final = 5
EXIT_CA_DIRECTORY: Final = 6
EXIT_CERTIFICATE: Final = 7
EXIT_KEY: Final = 8
EXIT_CA_FILE: Final = 9

_SHORT: Final = "dqvxhVp:s:t:r:a:k:c:f:1:2:3:4:5:"
_LONG: Final = {  # the names getopt wants, and the letters they stand for
    "pepd=": "-p",
    "certchain=": "-k",  # its older name
    "keyinfo=": "-k",
    "subjectid=": "-s",
    "fqan=": "-f",
    "resourceid=": "-r",
    "actionid=": "-a",
    "timeout=": "-t",
    "requestcontext": "-x",
    "verbose": "-v",
    "quiet": "-q",
    "debug": "-d",
    "help": "-h",
    "version": "-V",
    "capath=": "-1",
    "cert=": "-2",
    "key=": "-3",
    "keypasswd=": "-4",
    "cacert=": "-5",
    "profile=": "",  # COMPAT: accepted and ignored
}
_LETTERS: Final = {f"--{name.rstrip('=')}": letter for name, letter in _LONG.items()} | {"-c": "-k"}
_VERSION: Final = f"argus-pepcli/{__version__} [argus-py (httpx/{httpx.__version__} {ssl.OPENSSL_VERSION})]"
_HELP: Final = f"""\
{_VERSION}
Usage:
    pepcli --pepd <URL> --keyinfo <FILE> [options...]
    pepcli --pepd <URL> --subjectid <DN> [options...]

Submit a XACML Request to the PEP Server and show the XACML Response.

Options:
 -p|--pepd <URL>         Argus PEP server endpoint URL.
 -k|--keyinfo <FILE>     XACML Subject key-info: proxy or X509 file.
 -s|--subjectid <DN>     XACML Subject subject-id: user DN (format RFC2253).
 -f|--fqan <FQAN>        XACML Subject primary FQAN and FQANs
                         Add multiple --fqan options for secondary FQANs.
 -r|--resourceid <URI>   XACML Resource resource-id.
 -a|--actionid <URI>     XACML Action action-id.
 -t|--timeout <SEC>      Connection timeout in second (default 30s).
 -x|--requestcontext     Show effective XACML Request context.
 -v|--verbose            Verbose.
 -q|--quiet              Turn off output.
 -d|--debug              Show debug information.
 -h|--help               This help.
 -V|--version            Display version and exit.
TLS options:
 --capath <DIR>          Directory containing the server PEM encoded CA certificates.
 --cacert <FILE>         Server PEM encoded CA certificate filename.
 --cert <FILE>           Client PEM encoded certificate filename.
 --key <FILE>            Client PEM encoded private key filename.
 --keypasswd <PASSWD>    Password of the client private key
                         If the --keypasswd is omitted and the private key is encrypted,
                         then you will be prompted for the password."""

_LEADING_NUMBER = re.compile(r"\s*\+?([0-9]{1,9})(?![0-9])")  # more digits are a typing error
_ENCRYPTED_KEY = re.compile(rb"^(Proc-Type: 4,ENCRYPTED|-----BEGIN ENCRYPTED PRIVATE KEY-----)", re.MULTILINE)
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_OBLIGATION_HINTS: Final = {
    Glite.LOCAL_ENVIRONMENT_MAP: " (caller should do local account mapping)",
    Glite.LOCAL_ENVIRONMENT_MAP_POSIX: " (caller should resolve POSIX account mapping)",
}
# What the C library calls these errors; the rest has the words of libcurl there and its own here.
_C_NAMES: Final = {
    PepRefused: "authorize request error",
    HessianError: "Unmarshalling IO error",
    BodyTooLarge: "Unmarshalling IO error",
    MessageError: "Hessian unmarshalling error",
}


class Stop(Exception):
    """Ends the program with an exit code, after these lines on standard error."""

    def __init__(self, code: int, *lines: str) -> None:
        super().__init__(*lines)
        self.code = code
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Options:
    """The command line; an empty value is the same as no option."""

    pepd: str
    key_info: str
    subject_id: str
    fqans: tuple[str, ...]
    resource_id: str
    action_id: str
    timeout: timedelta
    ca_directory: str
    ca_file: str
    certificate: str
    key: str
    key_password: str
    request_context: bool
    verbose: bool
    quiet: bool
    debug: bool


def main(argv: Sequence[str] | None = None, ask_password: Callable[[str], str] = getpass) -> int:
    """The exit code; ``argv`` without the program's name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        _run(sys.argv[1:] if argv is None else argv, ask_password)
    except Stop as stop:
        for line in stop.lines:
            print(line, file=sys.stderr)
        return stop.code
    return 0


def _run(arguments: Sequence[str], ask_password: Callable[[str], str]) -> None:
    given = _parse(arguments)
    for letter, _ in given:
        if letter in ("-h", "-V"):
            print(_HELP if letter == "-h" else _VERSION)
            return
    options = _options(given)
    _check(options)
    if options.debug:
        logging.basicConfig(level=logging.DEBUG, format="pepcli:DEBUG: %(name)s: %(message)s", stream=sys.stderr)
    tls = _tls(options, ask_password)
    _narrate(options, _describe_options(options, tls))
    request = _request(options)
    _narrate(options, ["authorize XACML request"])
    response = _authorize(options, tls, request)
    if options.quiet:
        return
    if options.request_context:
        _narrate(options, _describe_request(response.request or request, as_sent=response.request is None))
    _narrate(options, _describe_response(response))
    for result in response.results:
        print("\n".join(_summary(result)))


# The command line


def _parse(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Short letters and values, in order."""
    try:
        found, _ = getopt.gnu_getopt(list(arguments), _SHORT, list(_LONG))
    except getopt.GetoptError as error:
        raise Stop(EXIT_OPTION, f"pepcli: {error}") from None
    return [(_LETTERS.get(name, name), value) for name, value in found]


def _options(given: list[tuple[str, str]]) -> Options:
    letters = {letter for letter, _ in given}
    last = {letter: value for letter, value in given if value}
    return Options(
        pepd=last.get("-p", ""),
        key_info=last.get("-k", ""),
        subject_id=last.get("-s", ""),
        fqans=tuple(value for letter, value in given if letter == "-f" and value),
        resource_id=last.get("-r", ""),
        action_id=last.get("-a", ""),
        timeout=_timeout(last["-t"]) if "-t" in last else DEFAULT_TIMEOUT,
        ca_directory=last.get("-1", ""),
        ca_file=last.get("-5", ""),
        certificate=last.get("-2", ""),
        key=last.get("-3", ""),
        key_password=last.get("-4", ""),
        request_context="-x" in letters,
        verbose="-v" in letters,
        quiet="-q" in letters,
        debug="-d" in letters,
    )


def _timeout(text: str) -> timedelta:
    """COMPAT: text after the number is not looked at, as by ``strtol``."""
    match = _LEADING_NUMBER.match(text)
    if match is None or int(match[1]) == 0:
        print(f"pepcli:WARN: timeout {text} can not be converted. Using default.", file=sys.stderr)
        return DEFAULT_TIMEOUT
    return timedelta(seconds=int(match[1]))


def _check(options: Options) -> None:
    """COMPAT: the order, which decides the exit code when several things are wrong."""
    if not options.pepd:
        raise Stop(EXIT_OPTION, "pepcli:ERROR: the mandatory option -p|--pepd <URL> is missing")
    if not options.key_info and not options.subject_id:
        text = "one of the mandatory option -k|--keyinfo <FILE> or -s|--subjectid <DN> is missing"
        raise Stop(EXIT_OPTION, f"pepcli:ERROR: {text}")
    if options.key_info and options.subject_id:
        text = "the mandatory options -k|--keyinfo <FILE> or -s|--subjectid <DN> are mutually exclusive"
        raise Stop(EXIT_OPTION, f"pepcli:ERROR: {text}")
    if options.certificate and not options.key:
        raise Stop(EXIT_OPTION, "pepcli:ERROR: TLS option --cert <FILE> requires option --key <FILE>")
    if options.key and not options.certificate:
        raise Stop(EXIT_OPTION, "pepcli:ERROR: TLS option --key <FILE> requires option --cert <FILE>")
    for option, path, code in (
        ("-k|--keyinfo", options.key_info, EXIT_KEY_INFO),
        ("--cacert", options.ca_file, EXIT_CA_FILE),
        ("--capath", options.ca_directory, EXIT_CA_DIRECTORY),
        ("--cert", options.certificate, EXIT_CERTIFICATE),
        ("--key", options.key, EXIT_KEY),
    ):
        if path:
            _check_readable(option, path, code)


def _check_readable(option: str, path: str, code: int) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        raise Stop(
            code,
            f"pepcli:ERROR: {path}: {error.strerror}",
            f"pepcli:ERROR: the {option} {path} does not exist or is not readable",
        ) from None


def _tls(options: Options, ask_password: Callable[[str], str]) -> PepTls:
    password = options.key_password
    if options.key and not password and _ENCRYPTED_KEY.search(_read(options.key, EXIT_KEY)):
        try:
            password = ask_password("Key password: ")
        except EOFError:
            password = ""
        if not password:
            raise Stop(EXIT_KEY, "pepcli:ERROR: key is encrypted, empty password not valid")
    return PepTls(
        Path(options.ca_file) if options.ca_file else None,
        Path(options.ca_directory) if options.ca_directory else None,
        Path(options.certificate) if options.certificate else None,
        Path(options.key) if options.key else None,
        password or None,
    )


def _read(path: str, code: int) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Stop(code, f"pepcli:ERROR: {path}: {error.strerror}") from None


# The exchange


def _request(options: Options) -> Request:
    attributes = []
    if options.subject_id:
        attributes.append(Attribute(AttributeId.SUBJECT_ID, (options.subject_id,), DataType.X500_NAME))
    if options.key_info:
        attributes.append(Attribute(AttributeId.KEY_INFO, (_certificates(options.key_info),)))
    if options.fqans:
        attributes.append(Attribute(Glite.PRIMARY_FQAN, options.fqans[:1], DataType.FQAN))
        attributes.append(Attribute(Glite.FQAN, options.fqans, DataType.FQAN))
    resource_id = Attribute(AttributeId.RESOURCE_ID, (options.resource_id,))
    action_id = Attribute(AttributeId.ACTION_ID, (options.action_id,))
    profile_id = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI)
    return Request(
        (Subject(tuple(attributes)),),
        (Resource((resource_id,)),) if options.resource_id else (),
        Action((action_id,)) if options.action_id else None,
        Environment((profile_id,)),
    )


def _certificates(path: str) -> str:
    """The certificate blocks of a file as they are, one after the other; keys and text stay here."""
    blocks, inside = [], False
    for line in _read(path, EXIT_KEY_INFO).splitlines(keepends=True):
        inside = inside or line.startswith(_BEGIN)
        if inside:
            blocks.append(line)
        if line.startswith(_END):
            inside = False
    if not blocks:
        raise Stop(
            EXIT_KEY_INFO,
            f"pepcli:WARN: certchain file: {path} does not contain certificate",
            f"pepcli:ERROR: keyinfo {path} not found or doesn't contain certificate",
        )
    return b"".join(blocks).decode("utf-8", "surrogateescape")


def _authorize(options: Options, tls: PepTls, request: Request) -> Response:
    try:
        with HttpPep(options.pepd, tls, options.timeout) as pep:
            return pep.authorize(request)
    except ArgusError as error:
        reason = f"{_C_NAMES[type(error)]}: {error}" if type(error) in _C_NAMES else str(error)
        raise Stop(EXIT_EXCHANGE, f"pepcli:ERROR: failed to authorize XACML request: {reason}") from error


# The output


def _narrate(options: Options, lines: Iterable[str]) -> None:
    if options.verbose and not options.quiet:
        for line in lines:
            print(f"pepcli: {line}")


def _describe_options(options: Options, tls: PepTls) -> Iterator[str]:
    yield f"pepd: {options.pepd}"
    for name, value in (
        ("subjectid", options.subject_id),
        ("keyinfo", options.key_info),
        ("resourceid", options.resource_id),
        ("actionid", options.action_id),
    ):
        if value:
            yield f"{name}: {value}"
    for number, fqan in enumerate(options.fqans):
        yield f"fqan: {fqan}{'' if number else ' (primary)'}"
    for name, value in (
        ("cacert", options.ca_file),
        ("capath", options.ca_directory),
        ("cert", options.certificate),
        ("key", options.key),
    ):
        if value:
            yield f"{name}: {value}"
    if options.key and tls.private_key_password:
        yield f"key passwd: {len(tls.private_key_password)} chars"


def _describe_request(request: Request, as_sent: bool) -> Iterator[str]:
    """``as_sent``: data types that are left out on the wire are left out here."""
    yield f"request: {len(request.subjects)} subjects"
    for number, subject in enumerate(request.subjects):
        if subject.category is not None:
            yield f"request.subject[{number}].category= {subject.category}"
        yield from _describe_attributes(f"request.subject[{number}]", subject.attributes, typed=True)
    yield f"request: {len(request.resources)} resources"
    for number, resource in enumerate(request.resources):
        if resource.content is not None:
            yield f"request.resource[{number}].content= {resource.content}"
        yield from _describe_attributes(f"request.resource[{number}]", resource.attributes, typed=not as_sent)
    if request.action is not None:
        yield from _describe_attributes("request.action", request.action.attributes, typed=not as_sent)
    if request.environment is not None:
        yield from _describe_attributes("request.environment", request.environment.attributes, typed=True)


def _describe_attributes(owner: str, attributes: tuple[Attribute, ...], typed: bool) -> Iterator[str]:
    yield f"{owner}: {len(attributes)} attributes"
    for number, attribute in enumerate(attributes):
        name = f"{owner}.attribute[{number}]"
        yield f"{name}.id= {attribute.id}"
        if typed or attribute.datatype != DataType.STRING:
            yield f"{name}.datatype= {attribute.datatype}"
        if attribute.issuer is not None:
            yield f"{name}.issuer= {attribute.issuer}"
        for index, value in enumerate(attribute.values):
            yield f"{name}.value[{index}]= {value}"


def _describe_response(response: Response) -> Iterator[str]:
    yield f"response: {len(response.results)} results"
    for number, result in enumerate(response.results):
        name = f"response.result[{number}]"
        yield f"{name}.decision= {_decision(result.decision)}"
        yield f"{name}.resourceid= {_or_null(result.resource_id)}"
        yield f"{name}.status.message= {_or_null(result.status.message)}"
        yield f"{name}.status.code.value= {result.status.code.value}"
        if result.status.code.minor is not None:
            yield f"{name}.status.code.subcode.value= {result.status.code.minor.value}"
        yield f"{name}: {len(result.obligations)} obligations"
        for index, obligation in enumerate(result.obligations):
            yield from _describe_obligation(f"{name}.obligation[{index}]", obligation)


def _describe_obligation(name: str, obligation: Obligation) -> Iterator[str]:
    yield f"{name}.id= {obligation.id}"
    yield f"{name}.fulfillOn= {obligation.fulfill_on.value}"
    yield f"{name}: {len(obligation.assignments)} attribute assignments"
    for index, assignment in enumerate(obligation.assignments):
        yield f"{name}.attributeassignment[{index}].id= {assignment.attribute_id}"
        yield f"{name}.attributeassignment[{index}].datatype= {_or_null(assignment.datatype)}"
        yield f"{name}.attributeassignment[{index}].value= {_or_null(assignment.value)}"


def _summary(result: Result) -> Iterator[str]:
    """The lines that probes read."""
    if result.resource_id is not None:
        yield f"Resource: {result.resource_id}"
    yield f"Decision: {_decision(result.decision)}"
    if result.status.code.value != StatusUri.OK:
        yield f"Status: {result.status.code.value}"
        if result.status.message is not None:
            yield f"Status message: {result.status.message}"
    if result.decision is Decision.PERMIT and not result.obligations:
        yield "No Obligation received"
    for obligation in result.obligations:
        if obligation.fulfill_on.decision is result.decision:
            yield f"Obligation: {obligation.id}{_OBLIGATION_HINTS.get(obligation.id, '')}"
            if obligation.id == Glite.LOCAL_ENVIRONMENT_MAP_POSIX:
                yield from _account(obligation)


def _account(obligation: Obligation) -> Iterator[str]:
    groups = []
    for assignment in obligation.assignments:
        value = _or_null(assignment.value)
        if assignment.attribute_id == Glite.USER_ID:
            yield f"Username: {value}"
        elif assignment.attribute_id == Glite.PRIMARY_GROUP_ID:
            yield f"Group: {value}"
        elif assignment.attribute_id == Glite.GROUP_ID:
            groups.append(value)
    if groups:
        yield f"Secondary Groups: {' '.join(groups)}"


def _decision(decision: Decision) -> str:
    return "Not Applicable" if decision is Decision.NOT_APPLICABLE else decision.value


def _or_null(text: str | None) -> str:
    return "(null)" if text is None else text
