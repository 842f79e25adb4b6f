"""What plug-ins need of the worker node: names, files, trust, leases, the way to Argus."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # half of the policies need none of it, and pilots wait for what is loaded
    from argus_py.credentials.certificate import Certificate
    from argus_py.credentials.trust import TrustAnchors
    from argus_py.credentials.voms import VomsTrust
    from argus_py.model.dn import DistinguishedName
    from argus_py.model.response import Response
    from argus_py.worker.pep_question import Question, Wire


@dataclass(frozen=True, slots=True)
class User:
    """An account of the machine; ``gids``: of all its groups."""

    name: str
    uid: int
    gid: int
    gids: tuple[int, ...]
    home: str


@dataclass(frozen=True, slots=True)
class PepTls:
    """How the PEP daemon is met. ``certificate`` and ``private_key`` are files, or None with ``pilot`` or without TLS
    credential; ``pilot``: the proxy of the caller is shown. ``check``: only a server whose chain and name are right."""

    ca_directory: str | None = None
    ca_file: str | None = None
    check: bool = True
    pilot: bool = False
    certificate: str | None = None
    private_key: str | None = None
    password: str | None = None


class Node(Protocol):
    """The machine the payload is to run on."""

    @property
    def now(self) -> datetime: ...

    @property
    def changes_identity(self) -> bool:
        """False: the payload stays in the caller's account."""
        ...

    def user(self, name: str) -> User | None: ...

    def group(self, name: str) -> int | None:
        """The number of a group, None if there is no such group."""
        ...

    def group_name(self, gid: int) -> str | None: ...

    def text(self, path: str) -> str:
        """A file of the site's. Raises ConfigurationError: it cannot be read, or others than root can write it."""
        ...

    def trust(self, directory: str, links: "Sequence[Certificate]") -> "TrustAnchors":
        """What the directory says about the CAs above these. Raises ConfigurationError: it cannot be read."""
        ...

    def voms_trust(self, directory: str) -> "VomsTrust":
        """Raises ConfigurationError: the directory cannot be read."""
        ...

    def lease(self, gridmapdir: str, dn: "DistinguishedName", groups: Sequence[str], pool: str) -> str:
        """The account leased to a name with these groups. Raises Unmapped, Unavailable, ConfigurationError."""
        ...

    def pilot_certificates(self) -> str | None:
        """The chain of the caller's own proxy in PEM, without its key; None: the caller has named none.

        Raises ClientError: it cannot be used.
        """
        ...

    def ask(self, endpoints: Sequence[str], question: "Question", tls: PepTls, wire: "Wire") -> "Response":
        """The answer of the first endpoint that gives one.

        Raises Unavailable: none does; ConfigurationError, ClientError: a credential cannot be used.
        """
        ...
