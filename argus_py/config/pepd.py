"""``pepd.ini``: the settings of the PEP daemon.

Files of the Java daemon are read as they are; where Java would serve less protected than the file asks for, the start
is refused instead.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/config/PEPDaemonIniConfigurationParser.java
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Final, Generic, TypeVar

from argus_py.config.daemon import (
    NO_EFFECT_HERE,
    Reading,
    SecuritySettings,
    ServiceSettings,
    optional_path,
    read_service,
)
from argus_py.config.files import read_text
from argus_py.config.ini import Findings, Problem, SectionReader, parse_ini
from argus_py.config.java_names import DEPRECATED, HANDLER_KINDS, PIP_KINDS, HandlerKind, PipKind
from argus_py.model.identifiers import Glite
from argus_py.pep.obligations.account_mapping import MappingSettings
from argus_py.pep.pips.environment_time import EnvironmentTime
from argus_py.pep.pips.glite_profile import GliteProfileSettings
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.request_validator import RequestValidator


@dataclass(frozen=True, slots=True)
class PdpSettings:
    """``urls`` in the order they are asked. Decisions are not cached yet: each request is decided anew."""

    urls: tuple[str, ...]
    maximum_cached_responses: int
    cached_response_ttl: timedelta
    maximum_requests: int
    connection_timeout: timedelta


@dataclass(frozen=True, slots=True)
class GliteProfilePart:
    """``voms_dir`` None: attribute certificates are not looked at."""

    settings: GliteProfileSettings
    voms_dir: Path | None
    voms_refresh: timedelta


PipPart = RequestValidator | OpensslSubject | GliteProfilePart | EnvironmentTime


@dataclass(frozen=True, slots=True)
class AccountMappingPart:
    """``name`` is that of the section, which the handler's log lines begin with."""

    name: str
    account_map_file: Path
    group_map_file: Path
    grid_map_dir: Path
    refresh_period: timedelta
    settings: MappingSettings


@dataclass(frozen=True, slots=True)
class PepdSettings:
    """``pips`` in the order they run, ``obligation_handlers`` as listed; ``warnings`` belong into the log."""

    security: SecuritySettings
    service: ServiceSettings
    pdp: PdpSettings
    pips: tuple[PipPart, ...]
    obligation_handlers: tuple[AccountMappingPart, ...]
    warnings: tuple[Problem, ...]


def load_pepd(path: Path) -> PepdSettings:
    """Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it."""
    return parse_pepd(read_text(path), str(path))


def parse_pepd(text: str, file: str) -> PepdSettings:
    """Raises BadConfiguration: with every problem of the file."""
    return _PepdReading(parse_ini(text, file)).settings()


_Part = TypeVar("_Part")
_Kind = TypeVar("_Kind", PipKind, HandlerKind)


class _PepdReading(Reading):
    def settings(self) -> PepdSettings:
        security = self.security()
        service_reader = self.required_section("SERVICE")
        service = read_service(service_reader, port=8154, admin_port=8155)
        pips = self._parts(service_reader.words("pips") or (), _PIPS)
        handlers = self._parts(service_reader.words("obligationHandlers") or (), _HANDLERS)
        service_reader.warn_unknown()
        pdp_reader = self.required_section("PDP")
        pdp = _pdp(pdp_reader)
        pdp_reader.warn_unknown()
        self._check_trust(security, pips)
        self._check_obligation_ids(handlers)
        self.warn_unread_sections()
        self.findings.raise_errors()
        return PepdSettings(security, service, pdp, pips, handlers, tuple(self.findings.warnings))

    def _parts(self, names: tuple[str, ...], catalogue: "_Catalogue[_Kind, _Part]") -> tuple[_Part, ...]:
        """What the sections of these names configure; one that configures nothing leaves an error instead."""
        parts = [self._part(name, catalogue) for name in names]
        return tuple(part for part in parts if part is not None)

    def _part(self, name: str, catalogue: "_Catalogue[_Kind, _Part]") -> _Part | None:
        found = Findings()
        reader = self.section(name, found)
        if reader is None:
            self.error(f"INI configuration file does not contain a configuration section for {catalogue.term} {name}")
            return None
        part = _configured(reader, catalogue)
        self.findings.warnings += found.warnings
        prefix = f"Unable to configure {catalogue.title} {name}. The following error was reported: "
        self.findings.errors += [Problem(problem.place, prefix + problem.reason) for problem in found.errors]
        return part

    def _check_trust(self, security: SecuritySettings, pips: tuple[PipPart, ...]) -> None:
        if security.trust_dir is None and any(isinstance(pip, GliteProfilePart) for pip in pips):
            self.error("Policy information point trust material may not be null: [SECURITY] trustInfoDir is missing")

    def _check_obligation_ids(self, handlers: tuple[AccountMappingPart, ...]) -> None:
        ids = [handler.settings.handled_obligation_id for handler in handlers]
        for repeated in sorted({obligation_id for obligation_id in ids if ids.count(obligation_id) > 1}):
            self.error(f"more than one obligation handler for {repeated}")


