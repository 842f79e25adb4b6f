"""When the system is asked about a name, and when the answer is remembered."""

import pytest

from argus_py.store.nss import NssNames, system_gid, system_uid


class Database:
    """Numbers by name; keeps what it was asked for."""

    def __init__(self, **numbers: int) -> None:
        self.numbers = numbers
        self.asked: list[str] = []

    def __call__(self, name: str) -> int | None:
        self.asked.append(name)
        return self.numbers.get(name)


def test_each_name_is_asked_for_once() -> None:
    passwd, group = Database(atlas001=4001), Database(atlas=400)
    names = NssNames(passwd, group)
    for _ in range(2):
        assert (names.uid("atlas001"), names.uid("nobody")) == (4001, None)
        assert (names.gid("atlas"), names.gid("atlas001")) == (400, None)
    assert passwd.asked == ["atlas001", "nobody"]
    assert group.asked == ["atlas", "atlas001"]


def test_renewal_finds_new_names_and_new_numbers() -> None:
    passwd = Database(atlas001=4001)
    names = NssNames(passwd, Database())
    assert (names.uid("atlas001"), names.uid("new")) == (4001, None)
    passwd.numbers = {"atlas001": 5001, "new": 4002}
    names.renew()
    assert (names.uid("atlas001"), names.uid("new")) == (5001, 4002)
    assert len(passwd.asked) == 4


def test_retry_asks_for_unknown_names_alone() -> None:
    passwd = Database(atlas001=4001)
    names = NssNames(passwd, Database())
    assert (names.uid("atlas001"), names.uid("new")) == (4001, None)
    passwd.numbers = {"atlas001": 5001, "new": 4002}
    names.retry()
    assert (names.uid("atlas001"), names.uid("new")) == (4001, 4002)
    assert passwd.asked[2:] == ["new"]


def test_number_once_known_outlives_an_outage() -> None:
    group = Database(atlas=400)
    names = NssNames(Database(), group)
    assert names.gid("atlas") == 400
    group.numbers = {}
    names.renew()
    assert names.gid("atlas") == 400


def test_system_knows_root() -> None:
    names = NssNames()
    assert (names.uid("root"), names.gid("root")) == (0, 0)


@pytest.mark.parametrize("name", ["", " no such name ", "a\0b", "\ud800"])
def test_name_that_nobody_can_have_is_unknown(name: str) -> None:
    assert system_uid(name) is None
    assert system_gid(name) is None
