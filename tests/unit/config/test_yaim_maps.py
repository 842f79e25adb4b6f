import time

import pytest

from argus_py.config.yaim import parse_groups, parse_users
from argus_py.config.yaim_maps import SiteAccounts, UnusableAccounts, site_accounts

GROUPS = """\
"/atlas/ROLE=lcgadmin":::sgm:
"/atlas/ROLE=production":::prd:
"/atlas/ROLE=pilot":::pilot:
"/atlas/lab":atlaslab:5050::
"/atlas"::::
"/atlas/*"::::
"/ops/ROLE=pilot":::pilot:
"/ops"::::
"""
USERS = """\
50001:atlas001:5000:atlas:atlas::
50002:atlas002:5000:atlas:atlas::
50101:atlassgm:5010,5000:atlassgm,atlas:atlas:sgm:
50201:prdatl01:5020,5000:atlasprd,atlas:atlas:prd:
50301:pilatl001:5030,5000:atlaspil,atlas:atlas:pilot:
50302:pilatl002:5030,5000:atlaspil,atlas:atlas:pilot:
51001:ops001:5100:ops:ops::
51301:pilops001:5130,5100:opspil,ops:ops:pilot:
"""


def joined(groups: str = GROUPS, users: str = USERS) -> SiteAccounts:
    return site_accounts(parse_groups(groups, "groups.conf"), parse_users(users, "users.conf"))


def test_each_category_gets_the_accounts_with_its_flag() -> None:
    assert joined().accounts[:6] == (
        ("/atlas/Role=lcgadmin", "atlassgm"),
        ("/atlas/Role=production", ".prdatl"),
        ("/atlas/Role=pilot", ".pilatl"),
        ("/atlas/lab", ".atlas"),
        ("/atlas", ".atlas"),
        ("/atlas/*", ".atlas"),
    )


def test_the_group_is_that_of_the_accounts_unless_the_line_names_one() -> None:
    groups = dict(joined().groups)
    assert groups["/atlas/Role=production"] == "atlasprd"
    assert groups["/atlas/lab"] == "atlaslab"


def test_all_groups_and_roles_of_a_vo_are_added_behind_its_lines() -> None:
    accounts = joined().accounts
    assert accounts[-3:] == (("/atlas/*/Role=*", ".atlas"), ("/ops/*", ".ops"), ("/ops/*/Role=*", ".ops"))


def test_the_gridmapdir_gets_the_accounts_of_pools_alone() -> None:
    assert set(joined().pool_accounts) == {
        *("atlas001", "atlas002", "prdatl01", "pilatl001", "pilatl002", "ops001", "pilops001")
    }


def test_the_pilots_make_up_the_white_list() -> None:
    assert joined().white_list == (".pilatl", ".pilops")
    assert joined().pilot_groups == ("atlaspil", "opspil")


def test_a_role_called_pilot_is_one_whatever_its_flag() -> None:
    found = joined(GROUPS.replace(":::pilot:", ":::plt:"), USERS.replace(":pilot:", ":plt:"))
    assert found.white_list == (".pilatl", ".pilops")


def test_pilots_with_the_accounts_of_members_are_refused() -> None:
    with pytest.raises(UnusableAccounts) as refusal:
        joined('"/atlas/ROLE=pilot"::::\n"/atlas"::::\n"/ops/ROLE=pilot"::::\n"/ops"::::\n')
    assert len(refusal.value.problems) == 2
    assert "groups.conf line 1: /atlas/Role=pilot leads to .atlas" in refusal.value.problems[0]


def test_accounts_of_two_kinds_in_one_pool_are_refused() -> None:
    users = USERS.replace("prdatl01", "atlas03")
    with pytest.raises(UnusableAccounts, match=r"of atlas with the flag prd and of atlas with no flag are"):
        joined(users=users)


def test_many_lines_for_many_accounts_take_reasonable_time() -> None:
    users = "".join(f"{number}:vo{number}:1:vo:vo::\n" for number in range(1, 20_001))
    groups = "".join(f'"/vo/g{number}"::::\n' for number in range(2_000))
    began = time.monotonic()
    assert len(joined(f'{groups}"/vo"::::\n', users).pool_accounts) == 20_000
    assert time.monotonic() - began < 10  # it was minutes when each line looked at each account


def test_a_category_without_accounts_is_refused_and_all_of_them_told() -> None:
    with pytest.raises(UnusableAccounts) as refusal:
        joined('"/atlas/ROLE=x":::x:\n"/atlas"::::\n"/cms"::::\n')
    assert [problem.split(":")[0] for problem in refusal.value.problems] == ["groups.conf line 1", "groups.conf line 3"]


@pytest.mark.parametrize(
    ("groups", "users", "warning"),
    [
        (f'{GROUPS}"/ops":::pilot:\n', USERS, "groups.conf line 9: /ops is there before, and counts there"),
        (GROUPS.replace('"/ops"::::\n', ""), USERS, 'groups.conf has no line "/ops":::: for the members of ops'),
        ('"/atlas"::::\n', USERS, "groups.conf has no pilot role"),
        (
            '"/ops/*/Role=*"::::\n"/ops/Role=admin":::pilot:\n',
            USERS,
            "groups.conf line 2: /ops/Role=admin is behind /ops/*/Role=*, which takes its pilots too",
        ),
        (GROUPS, f"{USERS}1:other1:5000:atlas:atlas::\n", "only the pool atlas is used"),
        (GROUPS, f"{USERS}1:atlassgm2:5010:atlassgm:atlas:sgm:\n", "only the login atlassgm is used"),
        (GROUPS, f"{USERS}1:atlas003:5001:other:atlas::\n", "have different primary groups"),
    ],
)
def test_what_may_not_be_meant_is_told(groups: str, users: str, warning: str) -> None:
    assert any(warning in each for each in joined(groups, users).warnings), joined(groups, users).warnings


def test_nothing_is_told_of_files_that_fit_together() -> None:
    assert joined().warnings == ()
