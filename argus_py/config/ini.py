"""The ini dialect of the PEP and PDP daemons, ini4j 0.5.2, and typed access to its values.

It is not configparser's: keys keep their case, an indented line is a key of its own, ``#`` within a line belongs to the
value, a backslash escapes, a key given twice counts as last written, sections of one name are one section.

Problems are gathered, not thrown one by one: a start that fails names everything that is wrong. What Java passes over
in silence (unknown keys, bad numbers, tabs in lists, keys given twice, empty values) is a warning.

Source: org.ini4j:ini4j:0.5.2 IniParser, IniSource, EscapeTool; argus-pdp-pep-common:.../config/IniConfigUtil.java
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from argus_py.errors import ConfigurationError

SIZE_LIMIT = 1 << 20  # characters; real files have some hundred lines
_BLANK = "".join(map(chr, range(0x21)))  # what String.trim() strips
_OPERATOR = re.compile("[=:]")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.)|$)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "f": "\f", "b": "\b", "r": "\r"}  # any other character stands for itself
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NO_BOOLEAN = "is neither true, yes, 1 nor false, no, 0"
_INTEGER = re.compile("[+-]?[0-9]{1,10}")
_MOST = 2**31 - 1
_COMMENT = re.compile("[ \t][#;](?:[ \t]|$)")  # in a value: what most dialects would take for the start of a comment
_LONGEST_KEY = 64  # of those that a similar one is looked for, which takes time in the square of their length


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file; parts that do not apply are None."""

    file: str
    line: int | None = None
    section: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        position = self.file if self.line is None else f"{self.file}:{self.line}"
        section = "" if self.section is None else f" [{self.section}]"
        key = "" if self.key is None else f" {self.key}"
        return position + section + key


@dataclass(frozen=True, slots=True)
class Problem:
    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class BadConfiguration(ConfigurationError):
    """Everything that keeps one configuration file from being used, in the order found; there is at least one."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Findings:
    """What a pass over a file gathers: errors keep the daemon from starting, warnings go to its log."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def raise_errors(self) -> None:
        """Raises BadConfiguration: there are errors."""
        if self.errors:
            raise BadConfiguration(tuple(self.errors))


@dataclass(frozen=True, slots=True)
class Entry:
    """``more``: what follows the first value in a list, which only the dialect of the PAP knows."""

    value: str
    line: int
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """``line`` is that of the first header; ``entries`` by key."""

    name: str
    line: int
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IniFile:
    """``file`` names the source in messages; ``sections`` by name, in the order of their first headers.

    ``warnings``: about lines that were read and then overruled.
    """

    file: str
    sections: dict[str, Section]
    warnings: tuple[Problem, ...] = ()

    def place(self, section: str, key: str | None = None) -> Place:
        """Where that stands, as exactly as it can be said."""
        found = self.sections.get(section)
        if found is None:
            return Place(self.file, section=section, key=key)
        entry = found.entries.get(key) if key else None
        return Place(self.file, entry.line if entry else found.line, section, key)


def parse_ini(text: str, file: str) -> IniFile:
    """Read all of a file.

    Raises BadConfiguration: lines that are neither header, key, comment nor blank; bad escapes; keys before any header.
    """
    if len(text) > SIZE_LIMIT:
        raise BadConfiguration((Problem(Place(file), f"larger than {SIZE_LIMIT} characters"),))
    sections: dict[str, Section] = {}
    current: Section | None = None
    findings = Findings()
    for number, line, whole in _logical_lines(text):
        try:
            if not whole:
                raise _Refused("the last line ends in a backslash")  # BETTER: Java drops the line without a word
            if "\ufffd" in line:
                raise _Refused("is not UTF-8 text")
            if line.startswith("["):
                name = _header(line)
                current = sections.setdefault(name, Section(name, number))
            elif current is None:
                raise _Refused("stands before any section header")
            else:
                key, value = _option(line)
                overruled = current.entries.get(key)
                if overruled is not None:
                    place = Place(file, overruled.line, current.name, key)
                    findings.warnings.append(Problem(place, f"ignored, since line {number} gives the key again"))
                current.entries[key] = Entry(value, number)
        except _Refused as refused:
            findings.errors.append(Problem(Place(file, number, current.name if current else None), str(refused)))
    findings.raise_errors()
    return IniFile(file, sections, tuple(findings.warnings))


class _Refused(Exception):
    """One line that cannot be read; becomes a Problem with its place."""


