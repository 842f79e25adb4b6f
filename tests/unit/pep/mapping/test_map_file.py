"""The lines of map files, good and bad."""

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.pep.mapping.map_file import MapFile, MapFileError, parse_map_file

JOHN = DistinguishedName.parse_rfc2253("CN=John Doe,O=Example,C=CH")


def parse(*lines: str) -> MapFile:
    return parse_map_file("\n".join(lines), "grid-mapfile")


def of_fqan(map_file: MapFile, fqan: str) -> list[str]:
    return [target for entry in map_file.of_fqan(Fqan.parse(fqan)) for target in entry.targets]


def of_dn(map_file: MapFile, dn: DistinguishedName) -> list[str]:
    return [target for entry in map_file.of_dn(dn) for target in entry.targets]


def test_key_and_targets_are_read_and_trimmed() -> None:
    read = parse('  "/C=CH/O=Example/CN=John Doe"\t jdoe , .pool,,x  ')
    assert of_dn(read, JOHN) == ["jdoe", ".pool", "x"]


def test_comments_and_blank_lines_are_skipped() -> None:
    assert parse("# a", "", "   # b", " \t ") == MapFile("grid-mapfile")


def test_there_are_no_trailing_comments() -> None:
    assert of_fqan(parse('"/vo" .vo # pool'), "/vo") == [".vo # pool"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts(end: str) -> None:
    read = parse_map_file(f'"/a" x{end}"/b" y\u2028z', "grid-mapfile")
    assert of_fqan(read, "/a") == ["x"]
    assert of_fqan(read, "/b") == ["y\u2028z"]


def test_last_quote_ends_the_key_and_the_first_character_is_not_looked_at() -> None:
    assert of_fqan(parse('x/vo" .vo'), "/vo") == [".vo"]
    quoted = DistinguishedName.parse_rfc2253(r"CN=a \"b\" c")
    assert of_dn(parse('"/CN=a "b" c" jdoe'), quoted) == ["jdoe"]


@pytest.mark.parametrize(
    ("key", "dn"),
    [
        ("CN=John Doe,O=Example,C=CH", JOHN),
        ("/c=ch/o=EXAMPLE/cn=john  DOE", JOHN),
        ("/CN=a\\x2eb", DistinguishedName.parse_rfc2253("CN=a.b")),
        ("/CN=Ren\\u00e9", DistinguishedName.parse_rfc2253("CN=René")),
        ("/CN=\\uD83D\\uDE00", DistinguishedName.parse_rfc2253("CN=😀")),
        ("/CN=a\\tb", DistinguishedName.parse_rfc2253("CN=a\tb")),
        ("/CN=a\\'b", DistinguishedName.parse_rfc2253("CN=a'b")),
        (r"/CN=a\/OU=b", DistinguishedName.parse_rfc2253(r"CN=a/OU\=b")),
        (r"/CN=a\\/OU=b", DistinguishedName.parse_rfc2253(r"CN=a/OU\=b")),
        (r"/CN=Jos\\xC3\\xA9", DistinguishedName.parse_rfc2253("CN=José")),
        ("DC=ch,CN=host/ce01", DistinguishedName.parse_rfc2253("DC=ch,CN=host/ce01")),
        ("/E=a@x/USERID=u", DistinguishedName.parse_rfc2253("UID=u,EMAILADDRESS=a@x")),
    ],
)
def test_dn_keys_are_read_in_every_form(key: str, dn: DistinguishedName) -> None:
    assert of_dn(parse(f'"{key}" jdoe'), dn) == ["jdoe"]


def test_lines_that_name_one_dn_in_two_ways_both_count_in_file_order() -> None:
    read = parse('"/C=CH/O=Example/CN=John Doe" b, a', '"/CN=x" c', '"CN=john doe,O=example,C=ch" a')
    assert [(entry.line, entry.targets) for entry in read.of_dn(JOHN)] == [(1, ("b", "a")), (3, ("a",))]
    assert [(first.line, entry.line) for first, entry in read.repeated_names()] == [(1, 3)]


def test_names_that_are_not_equal_share_no_line() -> None:
    read = parse('"/DC=CERN/CN=a" x', '"/DC=cern/CN=a" y')
    assert of_dn(read, DistinguishedName.parse_slash("/DC=cern/CN=a")) == ["y"]
    assert list(read.repeated_names()) == []


def test_line_that_several_fqans_match_counts_once_and_in_file_order() -> None:
    read = parse('"/vo/b" b', '"/vo/*" all', '"/vo/a" a')
    assert [entry.line for entry in read.of_fqan(*map(Fqan.parse, ("/vo/a", "/vo/b")))] == [1, 2, 3]
    assert read.of_fqan() == ()


def test_entry_keeps_its_line_and_its_key_as_it_is_meant() -> None:
    [first, second] = parse("# comment", r'"/CN=Ren\u00e9" r', '"/vo/*" v').entries
    assert (first.line, first.key, first.pattern) == (2, "/CN=René", None)
    assert (second.line, second.key, second.pattern) == (3, "/vo/*", FqanPattern.parse("/vo/*"))


def test_key_is_an_fqan_only_with_a_leading_slash_and_no_equals_sign_in_the_first_part() -> None:
    read = parse('"/vo/Role=a" x', '"/CN=a" y', r'"/vo\/sub" z', '"//vo" w')
    assert of_fqan(read, "/vo/Role=a") == ["x"]
    assert of_fqan(read, "/vo/sub") == ["z"]
    assert of_fqan(read, "/vo") == ["w"]
    assert [entry.targets for entry in read.entries if entry.pattern is None] == [("y",)]


@pytest.mark.parametrize(
    "key", ["/", "/vo*", "/*", "/vo/Role=p*", "nonsense", "E=a@x,C=CH", "/foo=bar", "/C=CH/*\\uD800"]
)
def test_key_that_can_match_nothing_is_told_with_its_line(key: str) -> None:
    read = parse('"/vo" .vo', f'"{key}" x')
    assert [entry.line for entry in read.entries] == [1]
    [problem] = read.problems
    assert (problem.file, problem.line) == ("grid-mapfile", 2)
    assert str(problem).startswith("grid-mapfile: line 2 matches nobody: ")


def test_line_that_is_not_utf8_costs_no_other_line() -> None:
    text = b'# Jos\xe9\n"/CN=Jos\xe9" x\n"/vo" \xe9\n"/a" a'.decode("utf-8", "surrogateescape")
    read = parse_map_file(text, "grid-mapfile")
    assert [entry.line for entry in read.entries] == [4]
    assert list(map(str, read.problems)) == [
        f"grid-mapfile: line {line} matches nobody: it is not UTF-8" for line in (2, 3)
    ]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("/C=CH/CN=*", "has a star in a DN, which stands for itself: there are no wildcards in DNs"),
        ("/C=CH/XX=a/CN=b", "has an unknown attribute type among C, XX, CN, which is read as part of a value"),
    ],
)
def test_dn_that_may_not_mean_what_its_writer_thought_is_told(key: str, reason: str) -> None:
    read = parse(f'"{key}" x')
    assert of_dn(read, DistinguishedName.parse_slash(key)) == ["x"]
    assert list(map(str, read.problems)) == [f"grid-mapfile: line 1 {reason}"]


