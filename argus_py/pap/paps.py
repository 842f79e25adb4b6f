"""The paps of one daemon: named policy stores, local ones edited here and remote ones that mirror another PAP.

Lower case on purpose: "PAP" is the daemon, a "pap" is one of the stores it holds. Their order is security relevant,
since the first applicable policy wins: that of the ordering, which may leave some out.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/Pap.java
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from argus_py.errors import Conflict, NotFound

DEFAULT_ALIAS = "default"  # the pap that always exists
ALIAS = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"  # names stand in URLs, file names and keys of ini files


class PapNotFound(NotFound):
    """No pap has this ``alias``."""

    def __init__(self, alias: str) -> None:
        super().__init__(f"Not found: papAlias={alias}")
        self.alias = alias


class PapExists(Conflict):
    """There is a pap with this ``alias`` already."""

    def __init__(self, alias: str) -> None:
        super().__init__(f"pap {alias!r} already exists.")
        self.alias = alias


class RemotePapIsReadOnly(Conflict):
    """The policies of the pap ``alias`` are a copy; they are edited at their own PAP."""

    def __init__(self, alias: str) -> None:
        super().__init__(f"Forbidden operation for a remote PAP: {alias!r} is edited where it comes from")
        self.alias = alias


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a remote pap is copied from; ``dn`` is the subject of its host certificate in slash form, if known."""

    hostname: str
    port: int = 8150
    path: str = "/pap/services/"
    protocol: str = "https"
    dn: str | None = None

    @property
    def endpoint(self) -> str:
        """The URL below which the services of the PAP are."""
        return f"{self.protocol}://{self.hostname}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class RemoteState:
    """What came of the attempts to copy a remote pap.

    ``confirmed_at``: when the copy was last known to be what the remote has; None: never. ``failed_at`` and ``reason``
    tell of the last attempt if it failed. ``quarantined``: it did because what the remote has now is unusable.
    """

    confirmed_at: datetime | None = None
    failed_at: datetime | None = None
    reason: str | None = None
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Pap:
    """``id`` is also the PolicySetId of its root; ``version`` counts the changes of the list of its resources.

    ``enabled``: its policies go to PDPs. ``public``: they go to other PAPs.
    """

    id: str
    alias: str
    enabled: bool = False
    public: bool = False
    remote: Remote | None = None  # None: a local pap
    version: int = 0

    @property
    def is_local(self) -> bool:
        return self.remote is None

    @property
    def is_default(self) -> bool:
        return self.alias == DEFAULT_ALIAS


def default_pap(new_id: Callable[[], str]) -> Pap:
    return Pap(f"{DEFAULT_ALIAS}-{new_id()}", DEFAULT_ALIAS, enabled=True, public=True)


def in_order(paps: Iterable[Pap], ordering: tuple[str, ...]) -> tuple[Pap, ...]:
    """The paps of an ordering first, then the others in the order given; ``default`` leads if the ordering lacks it.

    BETTER: in Java the order of those that are not listed is that of a hash table.
    """
    places = {alias: place for place, alias in enumerate(ordering)}
    places.setdefault(DEFAULT_ALIAS, -1)
    return tuple(sorted(paps, key=lambda pap: places.get(pap.alias, len(places))))


def by_alias(paps: Iterable[Pap], alias: str) -> Pap:
    """Raises PapNotFound."""
    for pap in paps:
        if pap.alias == alias:
            return pap
    raise PapNotFound(alias)
