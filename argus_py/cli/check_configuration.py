"""``argus pepd --check`` and ``argus pdp --check``: what is wrong with an ini file, and with what it names.

The parts of the daemon are made as for a start, from the same functions, so that nothing passes here and fails there;
but each of them is tried, no port is bound, no peer is asked and nothing is written. It is the rights of the user who
asks that are looked at, so the check belongs to the user that the daemon runs as.

Whatever would keep the daemon from starting is an error; a warning is worth a look: what has no effect, and what will
turn away some requests or all of them.
"""

import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from argus_py.clients.transport import Timeouts
from argus_py.config.daemon import SecuritySettings, ServiceSettings
from argus_py.config.files import read_text
from argus_py.config.ini import BadConfiguration, IniFile, Place, Problem, parse_ini
from argus_py.config.obligations import AccountMappingPart
from argus_py.config.pdp import examine_pdp
from argus_py.config.pepd import examine_pepd
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ArgusError, ConfigurationError
from argus_py.pep.mapping.accounts import pool_prefix
from argus_py.pep.mapping.checks import broken_lease_names, root_targets, shadowed_lines, unknown_targets
from argus_py.pep.mapping.map_file import MapFile, MapProblem
from argus_py.run.admin import admin_address, resolve
from argus_py.run.information import InformationPoints
from argus_py.run.parts import now, server_tls, transport, trust_anchors, trust_state
from argus_py.snapshot import Snapshot
from argus_py.store.account_index import in_pool
from argus_py.store.gridmapdir import check_access
from argus_py.store.lease_files import FileKind, read_contents
from argus_py.store.mapfiles import load_map_file
from argus_py.store.nss import NssNames
from argus_py.store.policy_file import PolicyFile, UnusablePolicyFile

_TROUBLE = ("Problem", "LastError")  # lines of the status page that say what is wrong
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report:
    """``errors`` keep the daemon from starting; both in the order of their lines."""

    file: str
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def as_text(self) -> str:
        lines = [f"error: {problem}" for problem in self.errors] + [f"warning: {problem}" for problem in self.warnings]
        verdict = "the daemon would not start" if self.errors else "the daemon would start"
        summary = f"{self.file}: {verdict}, {len(self.errors)} errors, {len(self.warnings)} warnings"
        return "\n".join([*lines, summary, ""])

    def as_json(self) -> str:
        """One object; what is not known of a place is null."""
        problems = [("error", problem) for problem in self.errors] + [("warning", problem) for problem in self.warnings]
        listed = [{"severity": severity, **asdict(each.place), "reason": each.reason} for severity, each in problems]
        return json.dumps({"file": self.file, "starts": not self.errors, "problems": listed}, indent=2) + "\n"


def check_pepd(file: Path) -> Report:
    """Of ``pepd.ini``; a file that cannot be read has a report too."""
    return _checked(file, _look_at_pepd)


def check_pdp(file: Path) -> Report:
    """Of ``pdp.ini``; a file that cannot be read has a report too."""
    return _checked(file, _look_at_pdp)


def _checked(file: Path, look: "Callable[[Inspection], None]") -> Report:
    try:
        ini = parse_ini(read_text(file), str(file))
    except BadConfiguration as error:
        return Report(str(file), error.problems, ())
    except ConfigurationError as error:
        return Report(str(file), (Problem(Place(str(file)), str(error)),), ())
    inspection = Inspection(ini)
    look(inspection)
    return Report(str(file), by_line(inspection.errors), by_line(inspection.warnings))


def by_line(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.place.line or 0))


class Inspection:
    """Gathers what is found."""

    def __init__(self, ini: IniFile) -> None:
        self.ini = ini
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []

    def attempt(self, place: Place, action: Callable[[], T]) -> T | None:
        """What it returns; None, and an error, if it cannot be done."""
        try:
            return action()
        except (ArgusError, OSError) as error:
            self.errors.append(Problem(place, str(error)))
            return None

    def warn(self, place: Place, lines: Iterable[tuple[str, str]]) -> None:
        """Of what would stand on the status page: what is wrong and was not told yet."""
        told = {problem.reason for problem in self.warnings}
        self.warnings += (Problem(place, text) for name, text in lines if name in _TROUBLE and text not in told)


def _look_at_pdp(inspection: Inspection) -> None:
    settings, errors = examine_pdp(inspection.ini)
    inspection.errors += errors
    inspection.warnings += settings.warnings
    _look_at_service(inspection, settings.service)
    _look_at_security(inspection, settings.security)
    if settings.policy.last_good_file is not None:
        place = inspection.ini.place("POLICY", "lastGoodPolicyFile")
        inspection.warnings += (Problem(place, reason) for reason in _kept_policy(settings.policy.last_good_file))


def _kept_policy(file: Path) -> Iterator[str]:
    """What would keep a policy from being there when it is needed."""
    if not os.access(file.parent, os.W_OK | os.X_OK):
        yield f"no policy can be kept: {file.parent} is no folder that this user may write to"
        return
    try:
        PolicyFile(file).read()
    except UnusablePolicyFile as error:
        yield str(error)


