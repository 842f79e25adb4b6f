"""Which lines count for the account and which for the groups; the recorded cases are in the vectors."""

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pep.mapping.accounts import account_indicator, blind_to_role, pool_prefix
from argus_py.pep.mapping.groups import GroupWithoutNumber, by_number, group_targets
from argus_py.pep.mapping.identity import GridIdentity, NoAccountIndicator
from argus_py.pep.mapping.map_file import MapFile, MapTarget, parse_map_file

JOHN = DistinguishedName.parse_rfc2253("CN=John\nDoe,C=CH")
PILOT, VO, SUB = map(Fqan.parse, ("/vo/Role=pilot", "/vo", "/vo/sub"))


def parse(*lines: str) -> MapFile:
    return parse_map_file("\n".join(lines), "map")


def account(accounts: MapFile, identity: GridIdentity, prefer_dn: bool) -> str:
    return account_indicator(accounts, identity, prefer_dn).name


def group_names(groups: MapFile, identity: GridIdentity, prefer_dn: bool) -> tuple[str, ...]:
    return tuple(group.name for group in group_targets(groups, identity, prefer_dn))


def test_first_target_of_the_first_line_counts() -> None:
    accounts = parse('"/vo/*/Role=*" .first, second', '"/vo/Role=pilot" .third')
    target = account_indicator(accounts, GridIdentity(JOHN, PILOT), prefer_dn=True)
    assert (target.name, target.entry.line) == (".first", 1)


@pytest.mark.parametrize(("prefer_dn", "expected"), [(True, "jdoe"), (False, ".vo")])
def test_dn_or_fqan_is_preferred_as_configured(prefer_dn: bool, expected: str) -> None:
    accounts = parse('"/vo" .vo', '"/C=CH/CN=John\\nDoe" jdoe')
    assert account(accounts, GridIdentity(JOHN, VO), prefer_dn) == expected


@pytest.mark.parametrize("prefer_dn", [True, False])
def test_the_other_kind_is_the_fallback(prefer_dn: bool) -> None:
    assert account(parse('"/vo" .vo'), GridIdentity(JOHN, VO), prefer_dn) == ".vo"
    assert account(parse('"/C=CH/CN=John\\nDoe" jd'), GridIdentity(JOHN, VO), prefer_dn) == "jd"


def test_secondary_fqans_give_no_account() -> None:
    identity = GridIdentity(JOHN, SUB, (SUB, VO))
    with pytest.raises(NoAccountIndicator) as refusal:
        account_indicator(parse('"/vo" .vo'), identity, prefer_dn=False)
    assert refusal.value.identity is identity
    assert str(refusal.value) == (
        r'Failed to map subject DN CN="John\0ADoe", C=CH, primary FQAN /vo/sub, secondary FQANs [/vo/sub, /vo] '
        "to an account indicator"
    )


def test_without_a_primary_fqan_no_pattern_fits() -> None:
    with pytest.raises(NoAccountIndicator, match="primary FQAN null, secondary FQANs null"):
        account_indicator(parse('"/vo/*/Role=*" .vo'), GridIdentity(JOHN), prefer_dn=True)


def test_leading_dot_names_a_pool() -> None:
    assert pool_prefix(".dteam") == "dteam"
    assert pool_prefix("dteam") is None
    assert pool_prefix(".") == ""


@pytest.mark.parametrize(
    ("prefer_dn", "expected"),
    [(True, ("d", "p", "x", "s", "p")), (False, ("p", "x", "s", "p", "d"))],
)
def test_three_lists_in_file_order_keep_doubles_between_them(prefer_dn: bool, expected: tuple[str, ...]) -> None:
    groups = parse('"/vo/sub" s', '"/vo/*/Role=pilot" p, x, p', '"/C=CH/CN=John\\nDoe" d, d', '"/vo" s, p')
    identity = GridIdentity(JOHN, PILOT, (PILOT, VO, SUB))
    assert group_names(groups, identity, prefer_dn) == expected


def test_group_of_a_secondary_fqan_becomes_primary_where_nothing_else_fits() -> None:
    assert group_names(parse('"/vo" g'), GridIdentity(JOHN, None, (VO,)), prefer_dn=True) == ("g",)


def test_nothing_fits_is_no_group() -> None:
    assert group_names(parse('"/other" g'), GridIdentity(JOHN, VO, (VO,)), prefer_dn=True) == ()


def test_a_group_comes_from_the_first_line_that_names_it() -> None:
    groups = parse('"/vo/*" g', '"/vo" g, h', '"/CN=x" z')
    found = group_targets(groups, GridIdentity(JOHN, VO), prefer_dn=True)
    assert [(group.name, group.entry.line) for group in found] == [("g", 1), ("h", 2)]


def test_line_that_lacks_the_role_is_found_for_the_operator() -> None:
    accounts = parse('"/vo/*" .vo', '"/vo/Role=x" .x', '"/other/*" .other')
    assert [entry.line for entry in blind_to_role(accounts, GridIdentity(JOHN, PILOT))] == [1]
    assert blind_to_role(accounts, GridIdentity(JOHN, VO)) == ()
    assert blind_to_role(accounts, GridIdentity(JOHN)) == ()


NUMBERS = {"p": 30, "x": 30, "a": 20, "b": 10, "z": 0}


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ((), ()),
        (("p",), ("p",)),
        (("unknown",), ("unknown",)),  # the number of the primary group alone is not needed
        (("p", "a", "b"), ("p", "b", "a")),
        (("a", "b", "a", "p", "b"), ("a", "b", "a", "p")),
        (("a", "p", "x"), ("a", "p")),  # two names of one number
        (("a", "z", "b"), ("a", "z", "b")),
    ],
)
def test_secondary_groups_by_number_without_doubles(names: tuple[str, ...], ordered: tuple[str, ...]) -> None:
    entry = parse('"/vo" ' + ",".join(names or ["-"])).entries[0]
    targets = tuple(MapTarget(name, entry) for name in names)
    assert tuple(target.name for target in by_number(targets, NUMBERS.get)) == ordered


def test_group_without_a_number_has_no_place() -> None:
    entry = parse('"/vo" p, nowhere').entries[0]
    with pytest.raises(GroupWithoutNumber, match="does not know the group 'nowhere'") as refusal:
        by_number((MapTarget("p", entry), MapTarget("nowhere", entry)), NUMBERS.get)
    assert refusal.value.group == "nowhere"
