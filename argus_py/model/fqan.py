"""VOMS fully qualified attribute names: /vo/group[/Role=r][/Capability=c], and the patterns of map files.

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/fqan/FQAN.java
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from argus_py.errors import MalformedInput

NULL: Final = "NULL"  # the canonical spelling of "no role" and "no capability"
MAX_LENGTH: Final = 4096  # VOMS databases hold 255 characters per group; bounds what one attribute value can cost
_CACHED_NAMES: Final = 4096  # FQANs and map keys of a busy site; bounds the memory together with MAX_LENGTH
_BLANK = "".join(map(chr, range(0x21)))  # what String.trim() strips; str.strip() strips more


class FqanSyntaxError(MalformedInput):
    """The text is not an FQAN, or not a pattern; carries ``text`` (all of it) and ``reason``."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"not an FQAN: {text[:200]!r}: {reason}")
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fqan:
    group: str  # "/"-led, no trailing "/"
    role: str = NULL  # never empty, never "null" in another letter case
    capability: str = NULL

    @classmethod
    def parse(cls, text: str) -> "Fqan":
        """Read one FQAN; blank path elements are dropped, elements may come in any order.

        >>> Fqan.parse("/dteam/cern/Role=pilot/Capability=NULL")
        Fqan(group='/dteam/cern', role='pilot', capability='NULL')

        Raises FqanSyntaxError: no leading "/", no group, a bad or repeated qualifier, too long.
        """
        return _parse(text)

    def __str__(self) -> str:
        role = "" if self.role == NULL else f"/Role={self.role}"
        capability = "" if self.capability == NULL else f"/Capability={self.capability}"
        return f"{self.group}{role}{capability}"


@dataclass(frozen=True, slots=True)
class FqanPattern:
    """An FQAN whose group may end in ``/*`` and whose role may be ``*``; the capability never counts.

    >>> FqanPattern.parse("/dteam/*/Role=*").matches(Fqan.parse("/dteam/cern"))
    True
    """

    group: str
    role: str = NULL
    subgroups: bool = False  # the pattern said "/*": the group itself and everything below

    @classmethod
    def parse(cls, text: str) -> "FqanPattern":
        """Raises FqanSyntaxError: not an FQAN, or a star elsewhere than as the last group or the whole role."""
        fqan = _parse(text)
        group = fqan.group.removesuffix("/*")
        if not group or "*" in group:
            raise FqanSyntaxError(text, "'*' may only stand for everything below a group, as in /vo/*")
        if "*" in fqan.role and fqan.role != "*":
            raise FqanSyntaxError(text, "'*' may only stand for the whole role, as in /vo/Role=*")
        return cls(group, fqan.role, subgroups=group != fqan.group)

    def matches(self, fqan: Fqan) -> bool:
        """Case sensitive; a pattern without a role matches no role only, the role ``*`` any and none."""
        if self.role not in ("*", fqan.role):
            return False
        return fqan.group == self.group or (self.subgroups and fqan.group.startswith(self.group + "/"))


@lru_cache(_CACHED_NAMES)
def _parse(text: str) -> Fqan:
    if len(text) > MAX_LENGTH:
        raise FqanSyntaxError(text, f"longer than {MAX_LENGTH} characters")
    stripped = text.strip(_BLANK)
    if not stripped.startswith("/"):
        raise FqanSyntaxError(text, "an FQAN starts with '/'")  # BETTER: Java gives null for blank
    groups: list[str] = []
    found: dict[str, str] = {}
    for element in stripped.split("/"):
        if "=" not in element:
            groups += [element] if element.strip(_BLANK) else []
            continue
        key, *values = element.rstrip("=").split("=")
        if key and not values:
            continue  # COMPAT: "Role=", and even "Foo=", is read as absent
        name = key.lower()
        if name not in ("role", "capability") or name in found or len(values) != 1:
            raise FqanSyntaxError(text, f"bad or repeated qualifier {element!r}")
        value = values[0].strip(_BLANK)
        found[name] = NULL if value.upper() in ("", NULL) else value
    if not groups:
        raise FqanSyntaxError(text, "no group")
    return Fqan("/" + "/".join(groups).rstrip(_BLANK), found.get("role", NULL), found.get("capability", NULL))
