"""The accounts and groups of this machine: what the name service switch knows, remembered.

A look-up may take as long as a directory server does. A name is therefore looked up while somebody waits only when it
is met for the first time; ``renew`` and ``retry`` look it up again in the background.
"""

import grp
import pwd
from collections.abc import Callable
from typing import Final

_REMEMBERED: Final = 200_000  # names; twice the accounts of any site, and few bytes each


def system_uid(login: str) -> int | None:
    try:
        return pwd.getpwnam(login).pw_uid
    except (KeyError, ValueError):  # ValueError: with a null character, or half a surrogate pair
        return None


def system_gid(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except (KeyError, ValueError):
        return None


class NssNames:
    """A NameService; safe to call from many threads."""

    def __init__(
        self,
        uid_of: Callable[[str], int | None] = system_uid,
        gid_of: Callable[[str], int | None] = system_gid,
    ) -> None:
        """Each asks the system about one name."""
        self._uids: dict[str, int | None] = {}  # each access is one atomic operation
        self._gids: dict[str, int | None] = {}
        self._uid_of = uid_of
        self._gid_of = gid_of

    def uid(self, login: str) -> int | None:
        return _remembered(self._uids, login, self._uid_of)

    def gid(self, group: str) -> int | None:
        return _remembered(self._gids, group, self._gid_of)

    def renew(self) -> None:
        """Names that are not known any more keep their numbers: an outage looks the same, and lease names are made
        from the order of numbers."""
        self._look_up_again(unknown_only=False)

    def retry(self) -> None:
        """The names alone that nobody knew."""
        self._look_up_again(unknown_only=True)

    def _look_up_again(self, unknown_only: bool) -> None:
        for remembered, number_of in ((self._uids, self._uid_of), (self._gids, self._gid_of)):
            for name, known in list(remembered.items()):
                number = None if unknown_only and known is not None else number_of(name)
                if number is not None:
                    remembered[name] = number


def _remembered(numbers: dict[str, int | None], name: str, number_of: Callable[[str], int | None]) -> int | None:
    try:
        return numbers[name]
    except KeyError:
        if len(numbers) >= _REMEMBERED:
            numbers.clear()
        number = numbers[name] = number_of(name)
        return number
