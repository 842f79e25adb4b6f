"""Which identity a payload gets, once a policy has been found to permit it, and which ones nobody gets."""

from collections.abc import Callable
from dataclasses import dataclass

from argus_py.worker.errors import NotAuthorized
from argus_py.worker.ports import User
from argus_py.worker.state import Account, State


@dataclass(frozen=True, slots=True)
class Identity:
    """``groups``: all of them, the primary one first."""

    user: User
    gid: int
    groups: tuple[int, ...]


def mapped_identity(account: Account, user_of: Callable[[int], User | None]) -> Identity:
    """The account to run as.

    Raises NotAuthorized: none was found, without a group, root or a group of root's, or unknown to this machine.
    """
    if not account.uids:
        raise NotAuthorized("the policy permits without an account")
    if not account.primary_gids:
        raise NotAuthorized("LCMAPS could not find any gid, at least one required!")
    uid, gid = account.uids[0], account.primary_gids[0]
    groups = tuple(dict.fromkeys((gid, *account.secondary_gids)))
    if uid == 0 or 0 in groups:
        raise NotAuthorized(f"the policy leads to root: uid {uid}, groups {', '.join(map(str, groups))}")
    user = user_of(uid)
    if user is None:
        raise NotAuthorized(f"this machine does not know the account {uid}")
    return Identity(user, gid, groups)


def final_line(state: State) -> str:
    """The line by which a payload is traced to its owner; sites search for its words."""
    account = state.account
    name = state.proxy.subject.oneline(escaped=False)
    numbers = [f"uid:'{uid}'" for uid in account.uids[:1]]
    numbers += [f"pgid:'{gid}'" for gid in account.primary_gids[:1]]
    numbers += [f"sgid:'{gid}'" for gid in account.secondary_gids]
    return f'LCMAPS CRED FINAL: DN:"{name}"->mapped {",".join(numbers)}'
