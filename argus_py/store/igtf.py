"""Authentication profiles on disk: ``policy-*.info`` files of a trust directory, and the vo-ca-ap file of the site.

A file that turns bad keeps its last good content and is told; one that has never been good refuses the whole, as does a
vo-ca-ap file that names a profile which is not there: whom that would lock out cannot be known.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/authnprofilespip/
"""

import re
from pathlib import Path
from typing import TypeVar

from argus_py.credentials import igtf
from argus_py.credentials.igtf import AcceptedProfiles, AuthenticationProfile, AuthenticationProfiles
from argus_py.credentials.trust import Problem
from argus_py.errors import ConfigurationError
from argus_py.store.last_good import LastGood

PROFILE_FILES = "policy-*.info"

T = TypeVar("T")


class IgtfFiles:
    """Looked at again and again: unchanged files are not read. Not for several threads at a time."""

    def __init__(self, directory: Path, accepted: Path, pattern: str = PROFILE_FILES) -> None:
        """``accepted`` is the vo-ca-ap file. COMPAT: in ``pattern`` a star is any text and a dot is a dot, the rest is
        a regular expression.

        Raises ConfigurationError: the pattern is none.
        """
        self._directory = directory
        self._accepted_file = accepted
        self._pattern = pattern
        try:
            self._is_profile = re.compile(pattern.replace(".", r"\.").replace("*", ".*"))
        except re.error as error:
            raise ConfigurationError(f"the pattern {pattern} for files of profiles cannot be used: {error}") from error
        self._profiles = LastGood(_read_profile, igtf.MAX_FILE_LENGTH)
        self._accepted = LastGood(_read_accepted, igtf.MAX_FILE_LENGTH)

    def load(self) -> AuthenticationProfiles:
        """Raises ConfigurationError: no profile, one that was never good, or a vo-ca-ap file that does not fit."""
        problems: list[Problem] = []
        profiles = {path: _usable(self._profiles, path, problems) for path in self._paths()}
        accepted = _usable(self._accepted, self._accepted_file, problems)
        # COMPAT: "file:x.info" is the profile with the alias x. BETTER: if there is none, the one in the file x.info.
        aliases = {path.stem: profile.alias for path, profile in profiles.items() if path.suffix == ".info"}
        aliases |= {profile.alias: profile.alias for profile in profiles.values()}
        for name in accepted.names():
            if name not in aliases:
                raise ConfigurationError(
                    f"{self._accepted_file}: Authentication profile file not found: {name}.info"
                    f" (none of the files {self._pattern} in {self._directory} has this name or this alias)"
                )
        return AuthenticationProfiles(tuple(profiles.values()), accepted.renamed(aliases), tuple(problems))

    def distrust_versions(self) -> None:
        """Read every file at the next look."""
        self._profiles.distrust_versions()
        self._accepted.distrust_versions()

    def _paths(self) -> list[Path]:
        try:
            paths = sorted(path for path in self._directory.iterdir() if self._is_profile.fullmatch(path.name))
        except OSError as error:
            raise ConfigurationError(
                f"the trust directory {self._directory} cannot be read: {error.strerror}"
            ) from error
        if not paths:
            raise ConfigurationError(f"no file {self._pattern} in {self._directory}")
        self._profiles.forget_all_but(frozenset(paths))
        return paths


def _usable(files: LastGood[T], path: Path, problems: list[Problem]) -> T:
    reading = files.read(path)
    if reading.value is None:
        raise ConfigurationError(f"{path}: {reading.problem}")
    if reading.problem is not None:
        problems.append(Problem(path.name, reading.problem))
    return reading.value


def _read_profile(octets: bytes) -> AuthenticationProfile:
    return igtf.parse_profile(_text(octets))


def _read_accepted(octets: bytes) -> AcceptedProfiles:
    return igtf.parse_accepted_profiles(_text(octets))


def _text(octets: bytes) -> str:
    """What Java reads properties as."""
    return octets.decode("latin-1")
