"""lcmaps_dummy_good and lcmaps_dummy_bad: always success, always failure.

The good one may name an account, which every payload then gets; a log-only site uses it so.

Source: lcmaps-plugins-basic:src/dummy/lcmaps_dummy_good.c, lcmaps_dummy_bad.c
"""

from collections.abc import Callable
from dataclasses import dataclass

from argus_py.worker.lcmaps_db import Module
from argus_py.worker.plugins.plugin import Options, PluginFailed, read_options
from argus_py.worker.ports import Node
from argus_py.worker.state import Account, State

_NUMBERS = ("dummy-uid", "dummy-gid", "dummy-sec-gid")
_NAMES = ("dummy-username", "dummy-group", "dummy-sec-group")
_MAX_ID = 2**32 - 2  # the last number of all means "none" to the system calls


@dataclass(frozen=True, slots=True)
class DummyGood:
    account: Account

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "DummyGood":
        """Raises PolicyFileError: a name that this machine does not know."""
        options = read_options(file, module, valued=(*_NUMBERS, *_NAMES))

        def uid_of(name: str) -> int | None:
            user = node.user(name)
            return None if user is None else user.uid

        return cls(
            Account(
                _ids(options, "dummy-uid", "dummy-username", uid_of),
                _ids(options, "dummy-gid", "dummy-group", node.group),
                _ids(options, "dummy-sec-gid", "dummy-sec-group", node.group),
            )
        )

    def run(self, state: State) -> State:
        return state.with_account(self.account.uids, self.account.primary_gids, self.account.secondary_gids)


@dataclass(frozen=True, slots=True)
class DummyBad:
    @classmethod
    def of(cls, file: str, module: Module, _node: Node) -> "DummyBad":
        read_options(file, module, valued=(*_NUMBERS, *_NAMES))
        return cls()

    def run(self, _state: State, /) -> State:
        raise PluginFailed("it always fails")


def _ids(options: Options, by_number: str, by_name: str, number_of: Callable[[str], int | None]) -> tuple[int, ...]:
    found: list[int] = []
    for text in options.values(by_number):
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= _MAX_ID):
            raise options.error(f"--{by_number}: {text!r} is no number of an account or group")
        found.append(int(text))
    for name in options.values(by_name):
        number = number_of(name)
        if number is None:
            raise options.error(f"--{by_name}: this machine does not know {name!r}")
        found.append(number)
    return tuple(found)
