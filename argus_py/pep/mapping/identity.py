"""Who is to be mapped: the subject's name and VOMS attributes, and the refusal that names them."""

from dataclasses import dataclass

from argus_py.errors import Unmapped
from argus_py.model.dn import DistinguishedName, escape_controls
from argus_py.model.fqan import Fqan


@dataclass(frozen=True, slots=True)
class GridIdentity:
    """``fqans`` usually holds the primary one too; None says that the request has no such attribute at all."""

    dn: DistinguishedName
    primary_fqan: Fqan | None = None
    fqans: tuple[Fqan, ...] | None = None

    @property
    def primary_fqan_text(self) -> str:
        """``null`` when there is none, as in messages and log lines of Argus."""
        return "null" if self.primary_fqan is None else str(self.primary_fqan)

    @property
    def fqans_text(self) -> str:
        return "null" if self.fqans is None else f"[{', '.join(map(str, self.fqans))}]"


class NotMapped(Unmapped):
    """Carries ``identity`` and ``wanted``, what it could not be mapped to. Clients see the text and compare it."""

    def __init__(self, identity: GridIdentity, dn_text: str, wanted: str) -> None:
        super().__init__(
            escape_controls(
                f"Failed to map subject DN {dn_text}, primary FQAN {identity.primary_fqan_text}, "
                f"secondary FQANs {identity.fqans_text} to {wanted}"
            )
        )
        self.identity = identity
        self.wanted = wanted


class NoAccountIndicator(NotMapped):
    """No line of the account map fits."""

    def __init__(self, identity: GridIdentity) -> None:
        # COMPAT: this one message has X500Principal.toString, the others the RFC 2253 text.
        super().__init__(identity, identity.dn.java_string(), "an account indicator")


class NoPrimaryGroup(NotMapped):
    """No line of the group map fits, and the configuration calls that an error."""

    def __init__(self, identity: GridIdentity) -> None:
        super().__init__(identity, identity.dn.rfc2253(), "a POSIX primary group")


class NoLoginName(NotMapped):
    """The pool gave no account; the cause says why and is for the log alone."""

    def __init__(self, identity: GridIdentity) -> None:
        super().__init__(identity, identity.dn.rfc2253(), "a POSIX login name")
