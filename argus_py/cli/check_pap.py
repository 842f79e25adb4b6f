"""``argus pap --check``: what is wrong with the files of a PAP, and with what they name.

Nothing is written, no port is bound, and no other PAP is asked.
"""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from argus_py.cli.check_configuration import Inspection, Report, by_line, out_of_date
from argus_py.config.files import read_text
from argus_py.config.ini import BadConfiguration, IniFile, Place, Problem
from argus_py.config.pap import PapSettings, examine_pap
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.model.dn import DnSyntaxError
from argus_py.pap.access import NobodyCouldChangeIt, administrable
from argus_py.pap.authorization import ANYONE, Acl, AclSyntaxError, Permission, parse_acl, parse_dn
from argus_py.pap.distribution import BadPap, check_remote
from argus_py.pap.paps import Remote
from argus_py.pap.take_up import AUTHORIZATION_FILE
from argus_py.run.pap import MAPPINGS_FILE
from argus_py.run.parts import now, trust_anchors, trust_state, voms_trust
from argus_py.snapshot import Snapshot
from argus_py.spl.attributes import parse_mappings
from argus_py.store.sql.engine import SQLITE, open_policies
from argus_py.web.tls import ServerTls, TlsSettings

_WELL_KNOWN: Final = "shutdown"  # the command of the shipped configuration
_WRITE: Final = Permission.POLICY_WRITE | Permission.CONFIGURATION_WRITE


def check_pap(file: Path) -> Report:
    """Of ``pap_configuration.ini`` and the files beside it; one that cannot be read has a report too."""
    try:
        text = read_text(file)
        settings, errors = examine_pap(text, str(file), file.parent.parent)
    except BadConfiguration as error:
        return Report(str(file), error.problems, ())
    except ConfigurationError as error:
        return Report(str(file), (Problem(Place(str(file)), str(error)),), ())
    inspection = Inspection(IniFile(str(file), {}))
    inspection.errors += errors
    inspection.warnings += settings.warnings
    _look_at_service(inspection, settings)
    _look_at_security(inspection, settings)
    _look_at_database(inspection, settings.database)
    for pap in settings.paps.paps:
        if pap.remote is not None:
            place = Place(str(file), section="paps", key=pap.alias)
            inspection.warnings += (Problem(place, reason) for reason in _about_remote(pap.remote))
    beside = file.parent
    _look_at_permissions(inspection, beside / AUTHORIZATION_FILE)
    mappings = beside / MAPPINGS_FILE
    if mappings.exists():
        inspection.attempt(Place(str(mappings)), lambda: parse_mappings(read_text(mappings), str(mappings)))
    return Report(str(file), by_line(inspection.errors), by_line(inspection.warnings))


def _look_at_service(inspection: Inspection, settings: PapSettings) -> None:
    place = Place(inspection.ini.file, section="standalone-service", key="shutdown_command")
    if settings.shutdown_port is None:
        return
    if settings.shutdown_command is None:
        inspection.warnings.append(Problem(place, "is missing: every user of this host can stop the PAP"))
    elif settings.shutdown_command == _WELL_KNOWN:
        inspection.warnings.append(Problem(place, "is the one that everybody knows"))
    if settings.shutdown_port == settings.port != 0:
        port = Place(inspection.ini.file, section="standalone-service", key="shutdown_port")
        inspection.errors.append(Problem(port, f"{settings.port} is the service port too"))


def _look_at_security(inspection: Inspection, settings: PapSettings) -> None:
    place = functools.partial(Place, inspection.ini.file, None, "security")
    load = functools.partial(trust_anchors, settings.trust_dir, True)
    trust = inspection.attempt(place("trust_store_dir"), load)
    if trust is None:
        trust = Snapshot("trust directory", TrustAnchors, now)
        trust.refresh()
    inspection.warn(place("trust_store_dir"), trust_state(trust, now()))
    if settings.voms_dir.is_dir():
        inspection.attempt(place("voms_dir"), lambda: voms_trust(settings.voms_dir))
    tls = TlsSettings(settings.certificate, settings.private_key)
    if inspection.attempt(place("certificate"), lambda: ServerTls(tls, trust, now)) is not None:
        reasons = out_of_date(settings.certificate)
        inspection.warnings += (Problem(place("certificate"), reason) for reason in reasons)


def _look_at_database(inspection: Inspection, url: str) -> None:
    """A file is looked at from the outside: to open it would bring its tables up to date."""
    place = Place(inspection.ini.file, section="repository", key="database")
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        inspection.errors.append(Problem(place, str(error)))
        return
    if parsed.get_backend_name() != SQLITE:
        inspection.attempt(place, lambda: open_policies(url).close())
        return
    file = Path(parsed.database or "")
    inspection.errors += (Problem(place, reason) for reason in _unusable(file))


def _unusable(file: Path) -> Iterator[str]:
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        yield f"{folder} is no folder that this user may write to"
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        yield f"{file} is not readable and writable for this user"


def _about_remote(remote: Remote) -> Iterator[str]:
    try:
        check_remote(remote)
        named = None if remote.dn is None else parse_dn(remote.dn)
    except (BadPap, DnSyntaxError) as error:
        yield f"it cannot be copied: {error}"
        return
    values = {attribute.value.lower().removeprefix("host/") for rdn in named.rdns for attribute in rdn} if named else ()
    if named and remote.hostname.lower() not in values:
        yield (
            f"dn is {named.readable()}, which does not name {remote.hostname}: unlike Java, the PAP copies from there "
            "only if the certificate has that name; without dn it must name the host"
        )


def _look_at_permissions(inspection: Inspection, file: Path) -> None:
    try:
        acl = parse_acl(read_text(file), str(file))
    except AclSyntaxError as error:
        inspection.errors += (Problem(Place(str(file), line), text) for line, text in error.problems)
    except ConfigurationError as error:
        inspection.errors.append(Problem(Place(str(file)), str(error)))
    else:
        inspection.warnings += (Problem(Place(str(file)), reason) for reason in _about(acl))


def _about(acl: Acl) -> Iterator[str]:
    try:
        administrable(acl)
    except NobodyCouldChangeIt:
        yield "nobody has CONFIGURATION_READ and CONFIGURATION_WRITE: permissions can be changed in this file only"
    for principal, permissions in acl.entries:
        if principal == ANYONE and permissions & _WRITE:
            yield f"ANYONE has {permissions}: every certificate of a known CA may change policies or permissions"
