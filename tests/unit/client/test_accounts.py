import pytest

from argus_py.client.accounts import LocalAccount, UnusableAccount, resolve
from argus_py.client.answer import Account, Group

USERS = {"dteam001": 41001, "toor": 0}
GROUPS = {"dteam": 30000, "dtplt": 30001, "wheel": 0}


def resolved(name: str, *groups: str) -> LocalAccount:
    account = Account(name, 7, tuple(Group(group, 8) for group in groups))
    return resolve(account, USERS.__getitem__, GROUPS.__getitem__)


def test_names_count_and_not_the_numbers_of_the_daemon() -> None:
    assert resolved("dteam001", "dtplt", "dteam", "dtplt") == LocalAccount("dteam001", 41001, (30001, 30000))


@pytest.mark.parametrize(
    ("name", "groups", "culprit", "reason"),
    [
        ("nobody-here", ("dteam",), "nobody-here", "no such account"),
        ("dteam001", ("dteam", "none"), "none", "no such group"),
        ("toor", ("dteam",), "toor", "the number 0"),
        ("dteam001", ("dteam", "wheel"), "wheel", "the number 0"),
        ("dteam001", (), "dteam001", "names no group"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, groups: tuple[str, ...], culprit: str, reason: str) -> None:
    with pytest.raises(UnusableAccount, match=reason) as caught:
        resolved(name, *groups)
    assert caught.value.name == culprit


@pytest.mark.parametrize("name", ["no-such-account-here", "null\0character"])
def test_this_machine_is_asked_by_default(name: str) -> None:
    with pytest.raises(UnusableAccount):
        resolve(Account(name, 1, (Group("root", 1),)))
