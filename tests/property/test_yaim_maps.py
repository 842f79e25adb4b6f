"""Whatever YAIM's lists say: all groups and roles of their VOs get an account and a group, and pilots their own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.config.yaim import parse_groups, parse_users
from argus_py.config.yaim_maps import SiteAccounts, site_accounts
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.map_file import MapFile, parse_map_file
from argus_py.pep.mapping.plan import MappingPlan, MappingRules, plan_mapping

JO = DistinguishedName.parse_slash("/DC=org/CN=Jo")
VOS = ("atlas", "cms", "ops")
FLAGS = {"lcgadmin": "sgm", "production": "prd", "pilot": "pilot", "user": ""}
USERS = "".join(
    f"{at}{kind}{number}:{flag}{vo}{number:03d}:{at}{kind}:{flag}{vo}:{vo}:{flag}:\n"
    for at, vo in enumerate(VOS, 1)
    for kind, flag in enumerate(("", "sgm", "prd", "pilot"), 10)
    for number in range(1, 4)
)
LINES = st.tuples(st.sampled_from(["", "/de", "/de/x"]), st.sampled_from([None, *FLAGS]))


def line(vo: str, group: str, role: str | None) -> str:
    fqan = f"/{vo}{group}" if role is None else f"/{vo}{group}/ROLE={role}"
    return f'"{fqan}":::{FLAGS[role] if role else ""}:\n'


def map_file(lines: tuple[tuple[str, str], ...]) -> MapFile:
    return parse_map_file("".join(f'"{key}" {target}\n' for key, target in lines), "map file")


def plan(site: SiteAccounts, fqans: tuple[Fqan, ...]) -> MappingPlan:
    identity = GridIdentity(JO, fqans[0], fqans)
    rules = MappingRules(no_primary_group_name_is_error=True)
    return plan_mapping(map_file(site.accounts), map_file(site.groups), identity, rules, lambda _: None)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(VOS), min_size=1, unique=True),
    st.lists(LINES, max_size=6),
    st.sampled_from(["", "/de", "/de/x", "/new"]),
    st.sampled_from(["NULL", "pilot", "production", "user", "new"]),
)
def test_everybody_of_a_vo_is_mapped_and_pilots_apart(
    vos: list[str], lines: list[tuple[str, str | None]], group: str, role: str
) -> None:
    groups = "".join(line(vo, *each) for vo in vos for each in [("", "pilot"), *lines, ("", None)])
    site = site_accounts(parse_groups(groups, "groups.conf"), parse_users(USERS, "users.conf"))
    for vo in vos:
        found = plan(site, (Fqan(f"/{vo}{group}", role), Fqan(f"/{vo}")))
        assert found.groups
        assert (found.account.name in site.white_list) == ((group, role) in {("", "pilot"), *_pilots(lines)})
        assert plan(site, (Fqan(f"/{vo}", "pilot"), Fqan(f"/{vo}"))).account.name == f".pilot{vo}"


def _pilots(lines: list[tuple[str, str | None]]) -> set[tuple[str, str]]:
    return {(group, role) for group, role in lines if role == "pilot"}
