"""``argus site init``: a working configuration of all daemons, from the certificate of the host and a few answers.

What has no option is asked for on a terminal. Nothing is written before all of it has been parsed as the daemons do.
"""

import argparse
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from argus_py.cli.check_configuration import check_pdp, check_pepd
from argus_py.cli.site import templates
from argus_py.cli.site.accounts import add_policy, add_yaim_files, mapping_plan, tell_white_list, yaim_accounts
from argus_py.cli.site.command import Call, Exit, add_gridmapdir, add_map_files, add_user, add_writing
from argus_py.cli.site.files import NewFile, NewFolder, Plan, carry_out
from argus_py.cli.site.pools import MAX_SIZE, VoPools, pool_accounts
from argus_py.cli.site.templates import SiteNames
from argus_py.config.pap import parse_pap
from argus_py.config.pdp import parse_pdp
from argus_py.config.pepd import parse_pepd
from argus_py.config.yaim_maps import SiteAccounts
from argus_py.credentials.names import distinguished_name
from argus_py.errors import ArgusError, ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.pap.authorization import parse_acl
from argus_py.store.vomsdir import load_voms_trust

_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._+@=-]*")  # what every dialect of ini files takes as it is
_SERVICE_NAME = "host/"  # of old host certificates: CN=host/argus.example.org
_PRIVATE = 0o600
_OURS = 0o700
_ATTEMPTS = 3  # at answering a question
T = TypeVar("T")


class AnswerMissing(ConfigurationError):
    """``option`` was not given, and there is nobody to ask."""

    def __init__(self, option: str) -> None:
        super().__init__(f"{option} is needed: it can only be asked for on a terminal")
        self.option = option


class UnusableHostCertificate(ConfigurationError):
    """The certificate of the host, in ``path``, cannot be read or names no host."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"host certificate {path}: {reason}")
        self.path = path
        self.reason = reason


class UnusableName(ConfigurationError):
    """``text`` cannot stand in the configuration files as ``what``."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{text!r} cannot be used as {what}")
        self.what = what
        self.text = text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--admin", action="append", metavar="DN", help="who may administrate; may be given again")
    whose = parser.add_argument_group("accounts: pools of VOs, or the lists of YAIM")
    whose.add_argument(
        "--vo",
        action="append",
        metavar="VO[:POOL[:PILOTPOOL]]",
        help="name, and prefixes of the accounts of its members and of its pilots; may be given again",
    )
    for option, size, of in (("--pool-size", 200, "members"), ("--pilot-pool-size", 50, "pilots")):
        whose.add_argument(
            option, type=_size, default=size, metavar="N", help=f"accounts for {of} of a VO, default {size}"
        )
    add_yaim_files(parser, required=False)
    where = parser.add_argument_group("where things are")
    for option, default, what in (
        ("--config-dir", "/etc/argus", "for the configuration files"),
        ("--state-dir", "/var/lib/argus", "for policies"),
        ("--host-certificate", "/etc/grid-security/hostcert.pem", "of this host"),
        ("--host-key", "/etc/grid-security/hostkey.pem", "of this host"),
        ("--trust-dir", "/etc/grid-security/certificates", "CA certificates and CRLs"),
        ("--vomsdir", "/etc/grid-security/vomsdir", "LSC files of the VOs"),
    ):
        where.add_argument(option, type=Path, default=Path(default), metavar="PATH", help=f"{what}, default {default}")
    where.add_argument("--hostname", metavar="NAME", help="default: the first one in the host certificate")
    add_map_files(parser)
    add_gridmapdir(parser)
    add_policy(parser)
    add_user(parser)
    add_writing(parser)


def _size(text: str) -> int:
    try:
        size = int(text)
    except ValueError:
        size = 0
    if not 0 < size <= MAX_SIZE:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_SIZE}")
    return size


def init(call: Call) -> Exit:
    """Raises ConfigurationError: an answer cannot be used; FilesExist; OSError."""
    names = _names(call)
    mapping = _mapping(call)
    plan = _plan(call, names, mapping)
    carry_out(call, plan)
    for warning in (*mapping.warnings, *_vos_without_servers(names.vomsdir, mapping)):
        call.warn(f"warning: {warning}")
    tell_white_list(call, mapping)
    return Exit.FINE if call.arguments.dry_run else _verdict(call)


def _names(call: Call) -> SiteNames:
    arguments = call.arguments
    certificate = _host_certificate(arguments.host_certificate)
    hostname = arguments.hostname or _hostname(arguments.host_certificate, certificate)
    if not _HOSTNAME.fullmatch(hostname):
        raise UnusableName("the name of a host", hostname)
    admins = arguments.admin or _asked(call, "--admin", "DN of the administrator, such as /DC=org/CN=Jo Doe", _dns)
    return SiteNames(
        hostname=hostname,
        host_dn=_quotable(distinguished_name(certificate.subject).slash()),
        admins=tuple(_dn(admin) for admin in admins),
        certificate=_plain(arguments.host_certificate),
        private_key=_plain(arguments.host_key),
        trust_dir=_plain(arguments.trust_dir),
        vomsdir=_plain(arguments.vomsdir),
        state_dir=_plain(arguments.state_dir),
        grid_mapfile=_plain(arguments.grid_mapfile),
        group_mapfile=_plain(arguments.group_mapfile),
        gridmapdir=_plain(arguments.gridmapdir),
    )


