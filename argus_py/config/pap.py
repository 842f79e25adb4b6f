"""``pap_configuration.ini``: the settings of the PAP daemon.

The Java daemon keeps its remote paps in this file and rewrites it at every change; here they are in the database with
the policies, and the file is only read.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/PAPConfiguration.java
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from argus_py.config.commons_ini import parse_commons_ini
from argus_py.config.files import read_text
from argus_py.config.ini import Findings, IniFile, Place, Problem, Section, SectionReader

_DATABASE_FILE = "policies.db"
_SECTIONS = ("paps", "paps:properties", "repository", "standalone-service", "security")


@dataclass(frozen=True, slots=True)
class PapSettings:
    """``hostname`` stands in URLs only, the port is bound on all addresses; ``database`` is an SQLAlchemy URL."""

    hostname: str
    port: int
    entity_id: str
    shutdown_command: str | None
    maximum_connections: int
    trust_refresh: timedelta
    certificate: Path
    private_key: Path
    trust_dir: Path
    voms_dir: Path
    poll_interval: timedelta
    database: str
    warnings: tuple[Problem, ...]


def load_pap(path: Path, home: Path) -> PapSettings:
    """``home`` is the folder a missing repository location is relative to.

    Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it.
    """
    return parse_pap(read_text(path), str(path), home)


def parse_pap(text: str, file: str, home: Path) -> PapSettings:
    """Raises BadConfiguration: with every problem of the file."""
    ini = parse_commons_ini(text, file)
    findings = Findings()
    service, security, repository, properties = (
        SectionReader(file, ini.sections.get(name) or Section(name, 1), findings)
        for name in ("standalone-service", "security", "repository", "paps:properties")
    )
    hostname = service.string("hostname") or "localhost"
    port = service.strict_integer("port", 8150, 0, 65535)
    settings = PapSettings(
        hostname=hostname,
        port=port,
        entity_id=service.string("entity_id") or f"https://{hostname}:{port}/pap/services/ProvisioningService",
        shutdown_command=service.string("shutdown_command"),
        maximum_connections=_maximum_connections(service),
        trust_refresh=timedelta(minutes=service.strict_integer("crl_update_interval", 10)),
        certificate=Path(security.string("certificate") or "/etc/grid-security/hostcert.pem"),
        private_key=Path(security.string("private_key") or "/etc/grid-security/hostkey.pem"),
        trust_dir=Path(security.string("trust_store_dir") or "/etc/grid-security/certificates"),
        # BETTER: Java knows one folder only, and never looks at the attribute certificates of its callers.
        voms_dir=Path(security.string("voms_dir") or "/etc/grid-security/vomsdir"),
        poll_interval=_poll_interval(properties),
        database=_database(repository, home),
        warnings=(),
    )
    for key in ("shutdown_port", "max_request_queue_size"):
        service.string(key)  # COMPAT: 8151 is fixed in the Java daemon too; requests wait in no queue here
    for key in ("consistency_check", "consistency_check.repair"):
        repository.string(key)  # COMPAT: about policy files on disk; the database keeps its own consistency
    for reader in (service, security, repository, properties):
        reader.warn_unknown()
    findings.warnings += _section_warnings(ini)
    findings.raise_errors()
    return replace(settings, warnings=tuple(findings.warnings))


def _maximum_connections(service: SectionReader) -> int:
    connections = service.strict_integer("max_connections", 64, least=-(2**31))
    if connections > 0:
        return connections
    service.warn("max_connections", "must be positive; 64 is used")
    return 64


def _poll_interval(properties: SectionReader) -> timedelta:
    properties.string("ordering")
    if properties.required("poll_interval"):
        return timedelta(seconds=properties.strict_integer("poll_interval", 1))
    return timedelta()


def _database(repository: SectionReader, home: Path) -> str:
    location = Path(repository.string("location") or home / "repository")
    return repository.string("database") or f"sqlite:///{location / _DATABASE_FILE}"


def _section_warnings(ini: IniFile) -> list[Problem]:
    unknown = [
        Problem(Place(ini.file, section.line, name), "unknown section, ignored")
        for name, section in ini.sections.items()
        if name not in _SECTIONS
    ]
    paps = ini.sections.get("paps")
    if paps is None or not paps.entries:
        return unknown
    reason = "paps are kept in the database: add them with pap-admin add-pap, they are not read from here"
    return [*unknown, Problem(Place(ini.file, paps.line, "paps"), reason)]
