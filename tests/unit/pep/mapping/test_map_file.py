"""The lines of map files, good and bad."""

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pep.mapping.map_file import MapFile, MapFileError, parse_map_file

JOHN = DistinguishedName.parse_rfc2253("CN=John Doe,O=Example,C=CH")


def parse(*lines: str) -> MapFile:
    return parse_map_file("\n".join(lines), "grid-mapfile")


def of_fqan(map_file: MapFile, fqan: str) -> list[str]:
    parsed = Fqan.parse(fqan)
    return [target for entry in map_file.fqan_entries if entry.pattern.matches(parsed) for target in entry.targets]


def test_key_and_targets_are_read_and_trimmed() -> None:
    read = parse('  "/C=CH/O=Example/CN=John Doe"\t jdoe , .pool,,x  ')
    assert read.targets_of_dn == {JOHN: ("jdoe", ".pool", "x")}


def test_comments_and_blank_lines_are_skipped() -> None:
    assert parse("# a", "", "   # b", " \t ") == MapFile()


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
    assert parse('"/CN=a "b" c" jdoe').targets_of_dn == {quoted: ("jdoe",)}


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
    assert parse(f'"{key}" jdoe').targets_of_dn == {dn: ("jdoe",)}


def test_lines_that_name_one_dn_in_two_ways_are_joined_in_file_order() -> None:
    read = parse('"/C=CH/O=Example/CN=John Doe" b, a', '"/CN=x" c', '"CN=john doe,O=example,C=ch" a')
    assert read.targets_of_dn[JOHN] == ("b", "a", "a")


def test_key_is_an_fqan_only_with_a_leading_slash_and_no_equals_sign_in_the_first_part() -> None:
    read = parse('"/vo/Role=a" x', '"/CN=a" y', r'"/vo\/sub" z', '"//vo" w')
    assert of_fqan(read, "/vo/Role=a") == ["x"]
    assert of_fqan(read, "/vo/sub") == ["z"]
    assert of_fqan(read, "/vo") == ["w"]
    assert list(read.targets_of_dn.values()) == [("y",)]


@pytest.mark.parametrize(
    "key", ["/", "/vo*", "/*", "/vo/Role=p*", "nonsense", "E=a@x,C=CH", "/foo=bar", "/C=CH/*\\uD800"]
)
def test_key_that_can_match_nothing_is_a_warning_with_its_line(key: str) -> None:
    read = parse('"/vo" .vo', f'"{key}" x')
    assert of_fqan(read, "/vo") == [".vo"]
    [warning] = read.warnings
    assert warning.startswith("grid-mapfile: line 2 matches nobody: ")


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