def _mapping(call: Call) -> SiteAccounts:
    arguments = call.arguments
    if arguments.groups is not None and arguments.users is not None:
        return yaim_accounts(call)
    if arguments.groups is not None or arguments.users is not None:
        raise ConfigurationError("--groups and --users go together")
    vos = (
        [VoPools.parse(vo) for vo in arguments.vo] if arguments.vo else _asked(call, "--vo", "VOs, as dteam ops", _vos)
    )
    return pool_accounts(vos, arguments.pool_size, arguments.pilot_pool_size)


def _asked(call: Call, option: str, question: str, read: Callable[[str], list[T]]) -> list[T]:
    """Raises AnswerMissing: nobody is there, or knows; ConfigurationError: the last answer cannot be used."""
    if not call.input.isatty():
        raise AnswerMissing(option)
    for attempt in range(_ATTEMPTS):
        print(f"{question}: ", end="", file=call.out, flush=True)
        line = call.input.readline()
        if not line.strip():
            continue
        try:
            return read(line.strip())
        except ConfigurationError as error:
            if attempt == _ATTEMPTS - 1:
                raise
            call.warn(str(error))
    raise AnswerMissing(option)


def _vos(line: str) -> list[VoPools]:
    return [VoPools.parse(word) for word in line.split()]


def _dns(line: str) -> list[str]:
    return [_dn(line)]


def _dn(text: str) -> str:
    """In slash form. Raises UnusableName."""
    try:
        name = DistinguishedName.parse_slash(text) if text.startswith("/") else DistinguishedName.parse_rfc2253(text)
    except ArgusError as error:
        raise UnusableName(f"a DN ({error})", text) from error
    if not name.rdns:
        raise UnusableName("a DN", text)
    return _quotable(text if text.startswith("/") else name.slash())


def _quotable(text: str) -> str:
    if '"' in text or not text.isprintable():
        raise UnusableName("a DN in the ACL of the PAP", text)
    return text


def _plain(path: Path) -> Path:
    absolute = path.absolute()
    if not _PLAIN_PATH.fullmatch(str(absolute)):
        raise UnusableName("a path in ini files", str(absolute))
    return absolute


def _host_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise UnusableHostCertificate(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise UnusableHostCertificate(path, "there is no certificate in PEM in it that can be read") from error


def _hostname(path: Path, certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for name in names.get_values_for_type(x509.DNSName):
            if "*" not in name:
                return name
    except x509.ExtensionNotFound:
        pass
    except ValueError as error:
        raise UnusableHostCertificate(path, f"its extensions cannot be read: {error}") from error
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not common:
        raise UnusableHostCertificate(path, "it names no host")
    return str(common[-1].value).removeprefix(_SERVICE_NAME)


def _plan(call: Call, names: SiteNames, mapping: SiteAccounts) -> Plan:
    """Raises ConfigurationError: a daemon could not read its file."""
    config, owner = _plain(call.arguments.config_dir), call.owner
    texts = (
        templates.pap_configuration(names, secrets.token_urlsafe()),
        templates.pap_authorization(names),
        templates.pdp(names, secrets.token_urlsafe()),
        templates.pepd(names, secrets.token_urlsafe()),
    )
    pap, acl, pdp, pepd = (
        NewFile(config / file, text, _PRIVATE, owner)
        for file, text in zip(
            ("pap/pap_configuration.ini", "pap/pap_authorization.ini", "pdp/pdp.ini", "pepd/pepd.ini"),
            texts,
            strict=True,
        )
    )
    parse_pap(pap.text, str(pap.path), config)
    parse_acl(acl.text, str(acl.path))
    parse_pdp(pdp.text, str(pdp.path))
    parse_pepd(pepd.text, str(pepd.path))
    maps = mapping_plan(call, mapping)
    state = (names.state_dir, names.state_dir / "pap", names.state_dir / "pdp")
    return Plan(
        (pap, acl, pdp, pepd, *maps.files),
        (
            *(NewFolder(config / daemon, owner=owner) for daemon in ("pap", "pdp", "pepd")),
            *(NewFolder(folder, _OURS, owner) for folder in state),
            NewFolder(names.vomsdir),
        ),
        maps.pool_accounts,
    )


def _vos_without_servers(vomsdir: Path, mapping: SiteAccounts) -> list[str]:
    try:
        known = {file.vo for file in load_voms_trust(vomsdir).lsc_files}
    except ConfigurationError:
        known = set()
    vos = dict.fromkeys(key.split("/")[1] for key, _ in mapping.accounts)
    return [
        f"no FQAN of {vo} will be believed: {vomsdir}/{vo}/<VOMS server>.lsc is missing, "
        "a file with the subject of the server in the first line and that of its CA in the second"
        for vo in vos
        if vo not in known
    ]


def _verdict(call: Call) -> Exit:
    """What the daemons will say of it."""
    config = call.arguments.config_dir
    reports = check_pdp(config / "pdp" / "pdp.ini"), check_pepd(config / "pepd" / "pepd.ini")
    for report in reports:
        for problem in report.errors:
            call.warn(f"error: {problem}")
        for problem in report.warnings:
            call.warn(f"warning: {problem}")
    if any(report.errors for report in reports):
        call.warn("the files are written, but the daemons would not start: see the errors")
        return Exit.PROBLEMS
    call.say(f"next: argus serve --config-dir {config}")
    call.say(f"then: pap-admin add-policies-from-file {call.arguments.policy}")
    call.say("then: argus site check")
    return Exit.FINE
