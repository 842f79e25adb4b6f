"""Authentication profiles of the IGTF: which CAs have one, and which profiles a site accepts for the members of a VO.

A profile is a ``policy-igtf-*.info`` file of the trust directory. The site's choice is its vo-ca-ap file, which names
profiles by their files: for members of one VO, of any VO, and for users without a VO.

BETTER: profiles know their CAs by parsed names; Java compares texts that two programs wrote, and a CA with an e-mail
address in its name never has a profile.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/authnprofilespip/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from argus_py.credentials.properties import PropertiesSyntaxError, Property, parse_properties
from argus_py.credentials.trust import Problem
from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName, DnSyntaxError

MAX_FILE_LENGTH = 256 * 1024  # the profile "classic" has some 100 CAs in 10 KiB

_WITHOUT_VO = '"-"'
_ANY_VO = "/*"
_VO = re.compile(r"/\w[\w.-]+", re.ASCII)
_PROFILE_FILE = re.compile(r"file:([\w-]+)\.info", re.ASCII)
_ELEMENT = re.compile(r'(?:[^",]|"[^"]*+")*+')


class IgtfSyntaxError(MalformedInput):
    """A profile or vo-ca-ap file that cannot be used; carries ``line`` (0: the whole file) and ``reason``."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AuthenticationProfile:
    """One profile and the CAs that are accredited under it; there may be none."""

    alias: str
    cas: frozenset[DistinguishedName]


@dataclass(frozen=True, slots=True)
class AcceptedProfiles:
    """The choice of a site: names of profiles, the preferred one first; empty where nothing is accepted."""

    by_vo: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))  # VO without its "/"
    any_vo: tuple[str, ...] = ()
    without_vo: tuple[str, ...] = ()

    def for_vo(self, vo: str, own_entry_alone: bool = False) -> tuple[str, ...]:
        """What a member of the VO may have, its own profiles before those of any VO.

        COMPAT: an entry for a VO can only add to what is accepted for all of them, unless ``own_entry_alone``.
        """
        if own_entry_alone and vo in self.by_vo:
            return self.by_vo[vo]
        return tuple(dict.fromkeys(self.by_vo.get(vo, ()) + self.any_vo))

    def names(self) -> tuple[str, ...]:
        """Of every profile that is named."""
        named = [alias for aliases in self.by_vo.values() for alias in aliases]
        return tuple(dict.fromkeys((*named, *self.any_vo, *self.without_vo)))

    def renamed(self, aliases: Mapping[str, str]) -> "AcceptedProfiles":
        """The same choice with another name for each profile; ``aliases`` has all of ``names``."""

        def renamed(named: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(aliases[name] for name in named))

        by_vo = {vo: renamed(named) for vo, named in self.by_vo.items()}
        return AcceptedProfiles(MappingProxyType(by_vo), renamed(self.any_vo), renamed(self.without_vo))


@dataclass(frozen=True, slots=True)
class AuthenticationProfiles:
    """Profiles and the site's choice among them, as one value."""

    profiles: tuple[AuthenticationProfile, ...]
    accepted: AcceptedProfiles
    problems: tuple[Problem, ...] = ()

    def of_ca(self, ca: DistinguishedName) -> tuple[str, ...]:
        """The aliases of the profiles a CA has."""
        return tuple(dict.fromkeys(profile.alias for profile in self.profiles if ca in profile.cas))

    def contents(self) -> str:
        """For the log and the status page."""
        cas = len(frozenset[DistinguishedName]().union(*(profile.cas for profile in self.profiles)))
        return f"{len(self.profiles)} authentication profiles with {cas} CAs, {len(self.accepted.by_vo)} VOs"


def parse_profile(text: str) -> AuthenticationProfile:
    """A ``policy-igtf-*.info`` file.

    Raises IgtfSyntaxError: no alias, an element of ``subjectdn`` that is no DN in slash form, an open quote.
    """
    properties = _properties(text)
    alias = properties.get("alias")
    if alias is None or not alias.value.strip():
        raise IgtfSyntaxError(alias.line if alias else 0, "Missing value for 'alias' property")
    names = properties.get("subjectdn", Property("", 0))
    return AuthenticationProfile(alias.value.strip(), frozenset(_names(names)))


def parse_accepted_profiles(text: str) -> AcceptedProfiles:
    """A vo-ca-ap file.

    Raises IgtfSyntaxError: a key that is neither a VO nor ``/*`` nor ``"-"``, a value that is no list of profile files.
    """
    found = {key: _profile_files(policy) for key, policy in _properties(text).items() if _is_supported(key, policy)}
    any_vo, without_vo = found.pop(_ANY_VO, ()), found.pop(_WITHOUT_VO, ())
    by_vo = {key.removeprefix("/"): aliases for key, aliases in found.items()}
    return AcceptedProfiles(MappingProxyType(by_vo), any_vo, without_vo)


def _properties(text: str) -> dict[str, Property]:
    if len(text) > MAX_FILE_LENGTH:
        raise IgtfSyntaxError(0, f"{len(text)} characters; {MAX_FILE_LENGTH} are allowed")
    try:
        return parse_properties(text)
    except PropertiesSyntaxError as error:
        raise IgtfSyntaxError(error.line, error.reason) from error


def _names(names: Property) -> Iterator[DistinguishedName]:
    elements = _elements(names)
    if not elements[-1]:
        elements.pop()  # nothing at all, or a comma at the end
    for element in elements:
        try:
            yield DistinguishedName.parse_slash(element)
        except DnSyntaxError as error:
            raise IgtfSyntaxError(names.line, str(error)) from error


def _elements(names: Property) -> list[str]:
    """What stands between commas, which belong to the name inside quotes; quotes and backslashes are dropped."""
    elements: list[str] = []
    position = 0
    while position <= len(names.value):
        element = _ELEMENT.match(names.value, position)
        assert element is not None  # it may be empty
        if names.value[element.end() : element.end() + 1] == '"':
            raise IgtfSyntaxError(names.line, "a quote is not closed")
        elements.append(element[0].replace("\\", "").replace('"', "").strip())
        position = element.end() + 1
    return elements


def _is_supported(key: str, policy: Property) -> bool:
    if key in (_WITHOUT_VO, _ANY_VO) or _VO.fullmatch(key):
        return True
    raise IgtfSyntaxError(policy.line, f"Unsupported key in VO-CA-AP file: {key!r}")


def _profile_files(policy: Property) -> tuple[str, ...]:
    """The aliases that the file names stand for. BETTER: blanks at the end do no harm."""
    files = [_PROFILE_FILE.fullmatch(element.strip()) for element in policy.value.split(",")]
    aliases = [file[1] for file in files if file is not None]
    if len(aliases) != len(files):
        raise IgtfSyntaxError(policy.line, f"Unrecognized VO-CA-AP policy: {policy.value!r}")
    return tuple(dict.fromkeys(aliases))
