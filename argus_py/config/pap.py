"""``pap_configuration.ini``: the settings of the PAP daemon.

The Java daemon keeps its paps in this file and rewrites it at every change; here they are in the database with the
policies, and the file is only read: what it says of paps is taken up there when it has changed.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/PAPConfiguration.java
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from argus_py.config.commons_ini import parse_commons_ini
from argus_py.config.files import read_text
from argus_py.config.ini import BadConfiguration, Findings, IniFile, Place, Problem, Section, SectionReader
from argus_py.pap.paps import ALIAS, DEFAULT_ALIAS, Remote
from argus_py.pap.take_up import ConfiguredPap, ConfiguredPaps

SHUTDOWN_PORT = 8151
_NO_PORT = -1
_DATABASE_FILE = "policies.db"
_SECTIONS = ("paps", "paps:properties", "repository", "standalone-service", "security")


@dataclass(frozen=True, slots=True)
class PapSettings:
    """``hostname`` stands in URLs only, the port is bound on all addresses; ``database`` is an SQLAlchemy URL.

    ``shutdown_port`` None: the daemon has no port for its own host.
    ``maximum_copy_age``: copies of remote paps that were not confirmed for longer are warned of; None: none is.
    """

    hostname: str
    port: int
    entity_id: str
    shutdown_port: int | None
    shutdown_command: str | None
    maximum_connections: int
    trust_refresh: timedelta
    certificate: Path
    private_key: Path
    trust_dir: Path
    voms_dir: Path
    paps: ConfiguredPaps
    maximum_copy_age: timedelta | None
    database: str
    warnings: tuple[Problem, ...]


def load_pap(path: Path, home: Path) -> PapSettings:
    """``home`` is the folder a missing repository location is relative to.

    Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it.
    """
    return parse_pap(read_text(path), str(path), home)


def parse_pap(text: str, file: str, home: Path) -> PapSettings:
    """Raises BadConfiguration: with every problem of the file."""
    settings, errors = examine_pap(text, file, home)
    if errors:
        raise BadConfiguration(errors)
    return settings


def examine_pap(text: str, file: str, home: Path) -> tuple[PapSettings, tuple[Problem, ...]]:
    """All that can be said of a file: settings as far as they go, and what is wrong.

    Raises BadConfiguration: it cannot be read as an ini file.
    """
    ini = parse_commons_ini(text, file)
    findings = Findings()
    service, security, repository, properties = (
        SectionReader(file, ini.sections.get(name) or Section(name, 1), findings)
        for name in ("standalone-service", "security", "repository", "paps:properties")
    )
    hostname = service.string("hostname") or "localhost"
    port = service.strict_integer("port", 8150, 0, 65535)
    shutdown_port = service.strict_integer("shutdown_port", SHUTDOWN_PORT, _NO_PORT, 65535)
    location = Path(repository.string("location") or home / "repository")
    settings = PapSettings(
        hostname=hostname,
        port=port,
        entity_id=service.string("entity_id") or f"https://{hostname}:{port}/pap/services/ProvisioningService",
        # BETTER: 8151 is fixed in the Java daemon, and only its client reads the key.
        shutdown_port=None if shutdown_port == _NO_PORT else shutdown_port,
        shutdown_command=service.secret("shutdown_command"),
        maximum_connections=_maximum_connections(service),
        trust_refresh=timedelta(minutes=service.strict_integer("crl_update_interval", 10)),
        certificate=Path(security.string("certificate") or "/etc/grid-security/hostcert.pem"),
        private_key=Path(security.string("private_key") or "/etc/grid-security/hostkey.pem"),
        trust_dir=Path(security.string("trust_store_dir") or "/etc/grid-security/certificates"),
        # BETTER: Java knows one folder only, and never looks at the attribute certificates of its callers.
        voms_dir=Path(security.string("voms_dir") or "/etc/grid-security/vomsdir"),
        paps=_paps(ini, file, properties, findings),
        maximum_copy_age=timedelta(seconds=properties.strict_integer("maximum_copy_age", 0, 0)) or None,
        database=repository.string("database") or f"sqlite:///{location / _DATABASE_FILE}",
        warnings=(),
    )
    service.string("max_request_queue_size")  # COMPAT: requests wait in no queue here
    for key in ("consistency_check", "consistency_check.repair"):
        repository.string(key)  # COMPAT: about policy files on disk; the database keeps its own consistency
    for reader in (service, security, repository, properties):
        reader.warn_unknown()
    findings.warnings += _section_warnings(ini)
    return replace(settings, warnings=tuple(findings.warnings)), tuple(findings.errors)


def _maximum_connections(service: SectionReader) -> int:
    connections = service.strict_integer("max_connections", 64, least=-(2**31))
    if connections > 0:
        return connections
    service.warn("max_connections", "must be positive; 64 is used")
    return 64


def _paps(ini: IniFile, file: str, properties: SectionReader, findings: Findings) -> ConfiguredPaps:
    section = ini.sections.get("paps") or Section("paps", 1)
    reader = SectionReader(file, section, findings)
    # COMPAT: keys about ``default`` are ignored.
    aliases = dict.fromkeys(key.partition(".")[0] for key in section.entries)
    paps = tuple(_pap(reader, section, alias) for alias in aliases if alias != DEFAULT_ALIAS)
    known = {DEFAULT_ALIAS, *aliases}
    entry = (ini.sections.get(properties.name) or Section(properties.name, 1)).entries.get("ordering")
    properties.string("ordering")
    ordering = tuple(alias for alias in (entry.value, *entry.more) if alias) if entry else ()
    for alias in dict.fromkeys(ordering):
        if alias not in known:
            properties.error("ordering", f'Error in remote paps order: unknown alias "{alias}"')
        if ordering.count(alias) > 1:
            properties.error("ordering", f'Error in remote paps order: alias "{alias}" appears more than one time')
    interval = properties.strict_integer("poll_interval", 1) if properties.required("poll_interval") else 1
    for key in section.entries:
        if key.partition(".")[0] == DEFAULT_ALIAS:
            reader.string(key)
    reader.warn_unknown()
    return ConfiguredPaps(paps, ordering, timedelta(seconds=interval))


def _pap(reader: SectionReader, section: Section, alias: str) -> ConfiguredPap:
    if not re.fullmatch(ALIAS, alias):
        reader.error(next(key for key in section.entries if key.partition(".")[0] == alias), "is no alias of a pap")
    kind = reader.string(f"{alias}.type")
    if kind is None:
        reader.error(None, f'"type" is not set for remote pap "{alias}"')
    if reader.string(f"{alias}.public") is None:
        reader.error(None, f'"public" is not set for pap "{alias}"')
    public, enabled = reader.guard(f"{alias}.public"), reader.guard(f"{alias}.enabled")  # COMPAT: Java does not start
    hostname = reader.string(f"{alias}.hostname")
    remote = Remote(
        hostname or "",
        reader.strict_integer(f"{alias}.port", 8150, 1, 65535),
        reader.string(f"{alias}.path") or "/pap/services/",
        reader.string(f"{alias}.protocol") or "https",
        _dn(reader, section, alias),
    )
    if (kind or "").lower() == "local":
        return ConfiguredPap(alias, enabled, public)
    if hostname is None:
        reader.error(None, f'"hostname" is not set for remote pap "{alias}"')
    if remote.protocol not in ("http", "https"):
        reader.error(f"{alias}.protocol", "is neither http nor https")
    return ConfiguredPap(alias, enabled, public, remote)


def _dn(reader: SectionReader, section: Section, alias: str) -> str | None:
    """BETTER: of a DN with commas Java keeps what stands before the first one."""
    first, entry = reader.string(f"{alias}.dn"), section.entries.get(f"{alias}.dn")
    return ",".join((first, *entry.more)) if first and entry else None


def _section_warnings(ini: IniFile) -> list[Problem]:
    return [
        Problem(Place(ini.file, section.line, name), "unknown section, ignored")
        for name, section in ini.sections.items()
        if name not in _SECTIONS
    ]