def _look_at_pepd(inspection: Inspection) -> None:
    settings, errors = examine_pepd(inspection.ini)
    inspection.errors += errors
    inspection.warnings += settings.warnings
    _look_at_service(inspection, settings.service)
    trust = _look_at_security(inspection, settings.security)
    # Something has to stand in for a trust directory that is missing, and was told to be, or the rest is never seen.
    security = replace(settings.security, trust_dir=settings.security.trust_dir or Path())
    information = InformationPoints(security, lambda *_: trust)
    for part, place in zip(settings.pips, settings.pip_places, strict=True):
        inspection.attempt(place, functools.partial(information.point, part))
    inspection.warn(Place(inspection.ini.file), information.details())
    for handler in settings.obligation_handlers:
        _look_at_mapping(inspection, handler)


def _look_at_mapping(inspection: Inspection, part: AccountMappingPart) -> None:
    place = functools.partial(inspection.ini.place, part.name)
    pool_accounts = inspection.attempt(place("gridMapDir"), lambda: _pool_accounts(part.grid_map_dir))
    targets = _Targets(pool_accounts, NssNames() if part.use_name_service else None)

    def of_both(found: MapFile) -> Iterator[MapProblem]:
        yield from found.problems
        if not part.settings.rules.allow_root:
            yield from root_targets(found)

    accounts = inspection.attempt(place("accountMapFile"), lambda: load_map_file(part.account_map_file, now))
    if accounts is not None:
        found = accounts.current.value
        problems = (*of_both(found), *shadowed_lines(found), *unknown_targets(found, targets.is_account))
        inspection.warnings += (Problem(place("accountMapFile"), str(problem)) for problem in problems)
    groups = inspection.attempt(place("groupMapFile"), lambda: load_map_file(part.group_map_file, now))
    if groups is not None:
        found = groups.current.value
        problems = (*of_both(found), *broken_lease_names(found), *unknown_targets(found, targets.is_group))
        inspection.warnings += (Problem(place("groupMapFile"), str(problem)) for problem in problems)


def _pool_accounts(directory: Path) -> frozenset[str]:
    """The daemon also makes a link when it starts, which is more than a check may do. Raises ConfigurationError."""
    check_access(directory)
    return frozenset(file.name for file in read_contents(directory).of_kind(FileKind.ACCOUNT))


@dataclass(frozen=True, slots=True)
class _Targets:
    """What map files can lead to; None: that is not known."""

    pool_accounts: frozenset[str] | None
    names: NssNames | None

    def is_account(self, target: str) -> bool:
        pool = pool_prefix(target)
        if pool is not None:
            return self.pool_accounts is None or any(in_pool(account, pool) for account in self.pool_accounts)
        return self.names is None or self.names.uid(target) is not None

    def is_group(self, target: str) -> bool:
        return self.names is None or self.names.gid(target) is not None


def _look_at_service(inspection: Inspection, service: ServiceSettings) -> None:
    place = inspection.ini.place
    address = None
    if service.bind_address:  # else it is told to be missing
        address = inspection.attempt(place("SERVICE"), lambda: resolve(service.bind_address))
    admin = inspection.attempt(place("SERVICE", "adminHost"), lambda: admin_address(service.admin))
    if service.port == service.admin.port != 0 and address and admin and _overlap(address, admin):
        reason = f"{service.port} is the service port too"
        inspection.errors.append(Problem(place("SERVICE", "adminPort"), reason))


def _overlap(one: str, other: str) -> bool:
    return one == other or any(ip_address(each).is_unspecified for each in (one, other))


def _look_at_security(inspection: Inspection, security: SecuritySettings) -> Snapshot[TrustAnchors]:
    """The trust anchors; none, where they cannot be had."""
    place = inspection.ini.place
    trust = None
    if security.trust_dir is not None:
        load = functools.partial(trust_anchors, security.trust_dir, security.check_crls)
        trust = inspection.attempt(place("SECURITY", "trustInfoDir"), load)
    if trust is None:
        trust = Snapshot("trust directory", TrustAnchors, now)
        trust.refresh()
    inspection.warn(place("SECURITY", "trustInfoDir"), trust_state(trust, now()))
    _look_at_credential(inspection, security, trust)
    return trust


def _look_at_credential(inspection: Inspection, security: SecuritySettings, trust: Snapshot[TrustAnchors]) -> None:
    """Certificate and key, as they are shown to peers."""
    place = inspection.ini.place("SECURITY", "serviceCertificate")
    if security.certificate is None or security.trust_dir is None:
        return
    usable = inspection.attempt(place, lambda: transport(security, lambda *_: trust, Timeouts()))
    if usable is None:
        return
    inspection.attempt(place, lambda: server_tls(security, lambda *_: trust))
    inspection.warnings += (Problem(place, reason) for reason in out_of_date(security.certificate))


def out_of_date(file: Path) -> Iterator[str]:
    """What is wrong with the dates of a certificate."""
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError as error:  # OpenSSL, which has loaded it, takes more than the other reader does
        yield f"its dates cannot be read: {error}"
        return
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now() <= last:
        yield f"valid from {first} to {last}, which is not now"
