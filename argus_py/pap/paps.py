"""The paps of one daemon: named policy stores, local ones edited here and remote ones that mirror another PAP.

Lower case on purpose: "PAP" is the daemon, a "pap" is one of the stores it holds. Their order is security relevant,
since the first applicable policy wins; it is the order in which a repository gives them.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/Pap.java
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from argus_py.errors import Conflict, NotFound

DEFAULT_ALIAS = "default"  # the pap that always exists


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


def default_pap(new_id: Callable[[], str]) -> Pap:
    return Pap(f"{DEFAULT_ALIAS}-{new_id()}", DEFAULT_ALIAS, enabled=True, public=True)


def by_alias(paps: Iterable[Pap], alias: str) -> Pap:
    """Raises PapNotFound."""
    for pap in paps:
        if pap.alias == alias:
            return pap
    raise PapNotFound(alias)
