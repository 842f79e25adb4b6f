"""Lines of map files that have no effect or lead nowhere."""

import pytest

from argus_py.pep.mapping.checks import broken_lease_names, root_targets, shadowed_lines, unknown_targets
from argus_py.pep.mapping.map_file import MapFile, parse_map_file


def parse(*lines: str) -> MapFile:
    return parse_map_file("\n".join(lines), "map")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/vo/*/Role=*", "/vo/Role=pilot"),
        ("/vo/*/Role=*", "/vo/sub/*"),
        ("/vo/*/Role=*", "/vo/*/Role=pilot"),
        ("/vo/*", "/vo"),
        ("/vo/*", "/vo/a/b"),
        ("/vo/Role=*", "/vo/Role=pilot"),
        ("/vo/Role=*", "/vo"),
        ("/vo", "/vo/Role=NULL/Capability=NULL"),
        ("/C=CH/CN=John", "CN=john,C=ch"),
    ],
)
def test_line_whose_matches_an_earlier_line_takes_is_told(first: str, second: str) -> None:
    read = parse('"/other" x', f'"{first}" .a', f'"{second}" .b')
    assert list(map(str, shadowed_lines(read))) == ["map: line 3 has no effect: line 2 matches all that it matches"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/vo/Role=pilot", "/vo/*/Role=*"),
        ("/vo/*", "/vo/Role=pilot"),
        ("/vo", "/vo/*"),
        ("/vo/Role=pilot", "/vo/Role=*"),
        ("/vo/*/Role=*", "/vo2"),
        ("/vo/Role=*", "/vo/*/Role=pilot"),
        ("/DC=CH/CN=John", "/DC=ch/CN=John"),
        ("/C=CH/CN=John", "/vo"),
    ],
)
def test_line_that_matches_more_or_others_is_not(first: str, second: str) -> None:
    assert list(shadowed_lines(parse(f'"{first}" .a', f'"{second}" .b'))) == []


def test_line_with_the_same_target_is_harmless() -> None:
    assert list(shadowed_lines(parse('"/vo/*" .vo', '"/vo" .vo, x', '"/CN=a" b', '"CN=A" b'))) == []


def test_targets_are_told_once_with_their_first_line() -> None:
    read = parse('"/a" x, .pool', '"/b" root, x', '"/c" root')
    asked: list[str] = []
    assert list(map(str, unknown_targets(read, lambda name: asked.append(name) or name == "root"))) == [  # type: ignore[func-returns-value]
        "map: line 1 leads to 'x', which does not exist here",
        "map: line 1 leads to '.pool', which does not exist here",
    ]
    assert asked == ["x", ".pool", "root"]
    assert list(map(str, root_targets(read))) == ["map: line 2 leads to root: whom it matches is refused"]


@pytest.mark.parametrize("name", ["a:b", "a/b", "a\0b"])
def test_group_that_breaks_lease_names_is_told(name: str) -> None:
    [problem] = broken_lease_names(parse('"/a" my group', f'"/b" {name}'))
    assert str(problem).startswith(f"map: line 2 names the group {name!r}: ")
