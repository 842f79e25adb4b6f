"""Permissions, the access control list and the gate."""

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.authorization import (
    ANYONE,
    Acl,
    AclSyntaxError,
    Act,
    ActNotPermitted,
    Admin,
    Gate,
    Permission,
    parse_acl,
)

READ, WRITE = Permission.POLICY_READ_LOCAL, Permission.POLICY_WRITE
TEXT = """\
# administrators
[dn]
"/DC=org/DC=example/CN=PAP Admin" : ALL
"CN=other admin,DC=example,DC=org" : POLICY_READ_LOCAL|POLICY_READ_REMOTE
"/DC=org/CN=host/pap.example.org:8150/emailAddress=ops@example.org":POLICY_WRITE
ANYONE : CONFIGURATION_READ

; groups
[fqan]
/dteam/Role=VO-Admin : POLICY_WRITE|CONFIGURATION_WRITE
"""


def admin(dn: str, *fqans: str) -> Admin:
    return Admin(DistinguishedName.parse_slash(dn), tuple(map(Fqan.parse, fqans)))


@pytest.mark.parametrize(
    ("who", "permissions"),
    [
        (admin("/DC=org/DC=example/CN=PAP Admin"), Permission.ALL),
        (
            admin("/DC=org/DC=example/CN=other admin"),
            READ | Permission.POLICY_READ_REMOTE | Permission.CONFIGURATION_READ,
        ),
        (
            admin("/DC=org/CN=host/pap.example.org:8150/Email=ops@example.org"),
            WRITE | Permission.CONFIGURATION_READ,
        ),
        (admin("/DC=org/CN=nobody"), Permission.CONFIGURATION_READ),
        (admin("/DC=org/DC=example/CN=pap admin"), Permission.CONFIGURATION_READ),
        (
            admin("/DC=org/CN=nobody", "/dteam/Role=VO-Admin/Capability=NULL"),
            WRITE | Permission.CONFIGURATION_WRITE | Permission.CONFIGURATION_READ,
        ),
        (admin("/DC=org/CN=nobody", "/dteam/sub/Role=VO-Admin"), Permission.CONFIGURATION_READ),
    ],
)
def test_permissions_of_all_entries_that_fit_add_up(who: Admin, permissions: Permission) -> None:
    assert parse_acl(TEXT, "acl").permissions_of(who) == permissions


def test_the_last_entry_of_a_principal_counts() -> None:
    acl = parse_acl('[dn]\n"/CN=a" : ALL\n"CN=a" : POLICY_WRITE\n', "acl")
    assert acl.permissions_of(admin("/CN=a")) == WRITE


def test_another_letter_case_is_another_entry() -> None:
    acl = parse_acl('[dn]\n"/CN=admin" : POLICY_READ_LOCAL\n"/CN=Admin" : ALL\n', "acl")
    assert acl.permissions_of(admin("/CN=admin")) == READ
    assert acl.permissions_of(admin("/CN=Admin")) == Permission.ALL


@pytest.mark.parametrize("entry", ["/DC=org/CN=robot/CN=admin", "CN=admin,CN=robot,DC=org"])
def test_a_slash_in_a_value_makes_nobody_an_admin(entry: str) -> None:
    acl = parse_acl(f'[dn]\n"{entry}" : ALL\n', "acl")
    pretender = Admin(DistinguishedName.parse_rfc2253("CN=robot/CN\\=admin,DC=org"))
    assert acl.permissions_of(pretender) == Permission(0)
    assert acl.permissions_of(Admin(DistinguishedName.parse_rfc2253("CN=admin,CN=robot,DC=org"))) == Permission.ALL


@pytest.mark.parametrize("entry", ["/O=x/OU=unit/CN=a", "CN=a+OU=unit,O=x"])
def test_an_entry_may_tell_a_name_of_several_values_one_after_the_other(entry: str) -> None:
    acl = parse_acl(f'[dn]\n"{entry}" : ALL\n', "acl")
    assert acl.permissions_of(Admin(DistinguishedName.parse_rfc2253("CN=a+OU=unit,O=x"))) == Permission.ALL


def test_nobody_may_anything_by_an_empty_list() -> None:
    assert parse_acl("", "acl").permissions_of(admin("/CN=a")) == Permission(0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[other]", "Stanza '[other]' is not supported!"),
        ('"/CN=a" ALL', "does not match the PRINCIPAL : PERMISSION format"),
        ('"/CN=a" : ALL | POLICY_WRITE', "does not match the PRINCIPAL : PERMISSION format"),
        ('"/CN=a" : ', "does not match the PRINCIPAL : PERMISSION format"),
        ('"/CN=a" : WRITE', "Unknown permission passed as argument! 'WRITE'."),
        ("/CN=a : ALL", "without its double quotes"),
        ("/vo : ALL", "outside of the [fqan] stanza"),
        ('"nonsense" : ALL', "not a distinguished name"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: str, reason: str) -> None:
    with pytest.raises(AclSyntaxError) as caught:
        parse_acl(f"\n[dn]\n{line}\n", "/etc/argus/pap/pap_authorization.ini")
    assert str(caught.value).startswith("/etc/argus/pap/pap_authorization.ini, line 3: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("line", ["ANYONE : ALL", '"/CN=a" : ALL', "vo : ALL"])
def test_the_stanza_of_groups_holds_groups_only(line: str) -> None:
    with pytest.raises(AclSyntaxError):
        parse_acl(f"[fqan]\n{line}\n", "acl")


def test_an_entry_before_the_first_stanza_is_refused() -> None:
    with pytest.raises(AclSyntaxError):
        parse_acl("ANYONE : ALL\n", "acl")


def test_every_bad_line_is_told() -> None:
    with pytest.raises(AclSyntaxError) as caught:
        parse_acl("[dn]\nx\nANYONE : ALL\ny : z\n", "acl")
    assert [line for line, _ in caught.value.problems] == [2, 4]


def gate_for(anybody: Permission) -> Gate:
    return Gate(lambda: Acl(((ANYONE, anybody),)))


@pytest.mark.parametrize("act", Act)
def test_an_act_needs_all_its_flags(act: Act) -> None:
    who = admin("/CN=a")
    gate_for(act.needs).admit(who, act)
    for flag in act.needs:
        with pytest.raises(ActNotPermitted) as caught:
            gate_for(Permission.ALL & ~flag).admit(who, act)
        assert caught.value.missing == flag
        assert str(caught.value) == f"Insufficient privileges: CN=a may not {act.words}: {flag.name} is missing"


def test_every_act_has_words_of_its_own() -> None:
    assert len({act.words for act in Act}) == len(Act.__members__)


def test_two_spellings_of_a_principal_are_one_entry() -> None:
    acl = Acl.of(
        ((admin("/O=x/Email=a@b").dn, READ), (Fqan.parse("/vo"), READ), (admin("/O=x/emailAddress=a@b").dn, WRITE))
    )
    assert [permissions for _, permissions in acl.entries] == [WRITE, READ]
    assert acl.with_entry(Fqan.parse("/vo/Role=NULL"), WRITE).entries[1] == (Fqan.parse("/vo"), WRITE)
    assert acl.without(admin("/O=x/E=a@b").dn).entries == ((Fqan.parse("/vo"), READ),)
