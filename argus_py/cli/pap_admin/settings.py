"""What a site has set for pap-admin: the folder of the PAP, and the properties file in it.

Source: argus-pap:src/main/bash/pap-admin.sh, src/main/java/org/glite/authz/pap/ui/cli/PAPCLI.java
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from argus_py.cli.pap_admin.credentials import User

SYSCONFIG: Final = Path("/etc/sysconfig/argus-pap")
_PROPERTIES: Final = "pap-admin.properties"
_CONFIGURATION: Final = Path("/etc/argus/pap")
_MAX_SIZE: Final = 1 << 20  # octets; both files have a few lines
_ASSIGNMENT: Final = re.compile(r"\s*(?:export\s+)?PAP_HOME=(.*)")
_KEY_END: Final = re.compile(r"(?<!\\)(?:\\\\)*(?:\s*[=:]\s*|\s+)")
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LETTERS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def read_properties(user: User, sysconfig: Path = SYSCONFIG) -> dict[str, str]:
    """Of pap-admin.properties in the folder ``conf`` of the PAP; without a folder, in that of its configuration."""
    home = user.environment.get("PAP_HOME") or _pap_home(sysconfig)
    folder = Path(home) / "conf" if home else _CONFIGURATION
    return parse_properties(_text_of(folder / _PROPERTIES))  # COMPAT: both files are optional


def _pap_home(sysconfig: Path) -> str | None:
    """As the wrapper script of the Java client has it from there, of a plain assignment."""
    for line in reversed(_text_of(sysconfig).splitlines()):
        found = _ASSIGNMENT.match(line)
        if found:
            try:
                words = shlex.split(found[1], comments=True)
            except ValueError:  # a quote that is not closed: the shell would complain, too
                return None
            return words[0] if words else None
    return None


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_SIZE).decode("latin-1")  # the encoding of Java properties
    except OSError:
        return ""


def parse_properties(text: str) -> dict[str, str]:
    r"""A properties file of Java.

    >>> parse_properties("# the PAP\nhost = pap.example.org\nport:8151\n")
    {'host': 'pap.example.org', 'port': '8151'}
    """
    found = {}
    for line in _logical_lines(text):
        end = _KEY_END.search(line)
        key, value = (line, "") if end is None else (line[: end.start()] + _backslashes(end[0]), line[end.end() :])
        found[_unescaped(key)] = _unescaped(value)
    return found


def _backslashes(separator: str) -> str:
    """Those that the separator was found behind, which belong to the key."""
    return separator[: len(separator) - len(separator.lstrip("\\"))]


def _logical_lines(text: str) -> Iterator[str]:
    """Without comments; a line that ends in an odd number of backslashes goes on in the next one."""
    begun = ""
    for raw in text.splitlines():
        line = raw.lstrip()
        if not begun and (not line or line[0] in "#!"):
            continue
        begun += line
        if (len(begun) - len(begun.rstrip("\\"))) % 2:
            begun = begun[:-1]
            continue
        yield begun
        begun = ""
    if begun:
        yield begun


def _unescaped(text: str) -> str:
    def meant(found: re.Match[str]) -> str:
        letter = found[1]
        return chr(int(letter[1:], 16)) if len(letter) > 1 else _LETTERS.get(letter, letter)

    return _ESCAPE.sub(meant, text)


def with_effective_id(user: User, properties: Mapping[str, str]) -> User:
    """COMPAT: a wrapper may say who is meant, by the variable EUID or the property effectiveUserId."""
    for told in (user.environment.get("EUID"), properties.get("effectiveUserId")):
        if told and told.isascii() and told.isdigit() and len(told) < 11:
            return replace(user, euid=int(told))
    return user
