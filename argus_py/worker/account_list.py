"""Lists of accounts in glexec.conf: ``dtplt01, .atlpilot`` is one account and a whole pool.

A name with a leading dot stands for the pool: the accounts that are called so with digits behind. It is no group:
gLExec never looked at groups here, and an account may join a group without anybody looking at this file.
"""

import re
from dataclasses import dataclass
from typing import Self

_ENTRY = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_.-]{0,62}\$?")
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class AccountList:
    accounts: frozenset[str] = frozenset()
    pools: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError: an entry that is no name of an account or pool.

        >>> AccountList.parse("dtplt01, .atlpilot").admits("atlpilot007")
        True
        """
        entries = [entry for entry in re.split(r"[,\s]+", text) if entry]
        wrong = next((entry for entry in entries if _ENTRY.fullmatch(entry) is None), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is neither an account nor a pool with a leading dot")
        pools = frozenset(entry[1:] for entry in entries if entry.startswith("."))
        return cls(frozenset(entry for entry in entries if not entry.startswith(".")), pools)

    def admits(self, account: str) -> bool:
        return account in self.accounts or any(_is_of_pool(account, pool) for pool in self.pools)


def _is_of_pool(account: str, pool: str) -> bool:
    number = account.removeprefix(pool)
    return bool(number) and account.startswith(pool) and set(number) <= _DIGITS
