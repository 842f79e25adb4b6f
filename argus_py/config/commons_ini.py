"""The ini dialect of the PAP, commons-configuration 1.5, which differs from that of the other daemons.

An unquoted value ends at the first ``#`` or ``;``; quotes are taken off; commas split a value, a key given again adds
to it, and a scalar is the first piece; ``${section.key}`` is replaced. A line without a separator is a key without a
value, never an error.

Source: commons-configuration:1.5 org.apache.commons.configuration.INIConfiguration
"""

import re
from dataclasses import replace

from argus_py.config.ini import (
    SIZE_LIMIT,
    BadConfiguration,
    Entry,
    Findings,
    IniFile,
    Place,
    Problem,
    Section,
    trimmed_lines,
)

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_SUBSTITUTION_LIMIT = 16  # references behind references; a loop is the only way to get there
_LENGTH_LIMIT = 4096  # of a line and of a value, which could multiply at every substitution
_COMMA = re.compile(r"((?:\\.|[^,\\]|\\$)*)(?:,|$)")
_ESCAPED = re.compile(r"\\([,\\])")


def parse_commons_ini(text: str, file: str) -> IniFile:
    """Read all of a file.

    Raises BadConfiguration: too large, not UTF-8, keys before any header, references in a circle.
    """
    if len(text) > SIZE_LIMIT:
        raise BadConfiguration((Problem(Place(file), f"larger than {SIZE_LIMIT} characters"),))
    findings = Findings()
    sections: dict[str, Section] = {}
    current: Section | None = None
    for number, line in trimmed_lines(text):
        if not line or line[0] in "#;":
            continue
        if "\ufffd" in line:
            findings.errors.append(Problem(Place(file, number), "is not UTF-8 text"))
        elif len(line) > _LENGTH_LIMIT:
            findings.errors.append(Problem(Place(file, number), f"longer than {_LENGTH_LIMIT} characters"))
        elif line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], Section(line[1:-1], number))
        elif current is None:
            findings.errors.append(Problem(Place(file, number), "stands before any section header"))
        else:
            key, values = _option(line)
            there = current.entries.get(key)
            first, *more = values if there is None else (there.value, *there.more, *values)
            current.entries[key] = Entry(first, there.line if there else number, tuple(more))
    resolved = {name: _resolved(file, section, sections, findings) for name, section in sections.items()}
    findings.raise_errors()
    return IniFile(file, resolved)


def quoted(value: str) -> str:
    """A value as it must be written so that all of it is read: one with a comma, or with the start of a comment."""
    escaped = value.replace(",", "\\,")  # also in quotes
    return '"' + escaped.replace('"', '\\"') + '"' if "#" in value or ";" in value else escaped


def _option(line: str) -> tuple[str, tuple[str, ...]]:
    key, separator, value = line.partition("=")
    if not separator:
        key, _, value = line.partition(":")
    return key.strip(), _pieces(_unquoted(value.strip()).strip())


def _pieces(value: str) -> tuple[str, ...]:
    if value.find(",") <= 0:
        return (value,)  # COMPAT: with a comma in front nothing is split, and without one a backslash is itself
    return tuple(_ESCAPED.sub(r"\1", piece).strip() for piece in _COMMA.findall(value) if piece) or ("",)


def _unquoted(value: str) -> str:
    if value[:1] not in ('"', "'"):
        return re.split("[#;]", value, maxsplit=1)[0]
    quote = value[0]
    inside = re.match(rf"(?:\\.|[^\\{quote}])*", value[1:])
    return inside[0].replace("\\" + quote, quote) if inside else ""


def _resolved(file: str, section: Section, sections: dict[str, Section], findings: Findings) -> Section:
    entries = {}
    for key, entry in section.entries.items():
        values = tuple(_substituted(value, sections) for value in (entry.value, *entry.more))
        if any(_target(match, sections) for value in values for match in _REFERENCE.finditer(value)):
            findings.errors.append(Problem(Place(file, entry.line, section.name, key), "references in a circle"))
        entries[key] = Entry(values[0], entry.line, values[1:])
    return replace(section, entries=entries)


def _substituted(value: str, sections: dict[str, Section]) -> str:
    for _ in range(_SUBSTITUTION_LIMIT):
        substituted = _REFERENCE.sub(lambda match: _referenced(match, sections), value)
        if substituted == value or len(substituted) > _LENGTH_LIMIT:
            break
        value = substituted
    return value


def _referenced(match: re.Match[str], sections: dict[str, Section]) -> str:
    """The value of ``section.key``; the reference itself where there is none, as in Java."""
    target = _target(match, sections)
    return target.value if target else match[0]


def _target(match: re.Match[str], sections: dict[str, Section]) -> Entry | None:
    section, _, key = match[1].partition(".")
    return sections[section].entries.get(key) if section in sections else None
