"""The trust directory: CA certificates, CRLs and namespaces in files named by the hash of the CA.

Both hashes are understood, and the name must be the hash of the content in one of them. OpenSSL and the Java daemons
each look for one hash alone, so most files are there twice, as links; doubles are dropped. A file that cannot be used
is told in ``TrustAnchors.problems`` and harms nobody but the CA it is named after.

A CRL or a namespace file that has vanished stays in force for one more look, since a CA without them is one that may do
as it likes: tools that remove a file before they write the new one should not open that window.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/helpers/trust/OpensslTruststoreHelper.java
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from argus_py.credentials import crl as crls
from argus_py.credentials import namespaces, pem
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.crl import Crl
from argus_py.credentials.namespaces import NamespaceFile, NamespaceFormat, NamespacePolicy
from argus_py.credentials.trust import Problem, TrustAnchors, UnreadableCrl
from argus_py.errors import ConfigurationError
from argus_py.store.last_good import LastGood

_ANCHOR = re.compile(r"([0-9a-f]{8})\.[0-9]+")
_CRL = re.compile(r"([0-9a-f]{8})\.r[0-9]+")
_NAMESPACES = {format_: re.compile(rf"([0-9a-f]{{8}})\.{format_.value}", re.IGNORECASE) for format_ in NamespaceFormat}

T = TypeVar("T")


def load_trust_anchors(directory: Path) -> TrustAnchors:
    """One look at the directory. Raises ConfigurationError: it cannot be listed."""
    return TrustDirectory(directory).load()


def load_trust_anchors_above(directory: Path, hashes: Collection[str]) -> TrustAnchors:
    """What the directory says about the CAs of these hashes and those above them, for one look at one chain.

    The other hundred CAs of a site, with CRLs of megabytes, are not read. Raises ConfigurationError: as above.
    """
    known = frozenset(hashes)
    while True:
        trust = TrustDirectory(directory, known).load()
        above = known.union(*(anchor.issuer_hashes for anchor in trust.anchors))
        if above == known:
            return trust
        known = above


class TrustDirectory:
    """A directory that is looked at again and again: unchanged files are not read, damaged ones keep their content.

    Not for several threads at a time.
    """

    def __init__(self, directory: Path, only: Collection[str] | None = None) -> None:
        """``only``: the hashes of the CAs whose files are looked at; None: of all."""
        self._directory = directory
        self._only = only
        self._last: TrustAnchors | None = None
        self._present: frozenset[Path] = frozenset()
        self._anchors = LastGood(_read_anchor, pem.MAX_TEXT_LENGTH)
        self._crls = LastGood(crls.read_crl, crls.MAX_OCTETS)
        self._policies = {
            format_: LastGood(_reader(parse), namespaces.MAX_FILE_LENGTH)
            for format_, parse in namespaces.PARSERS.items()
        }

    def load(self) -> TrustAnchors:
        """Raises ConfigurationError: the directory cannot be listed."""
        paths = self._paths()
        present = frozenset(paths)
        vanished = sorted(self._present - present)
        self._present = present
        for kind in self._kinds():
            kind.forget_all_but(present.union(vanished))
        problems: list[Problem] = []
        anchors = self._load_anchors(paths, problems)
        if not anchors:
            problems.append(Problem(str(self._directory), "no CA certificate in it"))
        revocation_lists, unreadable = self._load_crls(paths, vanished, problems)
        policies = self._load_namespaces(paths, vanished, problems)
        trust = TrustAnchors(anchors, revocation_lists, policies, unreadable, previous=self._last)
        problems += (
            Problem(str(self._directory), f"the CRL of {crl.issuer.readable()} is not signed by this CA")
            for crl in revocation_lists
            if trust.named(crl.issuer) and not trust.is_proven(crl)
        )
        self._last = replace(trust, problems=tuple(problems), previous=trust)
        return self._last

    def distrust_versions(self) -> None:
        """Read every file at the next look."""
        for kind in self._kinds():
            kind.distrust_versions()

    def _kinds(self) -> list[LastGood[Any]]:
        return [self._anchors, self._crls, *self._policies.values()]

    def _paths(self) -> list[Path]:
        try:
            paths = sorted(self._directory.iterdir())
        except OSError as error:
            raise ConfigurationError(
                f"the trust directory {self._directory} cannot be read: {error.strerror}"
            ) from error
        if self._only is None:
            return paths
        return [path for path in paths if path.name.partition(".")[0].lower() in self._only]

    def _load_anchors(self, paths: list[Path], problems: list[Problem]) -> tuple[Certificate, ...]:
        anchors: list[Certificate] = []
        for path, hash_, anchor in _readings(self._anchors, _ANCHOR, paths, problems):
            if anchor is not None and _is_named_after(hash_, anchor.hashes, path, problems):
                anchors.append(anchor)
        return tuple(dict.fromkeys(anchors))

    def _load_crls(
        self, paths: list[Path], vanished: list[Path], problems: list[Problem]
    ) -> tuple[tuple[Crl, ...], tuple[UnreadableCrl, ...]]:
        found: list[Crl] = []
        unreadable: list[UnreadableCrl] = []
        for path, hash_, crl in _readings(self._crls, _CRL, paths, problems):
            if crl is None:
                unreadable.append(UnreadableCrl(hash_, problems[-1]))
            elif _is_named_after(hash_, crl.issuer_hashes, path, problems):
                found.append(crl)
        last = _last_readings(self._crls, _CRL, vanished, problems)
        found += (crl for _, hash_, crl in last if hash_ in crl.issuer_hashes)
        return tuple(dict.fromkeys(found)), tuple(unreadable)

    def _load_namespaces(
        self, paths: list[Path], vanished: list[Path], problems: list[Problem]
    ) -> tuple[NamespaceFile, ...]:
        files: list[NamespaceFile] = []
        for format_, kind in self._policies.items():
            for path, hash_, policies in _readings(kind, _NAMESPACES[format_], paths, problems):
                problem = problems[-1].reason if policies is None else None
                files.append(NamespaceFile(path.name, hash_, format_, policies or (), problem))
            for path, hash_, policies in _last_readings(kind, _NAMESPACES[format_], vanished, problems):
                files.append(NamespaceFile(path.name, hash_, format_, policies))
        return tuple(files)


def _readings(
    kind: LastGood[T], pattern: re.Pattern[str], paths: list[Path], problems: list[Problem]
) -> Iterator[tuple[Path, str, T | None]]:
    """Each file of the kind, the hash in its name, its content; without content a problem has just been added."""
    for path in paths:
        match = pattern.fullmatch(path.name)
        if match is None:
            continue
        reading = kind.read(path)
        if reading.problem is not None:
            problems.append(Problem(path.name, reading.problem))
        yield path, match[1].lower(), reading.value


def _last_readings(
    kind: LastGood[T], pattern: re.Pattern[str], vanished: list[Path], problems: list[Problem]
) -> Iterator[tuple[Path, str, T]]:
    """The same for files that were good and are there no more."""
    for path in vanished:
        match, value = pattern.fullmatch(path.name), kind.remembered(path)
        if match is not None and value is not None:
            problems.append(Problem(path.name, "has vanished; what it said stays in force until the next look"))
            yield path, match[1].lower(), value


def _is_named_after(hash_: str, expected: tuple[str, str], path: Path, problems: list[Problem]) -> bool:
    if hash_ in expected:
        return True
    problems.append(Problem(path.name, f"ignored: the name should be {' or '.join(expected)}"))
    return False


def _read_anchor(octets: bytes) -> Certificate:
    certificate = Certificate(pem.parse_certificates(_text(octets))[0])
    certificate.check_readable()
    return certificate


def _reader(
    parse: Callable[[str], tuple[NamespacePolicy, ...]],
) -> Callable[[bytes], tuple[NamespacePolicy, ...]]:
    return lambda octets: parse(_text(octets))


def _text(octets: bytes) -> str:
    """Latin-1 reads anything: what matters is ASCII, and comments of CAs are in whatever their authors used."""
    return octets.decode("latin-1")
