"""What the site trusts: anchors, revocation lists and namespaces of one trust directory, as one value.

Every certificate of the directory is an anchor, sub CAs too. CRLs are checked against the anchors of their issuer's
name when the value is made, so that a request pays no signature for them, nor a new value for those that the value
before it has proven. A CA that changed its key may sign with the new one for all it has issued, hence any anchor of
that name will do.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from cryptography import x509

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.crl import Crl
from argus_py.credentials.namespaces import NamespaceFile, NamespaceFormat
from argus_py.model.dn import DistinguishedName

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one file of a trust directory or vomsdir; for the status page."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class UnreadableCrl:
    """A CRL file from which only the CA is known, by the hash in its name."""

    hash: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """Equal if made from the same certificates, CRLs, namespaces and problems in the same order.

    ``previous`` saves the signatures that were verified for it.
    """

    anchors: tuple[Certificate, ...] = ()
    crls: tuple[Crl, ...] = ()
    namespaces: tuple[NamespaceFile, ...] = ()
    unreadable_crls: tuple[UnreadableCrl, ...] = ()
    problems: tuple[Problem, ...] = ()
    previous: InitVar["TrustAnchors | None"] = None
    _by_subject: Mapping[DistinguishedName, tuple[Certificate, ...]] = field(init=False, repr=False, compare=False)
    _by_issuer: Mapping[DistinguishedName, tuple[Crl, ...]] = field(init=False, repr=False, compare=False)
    _by_file: Mapping[tuple[str, NamespaceFormat], NamespaceFile] = field(init=False, repr=False, compare=False)
    _proven: Mapping[Crl, Certificate] = field(init=False, repr=False, compare=False)  # and who has signed it

    def __post_init__(self, previous: "TrustAnchors | None") -> None:
        by_subject = _grouped((anchor.subject, anchor) for anchor in self.anchors)
        known = previous._proven if previous is not None else {}
        signers = ((crl, _signer(crl, by_subject.get(crl.issuer, ()), known.get(crl))) for crl in self.crls)
        proven = MappingProxyType({crl: signer for crl, signer in signers if signer is not None})
        object.__setattr__(self, "_by_subject", by_subject)
        object.__setattr__(self, "_by_issuer", _grouped((crl.issuer, crl) for crl in self.crls))
        object.__setattr__(self, "_by_file", {(file.hash, file.format): file for file in self.namespaces})
        object.__setattr__(self, "_proven", proven)

    def contents(self) -> str:
        """For the log and the status page."""
        return f"{len(self.anchors)} CA certificates, {len(self.crls)} CRLs, {len(self.namespaces)} namespace files"

    def certificates(self) -> tuple[x509.Certificate, ...]:
        return tuple(anchor.x509 for anchor in self.anchors)

    def named(self, subject: DistinguishedName) -> tuple[Certificate, ...]:
        """The anchors of this name; a CA that renewed its certificate has several."""
        return self._by_subject.get(subject, ())

    def crls_of(self, issuer: DistinguishedName) -> tuple[Crl, ...]:
        """The CRLs of this name, whoever signed them."""
        return self._by_issuer.get(issuer, ())

    def is_proven(self, crl: Crl) -> bool:
        """Whether an anchor has signed the CRL."""
        return crl in self._proven

    def unreadable_crl(self, issuer: Certificate) -> UnreadableCrl | None:
        """The CRL file of this CA that nobody could read."""
        if not self.unreadable_crls:
            return None
        return next((crl for crl in self.unreadable_crls if crl.hash in issuer.hashes), None)

    def namespace_file(self, ca: Certificate, format_: NamespaceFormat) -> NamespaceFile | None:
        """COMPAT: the file named by the old hash, which is the only one Java sees, goes before the other."""
        files = (self._by_file.get((hash_, format_)) for hash_ in ca.hashes)
        return next((file for file in files if file is not None), None)

    def next_crl_expiry(self, now: datetime) -> datetime | None:
        """When the next of the CRLs in use runs out and locks the users of its CA out; None: never, or all have."""
        return min((end for _, end in self._relied_on() if end >= now), default=None)

    def outdated_crls(self, now: datetime) -> tuple[Crl, ...]:
        """Those whose CA has everybody locked out."""
        return tuple(crl for crl, end in self._relied_on() if end < now)

    def _relied_on(self) -> Iterator[tuple[Crl, datetime]]:
        """Which CRLs have to be in date, and until when they are: of each CA the newest for users, and that for CAs."""
        usable = [crl for crl in self._proven if crl.unusable is None]
        for crls in _grouped((crl.issuer, crl) for crl in usable).values():
            kinds = [crl for crl in crls if crl.covers_users], [crl for crl in crls if crl.covers_cas]
            for newest in dict.fromkeys(max(kind, key=lambda crl: crl.this_update) for kind in kinds if kind):
                if newest.next_update is not None:
                    yield newest, newest.next_update


def _signer(crl: Crl, anchors: tuple[Certificate, ...], known: Certificate | None) -> Certificate | None:
    """The anchor that has signed the CRL, which costs nothing if it is the ``known`` one."""
    if known in anchors:
        return known
    return next((anchor for anchor in anchors if crl.is_signed_by(anchor)), None)


def _grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, tuple[V, ...]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return MappingProxyType({key: tuple(values) for key, values in groups.items()})
