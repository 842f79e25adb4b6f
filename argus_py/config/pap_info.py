"""``pap_info.ini`` of a Java PAP's repository: its paps, with the ids that name their folders.

Source: argus-pap:src/main/java/org/glite/authz/pap/repository/dao/filesystem/FileSystemPapDAO.java
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from argus_py.config.commons_ini import parse_commons_ini, quoted
from argus_py.config.files import read_text
from argus_py.config.ini import Findings, Section, SectionReader
from argus_py.pap.paps import Pap, Remote

VERSION: Final = "1"
FILE_NAME: Final = "pap_info.ini"


@dataclass(frozen=True, slots=True)
class StoredPap:
    """``modified_at`` None: its policies were never changed."""

    pap: Pap
    modified_at: datetime | None


def load_pap_info(repository: Path) -> tuple[StoredPap, ...]:
    """Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it."""
    path = repository / FILE_NAME
    return parse_pap_info(read_text(path), str(path))


def parse_pap_info(text: str, file: str) -> tuple[StoredPap, ...]:
    """Raises BadConfiguration."""
    ini = parse_commons_ini(text, file)
    findings = Findings()
    general = SectionReader(file, ini.sections.get("general-info") or Section("general-info", 1), findings)
    version = general.required("version")
    if version and version != VERSION:
        general.error("version", f"Invalid repository version (v{version}). Requested version is v{VERSION}")
    section = ini.sections.get("paps") or Section("paps", 1)
    reader = SectionReader(file, section, findings)
    aliases = dict.fromkeys(key.partition(".")[0] for key in section.entries)
    stored = tuple(_stored(reader, section, alias) for alias in aliases)
    ids = [each.pap.id for each in stored]
    for index, pap in enumerate(each.pap for each in stored):
        if pap.id and pap.id in ids[:index]:
            reader.error(f"{pap.alias}.id", f"{pap.id!r} is the id of another pap")
    findings.raise_errors()
    return stored


def format_pap_info(stored: tuple[StoredPap, ...]) -> str:
    """The text of the file, as the Java daemon reads it."""
    lines = ["[general-info]", f"version = {VERSION}", "", "[paps]"]
    for pap in stored:
        lines += (f"{pap.pap.alias}.{key} = {quoted(value)}" for key, value in _keys(pap))
    return "\n".join([*lines, ""])


def _stored(reader: SectionReader, section: Section, alias: str) -> StoredPap:
    kind = reader.required(f"{alias}.type").lower()
    entry = section.entries.get(f"{alias}.dn")
    dn = reader.string(f"{alias}.dn")
    hostname = reader.string(f"{alias}.hostname")
    port = reader.strict_integer(f"{alias}.port", 8150, 1, 65535)
    path = reader.string(f"{alias}.path") or "/pap/services/"
    protocol = reader.string(f"{alias}.protocol") or "https"
    remote = None
    if kind != "local":
        remote = Remote(hostname or "", port, path, protocol, ",".join((dn, *entry.more)) if dn and entry else None)
        if hostname is None:
            reader.error(None, f'"hostname" is not set for remote pap "{alias}"')
    pap = Pap(
        reader.required(f"{alias}.id"),
        alias,
        reader.guard(f"{alias}.enabled"),
        reader.guard(f"{alias}.public"),
        remote,
    )
    text = reader.string(f"{alias}.policyLastModificationTime") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 15):
        reader.error(f"{alias}.policyLastModificationTime", f"{text!r} is no time in milliseconds")
        text = "0"
    milliseconds = int(text)
    modified_at = datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
    return StoredPap(pap, modified_at)


def _keys(stored: StoredPap) -> list[tuple[str, str]]:
    pap = stored.pap
    at = pap.remote or Remote("localhost")
    since = timedelta() if stored.modified_at is None else stored.modified_at - datetime.fromtimestamp(0, UTC)
    keys = [
        ("type", "local" if pap.is_local else "remote"),
        ("hostname", at.hostname),
        ("port", str(at.port)),
        ("path", at.path),
        ("protocol", at.protocol),
        ("id", pap.id),
        ("public", str(pap.public).lower()),
        ("enabled", str(pap.enabled).lower()),
        ("policyLastModificationTime", str(since // timedelta(milliseconds=1))),
    ]
    return keys if at.dn is None else [*keys, ("dn", at.dn)]
