"""The vomsdir: LSC files and certificates of VOMS servers.

``<vo>/<host>.lsc`` says which certificate speaks for the VO; ``*.pem``, in the directory of a VO or directly in the
vomsdir, is a server certificate of old. What cannot be used is told in ``VomsTrust.problems``; an LSC file without a
usable chain keeps its server from being trusted. The directory of a VO that cannot be listed keeps what was found in it
the last time.

Source: voms-api-java:src/main/java/org/italiangrid/voms/store/impl/DefaultVOMSTrustStore.java
"""

from pathlib import Path

from argus_py.credentials import lsc, pem
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.lsc import LscChain
from argus_py.credentials.trust import Problem
from argus_py.credentials.voms import LscFile, ServerCertificate, VomsTrust
from argus_py.errors import ConfigurationError
from argus_py.store.last_good import LastGood


def load_voms_trust(directory: Path) -> VomsTrust:
    """One look at the directory. Raises ConfigurationError: it cannot be listed."""
    return VomsDirectory(directory).load()


class VomsDirectory:
    """A vomsdir that is looked at again and again: unchanged files are not read, damaged ones keep their content.

    Not for several threads at a time.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listed: dict[Path, list[Path]] = {}  # by VO, as last found
        self._lsc_files = LastGood(_read_lsc, lsc.MAX_FILE_LENGTH)
        self._certificates = LastGood(_read_certificate, pem.MAX_TEXT_LENGTH)

    def load(self) -> VomsTrust:
        """Raises ConfigurationError: the directory cannot be listed; that of a VO is a problem of this VO alone."""
        lsc_files: list[LscFile] = []
        certificates: list[ServerCertificate] = []
        problems: list[Problem] = []
        files = self._files(problems)
        for vo, path in files:
            if path.suffix == ".lsc" and vo is not None:
                lsc_files.append(self._load_lsc(vo, path, problems))
            elif path.suffix == ".pem":
                certificate = self._load_certificate(path, problems)
                certificates += [ServerCertificate(vo, certificate)] if certificate else []
        paths = frozenset(path for _, path in files)
        self._lsc_files.forget_all_but(paths)
        self._certificates.forget_all_but(paths)
        return VomsTrust(tuple(lsc_files), tuple(certificates), tuple(problems))

    def distrust_versions(self) -> None:
        """Read every file at the next look."""
        self._lsc_files.distrust_versions()
        self._certificates.distrust_versions()

    def _files(self, problems: list[Problem]) -> list[tuple[str | None, Path]]:
        """Each file with its VO; None for those directly in the vomsdir."""
        try:
            paths = sorted(self._directory.iterdir())
            vos = {path: self._files_of(path, problems) for path in paths if path.is_dir()}
        except OSError as error:
            raise ConfigurationError(
                f"the VOMS directory {self._directory} cannot be read: {error.strerror}"
            ) from error
        self._listed = vos
        direct: list[tuple[str | None, Path]] = [(None, path) for path in paths if path not in vos]
        return direct + [(vo.name, file) for vo, files in vos.items() for file in files]

    def _files_of(self, vo: Path, problems: list[Problem]) -> list[Path]:
        try:
            return sorted(vo.iterdir())
        except FileNotFoundError:
            return []  # taken away since the look at the directory above
        except OSError as error:
            problems.append(Problem(vo.name, f"cannot be listed: {error.strerror}"))
            return self._listed.get(vo, [])

    def _load_lsc(self, vo: str, path: Path, problems: list[Problem]) -> LscFile:
        reading = self._lsc_files.read(path)
        problem = Problem(f"{vo}/{path.name}", reading.problem) if reading.problem is not None else None
        if problem is not None:
            problems.append(problem)
        return LscFile(vo, path.stem, reading.value or (), None if reading.value else problem)

    def _load_certificate(self, path: Path, problems: list[Problem]) -> Certificate | None:
        reading = self._certificates.read(path)
        if reading.problem is not None:
            problems.append(Problem(str(path.relative_to(self._directory)), reading.problem))
        return reading.value


def _read_lsc(octets: bytes) -> tuple[LscChain, ...]:
    return lsc.parse_lsc(octets.decode("utf-8", errors="replace"))


def _read_certificate(octets: bytes) -> Certificate:
    certificate = Certificate(pem.parse_certificates(octets.decode("latin-1"))[0])
    certificate.check_readable()
    return certificate
