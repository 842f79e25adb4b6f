"""Files of a trust directory that name CAs, each by the name of the file: ``.info`` of CAs and of distributions.

A file names CAs by their DNs, in quotes and with ``%2F`` for odd characters, and other files whose CAs are its own too.

Source: argus-pep-server (pull request 18):src/main/java/org/glite/authz/pep/pip/provider/policynamespip/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from argus_py.credentials.igtf import MAX_FILE_LENGTH, IgtfSyntaxError
from argus_py.credentials.properties import PropertiesSyntaxError, parse_properties
from argus_py.credentials.trust import Problem
from argus_py.model.dn import DistinguishedName, DnSyntaxError

_ELEMENT = re.compile(
    r'(?:"(?P<name>[^"]*+)"|file:(?P<file>[!-+\--~]++))[ \t]*+(?:(?P<more>,)[, \t]*+)?+(?P<end>\Z|#)?+'
)
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})++")


@dataclass(frozen=True, slots=True)
class InfoFile:
    """The CAs one file names, and the files it refers to: paths, relative to its directory."""

    cas: frozenset[DistinguishedName]
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaPolicies:
    """The CAs by the names of the files that name them, themselves or through others."""

    by_name: Mapping[str, frozenset[DistinguishedName]]
    problems: tuple[Problem, ...] = ()

    def naming(self, ca: DistinguishedName) -> tuple[str, ...]:
        return tuple(name for name, cas in self.by_name.items() if ca in cas)

    def contents(self) -> str:
        """For the log and the status page."""
        return f"{len(self.by_name)} files that name CAs"


def parse_info_file(text: str) -> InfoFile:
    """An element in quotes that is no DN names nobody.

    Raises IgtfSyntaxError: no ``subjectdn``, or not a list of names in quotes and references to files.
    """
    if len(text) > MAX_FILE_LENGTH:
        raise IgtfSyntaxError(0, f"{len(text)} characters; {MAX_FILE_LENGTH} are allowed")
    try:
        found = parse_properties(text).get("subjectdn")
    except PropertiesSyntaxError as error:
        raise IgtfSyntaxError(error.line, error.reason) from error
    if found is None or not found.value.strip():
        raise IgtfSyntaxError(found.line if found else 0, "No or empty subjectdn key found")
    elements = list(_elements(found.value.strip(), found.line))
    names = (_name(element["name"]) for element in elements if element["name"] is not None)
    return InfoFile(
        frozenset(name for name in names if name is not None),
        tuple(element["file"] for element in elements if element["file"] is not None),
    )


def _elements(value: str, line: int) -> Iterator[re.Match[str]]:
    position = 0
    while True:
        element = _ELEMENT.match(value, position)
        if element is None:
            raise IgtfSyntaxError(
                line, f"neither a name in quotes nor a reference to a file: {value[position:][:50]!r}"
            )
        yield element
        if element["end"] is not None:
            return
        if element["more"] is None:
            raise IgtfSyntaxError(line, f"a comma is missing before {value[element.end() :][:50]!r}")
        position = element.end()


def _name(text: str) -> DistinguishedName | None:
    try:
        return DistinguishedName.parse_slash(_ENCODED.sub(_decoded, text))
    except DnSyntaxError:
        return None


def _decoded(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode(errors="replace")
