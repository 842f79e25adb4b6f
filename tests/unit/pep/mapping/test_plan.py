"""What is worked out before an account is leased, and what is refused without asking for one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pep.mapping.groups import GroupWithoutNumber
from argus_py.pep.mapping.identity import GridIdentity, NoAccountIndicator, NoPrimaryGroup
from argus_py.pep.mapping.map_file import MapFile, parse_map_file
from argus_py.pep.mapping.plan import GroupOrder, MappingPlan, MappingRules, RootRefused, plan_mapping

DN = DistinguishedName.parse_slash("/C=CH/O=Example/CN=John Doe")
JD = "%2fc%3dch%2fo%3dexample%2fcn%3djohn%20doe"
IDENTITY = GridIdentity(DN, Fqan("/vo", "pilot"), (Fqan("/vo", "pilot"), Fqan("/vo"), Fqan("/vo/sub")))
# The worked example of a shared directory: the numbers ascend against the order of the lines.
GIDS = {"vopilot": 2003, "vo": 2002, "vosub": 2001}
ACCOUNTS = '"/vo/*/Role=*" .vo'
GROUPS = '"/vo/Role=pilot" vopilot\n"/vo" vo\n"/vo/sub" vosub'
DEFAULTS = MappingRules()


def no_gid(group: str) -> int | None:
    raise AssertionError(f"nobody needs the number of {group}")


def parse(text: str, file: str = "map") -> MapFile:
    return parse_map_file(text, file)


def worked_out(
    rules: MappingRules = DEFAULTS, accounts: str = ACCOUNTS, groups: str = GROUPS, identity: GridIdentity = IDENTITY
) -> MappingPlan:
    gid_of = no_gid if rules.secondary_group_order is GroupOrder.MAP_FILE else GIDS.get
    return plan_mapping(parse(accounts, "accounts"), parse(groups, "groups"), identity, rules, gid_of)


def test_plan_names_the_lines() -> None:
    plan = worked_out(groups="# comment\n" + GROUPS)
    assert (plan.account.name, plan.account.entry.line, plan.pool) == (".vo", 1, "vo")
    assert [(group.name, group.entry.line) for group in plan.groups] == [("vopilot", 2), ("vo", 3), ("vosub", 4)]


@pytest.mark.parametrize(
    ("rules", "lease"),
    [
        (DEFAULTS, f"{JD}:vopilot:vo:vosub"),
        (replace(DEFAULTS, secondary_group_order=GroupOrder.GID), f"{JD}:vopilot:vosub:vo"),
        (replace(DEFAULTS, use_secondary_group_names_for_mapping=False), f"{JD}:vopilot"),
    ],
)
def test_lease_has_the_groups_of_the_convention_configured(rules: MappingRules, lease: str) -> None:
    plan = worked_out(rules)
    assert plan.lease == lease
    assert len(plan.groups) == 3


def test_both_conventions_can_be_asked_for() -> None:
    plan = worked_out()
    assert plan.lease_name(secondary_groups=True) == f"{JD}:vopilot:vo:vosub"
    assert plan.lease_name(secondary_groups=False) == f"{JD}:vopilot"


def test_login_of_a_line_has_no_lease() -> None:
    plan = worked_out(accounts='"/C=CH/O=Example/CN=John Doe" jdoe')
    assert (plan.pool, plan.lease) == (None, None)
    assert plan.lease_name(secondary_groups=False) == f"{JD}:vopilot"  # what it would be in a pool


def test_lcmaps_keeps_the_lease_under_ascending_numbers() -> None:
    assert worked_out().other_lease_names(GIDS.get) == (f"{JD}:vopilot:vosub:vo",)


def test_lcmaps_without_secondary_groups_makes_the_same_name() -> None:
    rules = replace(DEFAULTS, use_secondary_group_names_for_mapping=False)
    assert worked_out(rules).other_lease_names(GIDS.get) == ()


def test_group_that_has_no_number_leaves_the_order_of_the_map_file() -> None:
    assert worked_out().other_lease_names(lambda group: None) == ()


def test_lcmaps_may_spell_the_dn_of_openssl() -> None:
    dn = DistinguishedName.parse_slash("/DC=ch/CN=pilot02/vocms080")
    identity = replace(IDENTITY, dn=dn)
    assert worked_out(identity=identity).other_lease_names(GIDS.get) == (
        "%2fdc%3dch%2fcn%3dpilot02%5c%2fvocms080:vopilot:vo:vosub",
        "%2fdc%3dch%2fcn%3dpilot02%2fvocms080:vopilot:vosub:vo",
        "%2fdc%3dch%2fcn%3dpilot02%5c%2fvocms080:vopilot:vosub:vo",
    )


def test_nobody_fits() -> None:
    with pytest.raises(NoAccountIndicator):
        worked_out(accounts='"/other" .vo')


def test_missing_group_is_an_error_only_if_so_configured() -> None:
    assert worked_out(groups="").lease == JD
    with pytest.raises(NoPrimaryGroup):
        worked_out(replace(DEFAULTS, no_primary_group_name_is_error=True), groups="")


def test_order_by_number_needs_the_numbers() -> None:
    with pytest.raises(GroupWithoutNumber):
        worked_out(replace(DEFAULTS, secondary_group_order=GroupOrder.GID), groups=GROUPS + ", nowhere")


@pytest.mark.parametrize(
    ("accounts", "groups", "culprit"),
    [
        ('"/vo/Role=pilot" root', GROUPS, "accounts: line 1"),
        (ACCOUNTS, '"/vo" vo\n"/vo/sub" wheel, root', "groups: line 2"),
    ],
)
def test_root_is_refused_unless_allowed(accounts: str, groups: str, culprit: str) -> None:
    with pytest.raises(RootRefused, match=f"^{culprit} leads to root: only allowRoot would allow that$"):
        worked_out(accounts=accounts, groups=groups)
    allowed = worked_out(replace(DEFAULTS, allow_root=True), accounts, groups)
    assert "root" in (allowed.account.name, *allowed.group_names)


def test_line_for_root_that_is_not_the_first_harms_nobody() -> None:
    assert worked_out(accounts=ACCOUNTS + '\n"/vo/Role=pilot" root').pool == "vo"


LCMAPS = json.loads(
    (Path(__file__).parents[3] / "vectors" / "mapping" / "lcmaps-runs.json").read_text(encoding="utf-8")
)
# LCMAPS stops at the first line for each FQAN, and garbles octets above 127 that were not escaped.
ITS_OWN_WAY = ["/dteam/NGI_IT", "Jos\u00e9 M\u00fcller"]


@pytest.mark.parametrize("case", LCMAPS["cases"], ids=lambda case: case["lease"][-45:])
def test_lease_that_lcmaps_made_is_looked_for(case: dict[str, Any]) -> None:
    fqans = tuple(map(Fqan.parse, case["fqans"]))
    plan = plan_mapping(
        parse("\n".join(LCMAPS["gridmapfile"])),
        parse("\n".join(LCMAPS["groupmapfile"])),
        GridIdentity(DistinguishedName.parse_slash(case["dn"]), fqans[0], fqans),
        MappingRules(
            prefer_dn_for_login_name=False, use_secondary_group_names_for_mapping=bool(case["secondary_gids"])
        ),
        no_gid,
    )
    found = case["lease"] in (plan.lease, *plan.other_lease_names(LCMAPS["gids"].get))
    assert found == (case["fqans"][0] not in ITS_OWN_WAY and not any(name in case["dn"] for name in ITS_OWN_WAY))
