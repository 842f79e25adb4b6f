from pathlib import Path

import pytest

from argus_py.credentials import igtf
from argus_py.credentials.igtf import (
    AcceptedProfiles,
    AuthenticationProfile,
    AuthenticationProfiles,
    IgtfSyntaxError,
    parse_accepted_profiles,
    parse_profile,
)
from argus_py.model.dn import DistinguishedName


def dn(slash: str) -> DistinguishedName:
    return DistinguishedName.parse_slash(slash)


def test_the_recorded_profiles_are_read(grid: Path) -> None:
    classic, iota = (
        parse_profile((grid / "certificates" / f"policy-igtf-{name}.info").read_text()) for name in ("classic", "iota")
    )
    assert classic.alias == "policy-igtf-classic"
    assert len(classic.cas) == 5
    assert dn("/C=XX/O=Argus Old CRL Test/CN=Old CRL CA") in classic.cas
    assert iota == AuthenticationProfile("policy-igtf-iota", frozenset({dn("/C=XX/O=Argus IOTA Test/CN=IOTA CA")}))


def test_the_recorded_choice_is_read(grid: Path) -> None:
    accepted = parse_accepted_profiles((grid / "vo-ca-ap-file").read_text())
    assert accepted.for_vo("atlas") == ("policy-igtf-classic", "policy-igtf-iota")
    assert accepted.for_vo("dteam") == accepted.for_vo("elsewhere") == accepted.without_vo == ("policy-igtf-classic",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", []),
        ("  ", []),
        ('"/CN=a"', ["/CN=a"]),
        ('"/CN=a" , "/CN=b",', ["/CN=a", "/CN=b"]),
        ('"/O=Acme, Inc./CN=a", "/CN=b"', ["/O=Acme, Inc./CN=a", "/CN=b"]),
        ("/CN=a, /CN=b", ["/CN=a", "/CN=b"]),
        ('" /CN=a "', ["/CN=a"]),
        (r'\\"/CN=a\\"', ["/CN=a"]),
    ],
)
def test_names_are_separated_by_commas_outside_quotes(names: str, expected: list[str]) -> None:
    assert parse_profile(f"alias = p\nsubjectdn = {names}").cas == frozenset(map(dn, expected))


def test_a_profile_without_names_has_no_cas() -> None:
    assert parse_profile("alias: p") == AuthenticationProfile("p", frozenset())


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "Missing value for 'alias' property"),
        ("version=1\nalias = ", 2, "Missing value for 'alias' property"),
        ("alias=p\nsubjectdn = CN=a", 2, "not a distinguished name"),
        ('alias=p\nsubjectdn = "/CN=a",,"/CN=b"', 2, "not a distinguished name"),
        ('alias=p\nsubjectdn = "/CN=a", "/CN=b', 2, "a quote is not closed"),
        ("alias=p\\u", 1, "four hexadecimal digits"),
        (" " * (igtf.MAX_FILE_LENGTH + 1), 0, "characters; 262144 are allowed"),
    ],
)
def test_a_damaged_profile_is_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(IgtfSyntaxError) as refusal:
        parse_profile(text)
    assert refusal.value.line == line
    assert reason in str(refusal.value)


def test_the_choice_is_read_with_its_order() -> None:
    accepted = parse_accepted_profiles(
        '"-" file:classic.info, file:mics.info,\\\n   file:slcs.info \n'
        "/* = file:classic.info\n/cms:file:iota.info,file:classic.info,file:iota.info\n/cms-2.x file:mics.info\n"
    )
    assert accepted.without_vo == ("classic", "mics", "slcs")
    assert accepted.any_vo == ("classic",)
    assert dict(accepted.by_vo) == {"cms": ("iota", "classic"), "cms-2.x": ("mics",)}
    assert accepted.names() == ("iota", "classic", "mics", "slcs")


def test_of_a_vo_that_stands_there_twice_the_last_counts() -> None:
    assert parse_accepted_profiles("/cms file:a.info\n/cms file:b.info").for_vo("cms") == ("b",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("- file:a.info", "Unsupported key in VO-CA-AP file: '-'"),
        ("* file:a.info", "Unsupported key in VO-CA-AP file: '*'"),
        ("cms file:a.info", "Unsupported key in VO-CA-AP file: 'cms'"),
        ("/c file:a.info", "Unsupported key in VO-CA-AP file: '/c'"),
        ("/cms/uscms file:a.info", "Unsupported key in VO-CA-AP file: '/cms/uscms'"),
        ("/cms", "Unrecognized VO-CA-AP policy: ''"),
        ("/cms a.info", "Unrecognized VO-CA-AP policy: 'a.info'"),
        ("/cms file:a.infos", "Unrecognized VO-CA-AP policy: 'file:a.infos'"),
        ("/cms file:../a.info", "Unrecognized VO-CA-AP policy: 'file:../a.info'"),
        ("/cms file:a.info,", "Unrecognized VO-CA-AP policy: 'file:a.info,'"),
        ('/cms "/CN=CA"', "Unrecognized VO-CA-AP policy: '\"/CN=CA\"'"),
    ],
)
def test_what_is_no_policy_refuses_the_file(line: str, reason: str) -> None:
    with pytest.raises(IgtfSyntaxError) as refusal:
        parse_accepted_profiles(f"/dteam file:a.info\n{line}\n")
    assert str(refusal.value) == f"line 2: {reason}"


def test_a_vo_can_only_add_to_what_is_accepted_for_all() -> None:
    accepted = AcceptedProfiles({"cms": ("iota",)}, any_vo=("classic", "iota"))
    assert accepted.for_vo("cms") == ("iota", "classic")
    assert accepted.for_vo("atlas") == ("classic", "iota")
    assert AcceptedProfiles().for_vo("cms") == ()


def test_the_entry_of_a_vo_stands_alone_where_it_is_told_to() -> None:
    accepted = AcceptedProfiles({"cms": ("iota",)}, any_vo=("classic",))
    assert accepted.for_vo("cms", own_entry_alone=True) == ("iota",)
    assert accepted.for_vo("atlas", own_entry_alone=True) == ("classic",)


def test_profiles_get_the_names_they_go_by() -> None:
    accepted = parse_accepted_profiles('/cms file:a.info,file:b.info\n/* file:b.info\n"-" file:a.info')
    renamed = accepted.renamed({"a": "one", "b": "one"})
    assert (dict(renamed.by_vo), renamed.any_vo, renamed.without_vo) == ({"cms": ("one",)}, ("one",), ("one",))


def test_a_ca_has_the_profiles_that_name_it_however_the_name_is_written() -> None:
    mail = dn("/C=XX/CN=CA/emailAddress=ca@example.org")
    one = parse_profile('alias=one\nsubjectdn="/C=XX/CN=CA/Email=ca@example.org","/CN=b"')
    other = AuthenticationProfile("other", frozenset({mail}))
    profiles = AuthenticationProfiles((one, other, one), AcceptedProfiles())
    assert profiles.of_ca(mail) == ("one", "other")
    assert profiles.of_ca(dn("/CN=c")) == ()
    assert profiles.contents() == "3 authentication profiles with 2 CAs, 0 VOs"
