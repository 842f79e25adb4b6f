import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.worker.map_file import MapFileError, MapLine, Spellings, names, parse_map_file


def test_lines_are_read_as_lcmaps_reads_them() -> None:
    text = '# c\n\n"/vo/Role=x" .pool,group\tother # why\n/vo/* .vo\n"/C=CH/CN=a \\"b\\"" u\n/C=CH/CN=No Quotes\n'
    assert parse_map_file(text, "f") == (
        MapLine(3, "/vo/Role=x", (".pool", "group", "other"), '"/vo/Role=x" .pool,group\tother # why'),
        MapLine(4, "/vo/*", (".vo",), "/vo/* .vo"),
        MapLine(5, '/C=CH/CN=a \\"b\\"', ("u",), '"/C=CH/CN=a \\"b\\"" u'),
        MapLine(6, "/C=CH/CN=No", ("Quotes",), "/C=CH/CN=No Quotes"),
    )


@pytest.mark.parametrize("line", ['"/vo', '/vo"', '\ufeff"/vo"', '"" x', '"   " x', "x" * 20000])
def test_lines_that_cannot_be_read_refuse_the_file(line: str) -> None:
    with pytest.raises(MapFileError, match="f: line 2: "):
        parse_map_file(f"# one\n{line}\n", "f")


@pytest.mark.parametrize(
    ("key", "fqan", "named"),
    [
        ("/dteam", "/dteam/Role=NULL/Capability=NULL", True),
        ("/dteam/Role=NULL", "/dteam", True),
        ("/dteam/*", "/dteam/Role=foo", True),
        ("/dteam/*", "/dteam", False),
        ("/dteam*", "/dteam-other", True),
        ("/d?eam", "/dteam", True),
        ("/[cd]team", "/dteam", True),
        ("/[!d]team", "/dteam", False),
        ("/[z-a]team", "/dteam", False),
        ("/[[:alpha:]]team", "/dteam", True),
        ("/[![:alpha:]]team", "/dteam", False),
        ("/[x\\]d]team", "/dteam", True),
        ("/[]d]team", "/dteam", True),
        ("/[dteam", "/[dteam", True),
        ("/dteam/Role=pilot", "/dteam", False),
        ("/DTEAM", "/dteam", False),
    ],
)
def test_stars_cross_slashes(key: str, fqan: str, named: bool) -> None:
    assert names(key, Spellings.of_fqan(fqan), wildcards=True) is named


def test_without_wildcards_a_star_is_a_star() -> None:
    assert not names("/dteam/*", Spellings.of_fqan("/dteam/x"), wildcards=False)
    assert names("/dteam/*", Spellings.of_fqan("/dteam/*"), wildcards=False)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("/DC=org/CN=José/emailAddress=a@b", True),
        ("/DC=org/CN=Jos\\xC3\\xA9/Email=a@b", True),
        ("/DC=org/CN=Jos*", True),
        ("/DC=org/CN=Jose/Email=a@b", False),
        ("/DC=org", False),
    ],
)
def test_names_are_found_in_every_spelling(key: str, named: bool) -> None:
    dn = DistinguishedName.parse_slash("/DC=org/CN=José/emailAddress=a@b")
    assert names(key, Spellings.of_dn(dn), wildcards=True) is named
