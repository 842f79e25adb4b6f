"""The ``.info`` files of a trust directory on disk, with the files they refer to.

A file that turns bad keeps its last good content; one that has never been good is left out. Both are told.

Source: argus-pep-server (pull request 18):src/main/java/org/glite/authz/pep/pip/provider/policynamespip/
"""

from pathlib import Path

from argus_py.credentials import igtf
from argus_py.credentials.ca_policies import CaPolicies, InfoFile, parse_info_file
from argus_py.credentials.trust import Problem
from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.store.last_good import LastGood


class InfoFiles:
    """Looked at again and again: unchanged files are not read. Not for several threads at a time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = LastGood(_read, igtf.MAX_FILE_LENGTH)

    def load(self) -> CaPolicies:
        """Raises ConfigurationError: the directory cannot be listed."""
        try:
            paths = sorted(path for path in self._directory.iterdir() if path.suffix == ".info")
        except OSError as error:
            raise ConfigurationError(
                f"the trust directory {self._directory} cannot be read: {error.strerror}"
            ) from error
        problems: list[Problem] = []
        read = self._read_all(paths, problems)
        self._files.forget_all_but(read)
        by_name = {path.stem: self._cas(path, read) for path in paths if path in read}
        return CaPolicies(by_name, tuple(problems))

    def distrust_versions(self) -> None:
        """Read every file at the next look."""
        self._files.distrust_versions()

    def _read_all(self, paths: list[Path], problems: list[Problem]) -> dict[Path, InfoFile]:
        """These files and those they refer to, each once."""
        read: dict[Path, InfoFile] = {}
        seen: set[Path] = set()
        waiting = list(reversed(paths))
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            reading = self._files.read(path)
            if reading.problem is not None:
                problems.append(Problem(path.name, reading.problem))
            if reading.value is not None:
                read[path] = reading.value
                waiting += (self._directory / file for file in reading.value.files)
        return read

    def _cas(self, path: Path, read: dict[Path, InfoFile]) -> frozenset[DistinguishedName]:
        cas: set[DistinguishedName] = set()
        seen: set[Path] = set()
        waiting = [path]
        while waiting:
            current = waiting.pop()
            if current in read and current not in seen:
                seen.add(current)
                cas |= read[current].cas
                waiting += (self._directory / file for file in read[current].files)
        return frozenset(cas)


def _read(octets: bytes) -> InfoFile:
    return parse_info_file(octets.decode("utf-8", errors="replace"))
