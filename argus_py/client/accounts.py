"""From the names in an answer to the numbers that they have on this machine, which may be others than the daemon's."""

import grp
import pwd
from collections.abc import Callable
from dataclasses import dataclass

from argus_py.client.answer import Account
from argus_py.errors import Unmapped


class UnusableAccount(Unmapped):
    """The account or group ``name`` cannot be used on this machine."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """``gids``: all of them, that of the primary group first."""

    name: str
    uid: int
    gids: tuple[int, ...]


def resolve(
    account: Account,
    uid_of: Callable[[str], int] = lambda name: pwd.getpwnam(name).pw_uid,
    gid_of: Callable[[str], int] = lambda name: grp.getgrnam(name).gr_gid,
) -> LocalAccount:
    """``uid_of`` and ``gid_of`` raise KeyError for a name that nobody has.

    Raises UnusableAccount: a name is not known here or is one of root's, or there is no group.
    """
    uid = _number(account.name, uid_of, "account")
    gids = dict.fromkeys(_number(group.name, gid_of, "group") for group in account.groups)
    if not gids:
        raise UnusableAccount(account.name, "the answer names no group for this account")
    return LocalAccount(account.name, uid, tuple(gids))


def _number(name: str, number_of: Callable[[str], int], kind: str) -> int:
    try:
        number = number_of(name)
    except (KeyError, ValueError) as error:  # ValueError: with a null character
        raise UnusableAccount(name, f"there is no such {kind} on this machine") from error
    if number == 0:
        raise UnusableAccount(name, f"the {kind} has the number 0")
    return number