def _logical_lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Trimmed lines without blanks and comments; one that ends in an odd number of backslashes takes the next with it.

    The number is that of the first physical line. Within a continuation blank lines are dropped and ``#`` is text. The
    third part is false for a last line that another should have followed.
    """
    first = 0
    parts: list[str] = []
    for number, line in trimmed_lines(text):
        if not line or (line[0] in "#;" and not any(parts)):
            continue
        first = first if parts else number
        if (len(line) - len(line.rstrip("\\"))) % 2:
            parts.append(line[:-1])
            continue
        yield first, "".join([*parts, line]), True
        parts = []
    if parts:
        yield first, "".join(parts), False


def trimmed_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as Java splits and trims them, with their numbers; a byte order mark is dropped."""
    for number, line in enumerate(re.split("\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        yield number, line.strip(_BLANK)


def _header(line: str) -> str:
    if not line.endswith("]"):
        raise _Refused("text after the closing bracket of a section header")
    name = _unescape(line[1:-1])
    if not name:
        raise _Refused("a section header without a name")
    return name


def _option(line: str) -> tuple[str, str]:
    operator = _OPERATOR.search(line)
    if operator is None:
        raise _Refused("neither a section header nor a key with a value")
    key = _unescape(line[: operator.start()])
    if not key:
        raise _Refused("a value without a key")
    return key, _unescape(line[operator.end() :])


def _unescape(text: str) -> str:
    """Trimmed, as blanks are that were written as escapes."""

    def replacement(match: re.Match[str]) -> str:
        digits, character = match.groups()
        if digits:
            return chr(int(digits, 16))
        if character in (None, "u"):
            raise _Refused("a backslash followed by nothing it could escape")
        return _ESCAPED.get(character, character)

    unescaped = _ESCAPE.sub(replacement, text).strip(_BLANK)
    if "\0" in unescaped:  # BETTER: Java hands it on
        raise _Refused("a null character, which no name of a file or host can have")
    try:  # two escapes may be the halves of one character
        return unescaped.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _Refused("a backslash-u escape that is half a character") from error


class SectionReader:
    """Typed access to one section by the rules of the Java daemons; remembers which keys were asked for."""

    def __init__(self, file: str, section: Section, findings: Findings) -> None:
        self.name = section.name
        self._file = file
        self._section = section
        self._findings = findings
        self._known: set[str] = set()

    def string(self, key: str) -> str | None:
        """Empty is missing, with a warning."""
        asked_first = key not in self._known
        entry = self._entry(key)
        if asked_first and entry is not None and not entry.value:
            self.warn(key, "is empty, which is the same as missing")
        return entry.value or None if entry else None

    def secret(self, key: str) -> str | None:
        """A string about which nothing is told."""
        self._known.add(key)
        return self.string(key)

    def required(self, key: str) -> str:
        """An error if missing; the empty text then stands in until the errors are raised."""
        entry = self._entry(key)
        if entry is None or not entry.value:
            reason = f"INI configuration section {self.name} does not contain the required property {key}"
            self._findings.errors.append(Problem(Place(self._file, self._section.line), reason))
            return ""
        return entry.value

    def boolean(self, key: str, default: bool) -> bool:
        """Anything but the six words is a warning and the default."""
        value = self.string(key)
        if value is None:
            return default
        if value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        self.warn(key, f"{value!r} {_NO_BOOLEAN}; {str(default).lower()} is used")
        return default

    def guard(self, key: str) -> bool:
        """A boolean that protects, false when missing.

        BETTER: anything but the six words is an error; Java then leaves the door open without a word.
        """
        value = self.string(key)
        if value is not None and value.lower() not in _BOOLEANS:
            self.error(key, f"{value!r} {_NO_BOOLEAN}")
        return value is not None and _BOOLEANS.get(value.lower(), False)

    def integer(self, key: str, default: int, least: int = 0, most: int = _MOST) -> int:
        """What is no integer of the range is a warning and the default."""
        value = self.string(key)
        if value is None or _is_integer(value, least, most):
            return default if value is None else int(value)
        self.warn(key, f"{value!r} is no integer from {least} to {most}; {default} is used")
        return default

    def strict_integer(self, key: str, default: int, least: int = 1, most: int = _MOST) -> int:
        """What is no integer of the range is an error: the rule of the PAP."""
        value = self.string(key)
        if value is None or _is_integer(value, least, most):
            return default if value is None else int(value)
        self.error(key, f"{value!r} is no integer from {least} to {most}")
        return default

    def seconds(self, key: str, default: int) -> timedelta:
        return timedelta(seconds=self.integer(key, default, least=1))

    def minutes(self, key: str, default: int) -> timedelta:
        return timedelta(minutes=self.integer(key, default, least=1))

    def words(self, key: str) -> tuple[str, ...] | None:
        """A list separated by blanks; None if the key is not there, () if it is empty.

        BETTER: a tab separates too, with a warning; in Java it stays inside a word that then names nothing.
        """
        entry = self._entry(key)
        if entry is None:
            return None
        if "\t" in entry.value:
            self.warn(key, "a tab separates words here, but not in the Java daemons")
        return tuple(re.findall("[^ \t]+", entry.value))

    def urls(self, key: str) -> tuple[str, ...]:
        """A list of http and https URLs."""
        listed = self.words(key) or ()
        for url in listed:
            if not _is_http_url(url):
                self.error(key, f"{url!r} is no http or https URL")
        return listed

    def error(self, key: str | None, reason: str) -> None:
        self._findings.errors.append(Problem(self._place(key), reason))

    def warn(self, key: str, reason: str) -> None:
        self._findings.warnings.append(Problem(self._place(key), reason))

    def warn_unknown(self) -> None:
        """To be called when everything known was asked for."""
        for key in self._section.entries:
            if key not in self._known:
                self.warn(key, f"unknown key, ignored{self._hint(key)}")

    def _entry(self, key: str) -> Entry | None:
        entry = self._section.entries.get(key)
        if entry is not None and key not in self._known and _COMMENT.search(entry.value):
            self.warn(key, "comments stand on lines of their own, here all of the line is the value")
        self._known.add(key)
        return entry

    def _hint(self, key: str) -> str:
        if len(key) > _LONGEST_KEY:
            return ""
        by_lower_case = {known.lower(): known for known in sorted(self._known)}
        similar = difflib.get_close_matches(key.lower(), by_lower_case, n=1, cutoff=0.7)
        return f"; is {by_lower_case[similar[0]]} meant?" if similar else ""

    def _place(self, key: str | None) -> Place:
        entry = self._section.entries.get(key) if key else None
        return Place(self._file, entry.line if entry else self._section.line, self.name, key)


def _is_http_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is none, brackets without an address
        return False


def _is_integer(text: str, least: int, most: int) -> bool:
    return _INTEGER.fullmatch(text) is not None and least <= int(text) <= most