@pytest.mark.parametrize("key", [r"/C=CH/CN=a\/XX=b", "/CN=host/ce01", "/CN=a=b", r"CN=a/XX\\=b"])
def test_dn_without_a_doubt_is_not_told(key: str) -> None:
    assert parse(f'"{key}" x').problems == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/vo .vo", "not in double quotes"),
        ('"/vo .vo', "not in double quotes"),
        ('"', "not in double quotes"),
        ('"/vo"', "entry value may not be null or empty"),
        ('"/vo" , ,', "entry value may not be null or empty"),
        ('"" x', "entry key may not be null or empty"),
        ('" \\t " x', "entry key may not be null or empty"),
        ('"/vo\\q" x', "Escape sequence '\\q' in string '/vo\\q' is not supported"),
        ('"/vo\\x2" x', "is not supported"),
        ('"/vo\\u00e" x', "is not supported"),
        ('"/vo\\" x', "is not supported"),
        ('"/other" x', "An entry with the key: /other already exists, it can not be replaced"),
    ],
)
def test_bad_line_refuses_the_file_and_is_named(line: str, reason: str) -> None:
    with pytest.raises(MapFileError) as refusal:
        parse("# first", '"/other" x', line)
    assert reason in refusal.value.reason
    assert (refusal.value.file, refusal.value.line) == ("grid-mapfile", 3)
    assert str(refusal.value).startswith("grid-mapfile: Error on map file line 3: ")


def test_refusal_is_one_honest_line() -> None:
    with pytest.raises(MapFileError) as refusal:
        parse(r'"/vo\n\uD800" x', r'"/vo\n\uD800" x')
    assert r"line 2: An entry with the key: /vo\0A\ud800 already exists" in str(refusal.value)
