"""Who has called, and with what rights this process may act."""

import os
import pwd
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from argus_py.errors import ConfigurationError
from argus_py.worker.errors import NotAuthorized
from argus_py.worker.identity import Identity
from argus_py.worker.ports import User


@dataclass(frozen=True, slots=True)
class Caller:
    """``changes_identity``: this process is root's, and the caller is another user."""

    user: User
    changes_identity: bool

    @property
    def identity(self) -> Identity:
        return Identity(self.user, self.user.gid, tuple(dict.fromkeys((self.user.gid, *self.user.gids))))


def find_caller(environment: Mapping[str, str]) -> Caller:
    """Raises ConfigurationError: started in a way that makes the caller uncertain; NotAuthorized: nobody knows him."""
    if len(set(os.getresuid())) > 1 or len(set(os.getresgid())) > 1:
        raise ConfigurationError("this program must not be started with a setuid or setgid bit, but by sudo or doas")
    uid = os.getuid()
    if uid != 0:
        return Caller(_known(user_of(uid), uid), changes_identity=False)
    if not sys.flags.isolated:
        raise ConfigurationError("started as root, this program needs an isolated interpreter (python -I)")
    by_sudo, by_doas = environment.get("SUDO_UID"), environment.get("DOAS_USER")
    if by_sudo is not None and by_doas is not None:
        raise ConfigurationError("both SUDO_UID and DOAS_USER are set: who has called cannot be told")
    if by_doas is not None:
        return Caller(_known(user_named(by_doas), by_doas), changes_identity=True)
    if by_sudo is not None:
        user = user_of(_number("SUDO_UID", by_sudo))
        gid = _number("SUDO_GID", environment.get("SUDO_GID", ""))
        known = _known(user, by_sudo)
        return Caller(User(known.name, known.uid, gid, known.gids, known.home), changes_identity=True)
    return Caller(_known(user_of(0), 0), changes_identity=True)


def user_of(uid: int) -> User | None:
    try:
        return _user(pwd.getpwuid(uid))
    except (KeyError, OverflowError):
        return None


def user_named(name: str) -> User | None:
    try:
        return _user(pwd.getpwnam(name))
    except (KeyError, ValueError):  # ValueError: with a null character, or half a surrogate pair
        return None


def _user(entry: pwd.struct_passwd) -> User:
    gids = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid, gids, entry.pw_dir)


def _known(user: User | None, who: object) -> User:
    if user is None:
        raise NotAuthorized(f"this machine does not know the calling account {who}")
    return user


def _number(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise ConfigurationError(f"{variable} is {text!r} and no number: who has called cannot be told")
    return int(text)


@contextmanager
def acting_as(identity: Identity, *, changes_identity: bool) -> Iterator[None]:
    """With the rights of another user on files, and back; without a change of identity they are ours anyway."""
    if not changes_identity:
        yield
        return
    groups = os.getgroups()
    os.setgroups(identity.groups)
    os.setegid(identity.gid)
    os.seteuid(identity.user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
