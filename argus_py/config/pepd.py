"""``pepd.ini``: the settings of the PEP daemon.

Files of the Java daemon are read as they are; where Java would serve less protected than the file asks for, the start
is refused instead.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/config/PEPDaemonIniConfigurationParser.java
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from argus_py.config.catalogue import Catalogue, Kind, Part
from argus_py.config.daemon import NO_EFFECT_HERE, Reading, SecuritySettings, ServiceSettings, read_service
from argus_py.config.files import read_text
from argus_py.config.ini import BadConfiguration, Findings, IniFile, Place, Problem, SectionReader, parse_ini
from argus_py.config.obligations import HANDLERS, AccountMappingPart
from argus_py.config.pips import PIPS, PipPart, needs_trust_anchors

ADMIN_PORT: Final = 8155


@dataclass(frozen=True, slots=True)
class PdpSettings:
    """``urls`` in the order they are asked; ``maximum_cached_responses`` 0: each request is decided anew."""

    urls: tuple[str, ...]
    maximum_cached_responses: int
    cached_response_ttl: timedelta
    maximum_requests: int
    connection_timeout: timedelta


@dataclass(frozen=True, slots=True)
class PepdSettings:
    """``pips`` in the order they run, ``obligation_handlers`` as listed; ``warnings`` belong into the log.

    ``pip_places`` says where each point is configured; a handler has the name of its section.
    """

    security: SecuritySettings
    service: ServiceSettings
    pdp: PdpSettings
    pips: tuple[PipPart, ...]
    obligation_handlers: tuple[AccountMappingPart, ...]
    warnings: tuple[Problem, ...]
    pip_places: tuple[Place, ...] = ()


def load_pepd(path: Path) -> PepdSettings:
    """Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it."""
    return parse_pepd(read_text(path), str(path))


def parse_pepd(text: str, file: str) -> PepdSettings:
    """Raises BadConfiguration: with every problem of the file."""
    settings, errors = examine_pepd(parse_ini(text, file))
    if errors:
        raise BadConfiguration(errors)
    return settings


def examine_pepd(ini: IniFile) -> tuple[PepdSettings, tuple[Problem, ...]]:
    """The settings, and the errors that keep them from being used; what is wrong has a stand-in in the settings."""
    reading = _PepdReading(ini)
    return reading.settings(), tuple(reading.findings.errors)


class _PepdReading(Reading):
    def settings(self) -> PepdSettings:
        security = self.security()
        service_reader = self.required_section("SERVICE")
        service = read_service(service_reader, port=8154, admin_port=ADMIN_PORT)
        pips, pip_places = self._parts(service_reader.words("pips") or (), PIPS)
        handlers, _ = self._parts(service_reader.words("obligationHandlers") or (), HANDLERS)
        service_reader.warn_unknown()
        pdp_reader = self.required_section("PDP")
        pdp = _pdp(pdp_reader)
        pdp_reader.warn_unknown()
        self._check_trust(security, pips)
        self.check_peers(security, "PDP", "pdps", pdp.urls)
        self._check_obligation_ids(handlers)
        self.warn_unread_sections()
        warnings = tuple(self.findings.warnings)
        return PepdSettings(security, service, pdp, pips, handlers, warnings, pip_places)

    def _parts(
        self, names: tuple[str, ...], catalogue: Catalogue[Kind, Part]
    ) -> tuple[tuple[Part, ...], tuple[Place, ...]]:
        """What the sections of these names configure, and where; one that configures nothing leaves an error."""
        parts = [(part, self.place(name)) for name in names if (part := self._part(name, catalogue)) is not None]
        return tuple(part for part, _ in parts), tuple(place for _, place in parts)

    def _part(self, name: str, catalogue: Catalogue[Kind, Part]) -> Part | None:
        found = Findings()
        reader = self.section(name, found)
        if reader is None:
            self.error(f"INI configuration file does not contain a configuration section for {catalogue.term} {name}")
            return None
        part = catalogue.configured(reader)
        self.findings.warnings += found.warnings
        prefix = f"Unable to configure {catalogue.title} {name}. The following error was reported: "
        self.findings.errors += [Problem(problem.place, prefix + problem.reason) for problem in found.errors]
        return part

    def _check_trust(self, security: SecuritySettings, pips: tuple[PipPart, ...]) -> None:
        if security.trust_dir is None and any(map(needs_trust_anchors, pips)):
            self.error("Policy information point trust material may not be null: [SECURITY] trustInfoDir is missing")

    def _check_obligation_ids(self, handlers: tuple[AccountMappingPart, ...]) -> None:
        ids = [handler.settings.handled_obligation_id for handler in handlers]
        for repeated in sorted({obligation_id for obligation_id in ids if ids.count(obligation_id) > 1}):
            self.error(f"more than one obligation handler for {repeated}")


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