def _configured(reader: SectionReader, catalogue: "_Catalogue[_Kind, _Part]") -> _Part | None:
    class_name = reader.required("parserClass")
    if not class_name:
        return None
    kind = catalogue.kinds.get(class_name)
    if kind is None:
        reader.error("parserClass", class_name)  # COMPAT: the name is all that Java says
        return None
    if class_name in DEPRECATED:
        reader.warn("parserClass", f"{class_name} is deprecated, use {kind.value}")
    if kind not in catalogue.readers:
        reader.error("parserClass", f"{kind.value} is not supported ({class_name})")
        return None
    part = catalogue.readers[kind](reader)
    reader.warn_unknown()
    return part


def _pdp(reader: SectionReader) -> PdpSettings:
    for key in NO_EFFECT_HERE:
        reader.string(key)
    reader.required("pdps")
    return PdpSettings(
        urls=reader.urls("pdps"),
        maximum_cached_responses=reader.integer("maximumCachedResponses", 500),
        cached_response_ttl=reader.seconds("cachedResponseTTL", 600),
        maximum_requests=reader.integer("maximumRequests", 200, 1),
        connection_timeout=reader.seconds("connectionTimeout", 30),
    )


def _request_validator(reader: SectionReader) -> RequestValidator:
    return RequestValidator(
        subjects=reader.boolean("validateRequestSubjects", True),
        resources=reader.boolean("validateRequestResources", True),
        action=reader.boolean("validateRequestAction", True),
        environment=reader.boolean("validateRequestEnvironment", False),
    )


def _openssl_subject(reader: SectionReader) -> OpensslSubject:
    defaults = OpensslSubject()
    return OpensslSubject(
        attribute_ids=frozenset(reader.words("opensslSubjectAttributeIDs") or defaults.attribute_ids),
        datatypes=frozenset(reader.words("opensslSubjectAttributeDatatypes") or defaults.datatypes),
    )


def _glite_profile(reader: SectionReader) -> GliteProfilePart:
    accepted = reader.words("acceptedProfileIDs")
    if accepted == ():
        reader.warn("acceptedProfileIDs", "is empty, so no request is looked at")
    return _profile_part(reader, None if accepted is None else frozenset(accepted))


def _worker_node_profile(reader: SectionReader) -> GliteProfilePart:
    return _profile_part(reader, frozenset({Glite.PROFILE_WORKER_NODE}))


def _profile_part(reader: SectionReader, accepted: frozenset[str] | None) -> GliteProfilePart:
    if not reader.boolean("performPKIXValidation", True):
        # BETTER: refused, since anybody could then claim any name with a certificate of his own making.
        reader.error("performPKIXValidation", "certificates are always validated here")
    return GliteProfilePart(
        GliteProfileSettings(
            accepted_profile_ids=accepted,
            require_certificate=reader.boolean("requireCertificate", True),
            require_proxy=reader.boolean("requireProxy", False),
        ),
        voms_dir=optional_path(reader.string("vomsInfoDir")),
        voms_refresh=reader.minutes("vomsInfoRefresh", 60),
    )


def _environment_time(reader: SectionReader) -> EnvironmentTime:
    reader.warn("parserClass", "puts the second into every request, so no decision is ever found in the cache")
    return EnvironmentTime(UTC if reader.boolean("useUTCTimeZone", True) else None)


def _account_mapping(reader: SectionReader) -> AccountMappingPart:
    for key in ("poolAccountLookupMaxIterations", "enablePoolAccountCache", "poolAccountCacheTTL"):
        reader.string(key)  # COMPAT: read and without effect, accounts are looked up by the time stamp of the directory
    return AccountMappingPart(
        name=reader.name,
        account_map_file=Path(reader.required("accountMapFile")),
        group_map_file=Path(reader.required("groupMapFile")),
        grid_map_dir=Path(reader.required("gridMapDir")),
        refresh_period=reader.minutes("refreshPeriod", 15),
        settings=MappingSettings(
            handled_obligation_id=reader.string("handledObligationId") or Glite.LOCAL_ENVIRONMENT_MAP,
            prefer_dn_for_login_name=reader.boolean("preferDNForLoginName", True),
            prefer_dn_for_primary_group_name=reader.boolean("preferDNForPrimaryGroupName", True),
            no_primary_group_name_is_error=reader.boolean("noPrimaryGroupNameIsError", False),
            require_subject_key_info=reader.boolean("requireSubjectKeyInfo", True),
            use_secondary_group_names_for_mapping=reader.boolean("useSecondaryGroupNamesForMapping", True),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Catalogue(Generic[_Kind, _Part]):
    """Parts of one sort: what messages call them, the names they go by, and who reads the section of which."""

    title: str
    term: str
    kinds: Mapping[str, _Kind]
    readers: Mapping[_Kind, Callable[[SectionReader], _Part]]


_PIPS: Final[_Catalogue[PipKind, PipPart]] = _Catalogue(
    "PIP",
    "policy information point",
    PIP_KINDS,
    {
        PipKind.REQUEST_VALIDATOR: _request_validator,
        PipKind.OPENSSL_SUBJECT: _openssl_subject,
        PipKind.GLITE_PROFILE: _glite_profile,
        PipKind.GLITE_WORKER_NODE: _worker_node_profile,
        PipKind.ENVIRONMENT_TIME: _environment_time,
    },
)
_HANDLERS: Final[_Catalogue[HandlerKind, AccountMappingPart]] = _Catalogue(
    "Obligation Handler", "obligation handler", HANDLER_KINDS, {HandlerKind.ACCOUNT_MAPPING: _account_mapping}
)
