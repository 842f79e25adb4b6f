"""The vomsdir: LSC files and certificates of VOMS servers.

``<vo>/<host>.lsc`` says which certificate speaks for the VO; ``*.pem``, in the directory of a VO or directly in the
vomsdir, is a server certificate of old. A file that cannot be used is told in ``VomsTrust.problems``; an LSC file
without a usable chain keeps its server from being trusted.

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
    """A vomsdir that is looked at again and again: unchanged files are not read, damaged ones keep their content."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lsc_files = LastGood(_read_lsc, lsc.MAX_FILE_LENGTH)
        self._certificates = LastGood(_read_certificate, pem.MAX_TEXT_LENGTH)

    def load(self) -> VomsTrust:
        """Raises ConfigurationError: the directory, or that of a VO, cannot be listed."""
        lsc_files: list[LscFile] = []
        certificates: list[ServerCertificate] = []
        problems: list[Problem] = []
        files = self._files()
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

    def _files(self) -> list[tuple[str | None, Path]]:
        """Each file with its VO; None for those directly in the vomsdir."""
        files: list[tuple[str | None, Path]] = []
        for path in _listed(self._directory):
            if path.is_dir():
                files += ((path.name, file) for file in _listed(path))
            else:
                files.append((None, path))
        return files

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


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        raise ConfigurationError(f"the VOMS directory {directory} cannot be read: {error.strerror}") from error


def _read_lsc(octets: bytes) -> tuple[LscChain, ...]:
    return lsc.parse_lsc(octets.decode("utf-8", errors="replace"))


def _read_certificate(octets: bytes) -> Certificate:
    certificate = Certificate(pem.parse_certificates(octets.decode("latin-1"))[0])
    certificate.check_readable()
    return certificate
