"""What an LCMAPS policy has come to so far; each plug-in hands on a new value."""

from dataclasses import dataclass, field, replace
from typing import Self

from argus_py.credentials.path import VerifiedChain
from argus_py.worker.payload_proxy import PayloadProxy


@dataclass(frozen=True, slots=True)
class Account:
    """Numbers, each list without doubles; gLExec takes the first user and the first primary group."""

    uids: tuple[int, ...] = ()
    primary_gids: tuple[int, ...] = ()
    secondary_gids: tuple[int, ...] = ()

    def adding(
        self, uids: tuple[int, ...] = (), primary_gids: tuple[int, ...] = (), secondary_gids: tuple[int, ...] = ()
    ) -> "Account":
        return Account(
            tuple(dict.fromkeys(self.uids + uids)),
            tuple(dict.fromkeys(self.primary_gids + primary_gids)),
            tuple(dict.fromkeys(self.secondary_gids + secondary_gids)),
        )


@dataclass(frozen=True, slots=True)
class Attributes:
    """FQANs of the payload's owner: ``proven`` ones may grant, ``claimed`` ones, all there are, can only ban."""

    proven: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # why claims are not proven


@dataclass(frozen=True, slots=True)
class State:
    """``verified`` None: no plug-in has proven the chain; ``attributes`` None: nobody has looked at them."""

    proxy: PayloadProxy
    verified: VerifiedChain | None = None
    attributes: Attributes | None = None
    account: Account = field(default_factory=Account)
    enforced: bool = False  # posix_enf has run
    notices: tuple[str, ...] = ()  # lines for the log

    def with_account(
        self, uids: tuple[int, ...] = (), primary_gids: tuple[int, ...] = (), secondary_gids: tuple[int, ...] = ()
    ) -> Self:
        return replace(self, account=self.account.adding(uids, primary_gids, secondary_gids))

    def noting(self, *notices: str) -> Self:
        return replace(self, notices=self.notices + notices)
