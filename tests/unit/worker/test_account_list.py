import pytest

from argus_py.worker.account_list import AccountList


@pytest.mark.parametrize(
    ("account", "admitted"),
    [
        ("tomcat", True),
        ("tomcat1", False),
        ("atlpilot1", True),
        ("atlpilot007", True),
        ("atlpilot", False),
        ("atlpilotprod01", False),
        ("atlpilot٣", False),
        (".atlpilot", False),
        ("", False),
    ],
)
def test_accounts_are_exact_and_pools_are_prefix_and_digits(account: str, admitted: bool) -> None:
    assert AccountList.parse("tomcat, .atlpilot").admits(account) is admitted


@pytest.mark.parametrize("text", ["%group", "a/b", ".", "*", "1st", "a;b"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither an account nor a pool"):
        AccountList.parse(text)


def test_empty_list_admits_nobody() -> None:
    assert AccountList.parse(" , ") == AccountList()
    assert not AccountList().admits("root")
