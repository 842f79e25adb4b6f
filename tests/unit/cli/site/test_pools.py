import pytest

from argus_py.cli.site.pools import BadVo, VoPools, pool_accounts


@pytest.mark.parametrize(
    ("text", "pools"),
    [
        ("dteam", VoPools("dteam", "dteam", "dteampil")),
        ("atlas:atl:atlplt", VoPools("atlas", "atl", "atlplt")),
        ("vo.example.org", VoPools("vo.example.org", "vo", "vopil")),
        ("T2K.org", VoPools("T2K.org", "t2k", "t2kpil")),
        ("vo1", VoPools("vo1", "vo", "vopil")),
    ],
)
def test_pools_have_names_that_accounts_can_have(text: str, pools: VoPools) -> None:
    assert VoPools.parse(text) == pools


@pytest.mark.parametrize("text", ["", "/vo", "a b", "vo:", "vo:pool1", "vo:Pool", "vo:a:b:c", "vo:..", "9"])
def test_what_is_no_vo_with_pools_is_refused(text: str) -> None:
    with pytest.raises(BadVo):
        VoPools.parse(text)


@pytest.mark.parametrize("vos", [["a:x:y", "b:x:z"], ["a:x:x"], ["a", "a"]])
def test_no_two_pools_have_one_name(vos: list[str]) -> None:
    with pytest.raises(BadVo):
        pool_accounts([VoPools.parse(vo) for vo in vos], 2, 1)


def test_accounts_are_numbered_with_as_many_digits_as_the_largest_needs() -> None:
    names = pool_accounts([VoPools.parse("dteam:dteam:dtplt")], 1000, 1).pool_accounts
    assert (names[0], names[1], names[-1]) == ("dtplt001", "dteam0001", "dteam1000")
