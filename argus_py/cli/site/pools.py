"""The accounts of a site that has no ``users.conf``: for each VO a pool of its members and one of its pilots.

A pool is named by its prefix and has one group of the same name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from argus_py.config.yaim_maps import PILOT, SiteAccounts
from argus_py.errors import ConfigurationError

MAX_SIZE: Final = 100_000  # accounts of a pool
_VO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_POOL = re.compile(r"[a-z]([a-z0-9_.-]*[a-z_.-])?")
_NOT_IN_POOL = re.compile(r"[^a-z0-9_-]")
_DIGITS: Final = "0123456789"


class BadVo(ConfigurationError):
    """``text`` does not tell a VO and its pools."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r}: {reason}; expected is VO, VO:POOL or VO:POOL:PILOTPOOL, as dteam:dteam:dtplt")
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VoPools:
    """Prefixes of account names, which therefore do not end in a digit."""

    vo: str
    members: str
    pilots: str

    @classmethod
    def parse(cls, text: str) -> "VoPools":
        """
        >>> VoPools.parse("vo.example.org")
        VoPools(vo='vo.example.org', members='vo', pilots='vopil')

        Raises BadVo.
        """
        vo, *pools = text.strip().split(":")
        if not _VO.fullmatch(vo):
            raise BadVo(text, "this is no name of a VO")
        members = pools[0] if pools else _NOT_IN_POOL.sub("", vo.lower().partition(".")[0]).rstrip(_DIGITS)
        pilots = pools[1] if len(pools) > 1 else f"{members}pil"
        if len(pools) > 2:
            raise BadVo(text, "there are too many colons")
        for pool in (members, pilots):
            if not _POOL.fullmatch(pool):
                raise BadVo(text, f"{pool!r} is no prefix of accounts: small letters, and no digit at the end")
        return cls(vo, members, pilots)


def pool_accounts(vos: Sequence[VoPools], size: int, pilots: int) -> SiteAccounts:
    """``size`` and ``pilots``: how many accounts each of the pools has. Raises BadVo: two pools have one name."""
    taken: set[str] = set()
    for each in vos:
        for pool in (each.members, each.pilots):
            if pool in taken:
                raise BadVo(each.vo, f"the pool {pool} is another one's too")
            taken.add(pool)
    lines = [line for each in vos for line in _lines(each)]
    return SiteAccounts(
        accounts=tuple((key, f".{pool}") for key, pool in lines),
        groups=tuple(lines),
        pool_accounts=tuple(
            name for each in vos for name in (*_names(each.pilots, pilots), *_names(each.members, size))
        ),
        white_list=tuple(f".{each.pilots}" for each in vos),
        pilot_groups=tuple(each.pilots for each in vos),
        warnings=(),
    )


def _lines(vo: VoPools) -> Iterator[tuple[str, str]]:
    """The last two are both needed: LCMAPS reads the one, Argus the other as all groups and roles."""
    yield f"/{vo.vo}/Role={PILOT}", vo.pilots
    for below in ("", "/*", "/*/Role=*"):
        yield f"/{vo.vo}{below}", vo.members


def _names(pool: str, size: int) -> Iterable[str]:
    width = max(3, len(str(size)))
    return (f"{pool}{number:0{width}d}" for number in range(1, size + 1))
