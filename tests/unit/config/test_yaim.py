import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.config.yaim import Account, BadYaimFile, Category, parse_groups, parse_users


def test_a_line_of_users_conf_is_an_account_with_its_groups() -> None:
    assert parse_users("40001:prddteam01:2691,2688:dteamprd,dteam:dteam:prd:\n", "users.conf") == (
        Account(1, "prddteam01", 40001, (("dteamprd", 2691), ("dteam", 2688)), "dteam", "prd"),
    )


def test_comments_and_empty_lines_are_passed_over_and_the_last_colon_may_be_missing() -> None:
    text = "# accounts\n\n40001:dteam001:2688:dteam:dteam:\n40002:dteam002:2688:dteam:dteam::\n"
    assert [(account.line, account.flag) for account in parse_users(text, "users.conf")] == [(3, ""), (4, "")]


@pytest.mark.parametrize(
    "line",
    [
        "40001:dteam001:2688:dteam:dteam",
        "40001:dteam001:2688:dteam:dteam::more:",
        "0:dteam001:2688:dteam:dteam::",
        "40001:dteam001:0:dteam:dteam::",
        "x:dteam001:2688:dteam:dteam::",
        "40001::2688:dteam:dteam::",
        "40001:dteam 1:2688:dteam:dteam::",
        "40001:../x1:2688:dteam:dteam::",
        "40001:dteam001:2688,2689:dteam:dteam::",
        "40001:dteam001::dteam:dteam::",
        "40001:dteam001:2688:dteam:::",
        "40001:dteam001:2688:dteam:dteam:a b:",
        "99999999999:dteam001:2688:dteam:dteam::",
        "٤:dteam001:2688:dteam:dteam::",
    ],
)
def test_a_line_that_is_no_account_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(BadYaimFile) as refusal:
        parse_users(f"# users\n{line}\n", "users.conf")
    assert [problem.place.line for problem in refusal.value.problems] == [2]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("2:a001:10:a:a::", "the login a001 is that of line 1 too"),
        ("1:a002:10:a:a::", "the number 1 is that of line 1 too"),
        ("2:a002:11:a:a::", "with another number, the group a is that of line 1 too"),
    ],
)
def test_what_two_accounts_cannot_share_is_refused(second: str, reason: str) -> None:
    with pytest.raises(BadYaimFile) as refusal:
        parse_users(f"1:a001:10:a:a::\n{second}\n", "users.conf")
    assert [problem.reason for problem in refusal.value.problems] == [reason]


def test_all_lines_that_are_wrong_are_told_in_one_pass() -> None:
    with pytest.raises(BadYaimFile) as refusal:
        parse_users("x\n1:a001:10:a:a::\ny\n", "users.conf")
    assert [problem.place.line for problem in refusal.value.problems] == [1, 3]


@pytest.mark.parametrize(
    ("line", "category"),
    [
        ('"/dteam/ROLE=lcgadmin":::sgm:', Category(1, "/dteam/Role=lcgadmin", None, "sgm", "dteam")),
        ('"/dteam"::::', Category(1, "/dteam", None, "", "dteam")),
        ('"/dteam":::', Category(1, "/dteam", None, "", "dteam")),
        ('"/atlas/*"::::', Category(1, "/atlas/*", None, "", "atlas")),
        ('"/vo.x/lab":lab:1234:::', Category(1, "/vo.x/lab", "lab", "", "vo.x")),
        ('"/vo.x/lab":lab:1234::other', Category(1, "/vo.x/lab", "lab", "", "other")),
        (
            '"/VO=dteam/GROUP=/dteam/ROLE=production":::prd:',
            Category(1, "/dteam/Role=production", None, "prd", "dteam"),
        ),
        ('"/atlas/Role=pilot/*":::pilot:', Category(1, "/atlas/Role=pilot", None, "pilot", "atlas")),
        ('"/atlas/Role=pilot/Capability=NULL":::pilot:', Category(1, "/atlas/Role=pilot", None, "pilot", "atlas")),
    ],
)
def test_a_line_of_groups_conf_is_read_with_the_key_of_argus(line: str, category: Category) -> None:
    assert parse_groups(line, "groups.conf") == (category,)


@pytest.mark.parametrize(
    "line",
    [
        "/dteam::::",
        '"/dteam"',
        '"/dteam"::',
        '"/dteam":::::x',
        '"dteam"::::',
        '"/dteam/Role=a/Role=b"::::',
        '"/dteam*"::::',
        '"/dteam/a\\\\b"::::',
        '"/dteam/a\tb"::::',
        '"/dteam":a b:::',
        '"/dteam":a:x::',
        '"/dteam":::a b:',
    ],
)
def test_a_line_that_is_no_category_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(BadYaimFile) as refusal:
        parse_groups(f"\n{line}\n", "groups.conf")
    assert [problem.place.line for problem in refusal.value.problems] == [2]


@pytest.mark.parametrize("text", ["", "# nothing\n\n"])
def test_a_file_without_entries_is_refused(text: str) -> None:
    with pytest.raises(BadYaimFile):
        parse_groups(text, "groups.conf")


PIECES = st.sampled_from(['"', ":", ",", "/", "/vo", "*", "ROLE=", "a1", "100", "\n", "#", " ", "é", "VO=x/GROUP=/x"])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join)))
def test_any_text_is_read_or_refused_with_its_problems(text: str) -> None:
    read: tuple[object, ...]
    for parse in (parse_users, parse_groups):
        try:
            read = parse(text, "file")
        except BadYaimFile as error:
            read = error.problems
        assert read


@pytest.mark.parametrize("field", [0, 1, 2, 3, 5])
def test_of_a_field_that_is_much_too_long_the_beginning_is_told(field: int) -> None:
    fields = ["1", "a", "1", "g", "vo", ""]
    fields[field] = "!" * 100_000
    with pytest.raises(BadYaimFile) as refusal:
        parse_users(":".join(fields), "users.conf")
    assert len(str(refusal.value)) < 300
