import pytest

from argus_py.credentials import namespaces
from argus_py.credentials.namespaces import (
    NamespaceFile,
    NamespaceFormat,
    NamespacePolicy,
    NamespaceSyntaxError,
    comparable,
    parse_namespaces,
    parse_signing_policy,
)
from argus_py.model.dn import DistinguishedName

EACL = """
# a comment
access_id_CA   X509    '/DC=org/CN=CA'
pos_rights     globus  CA:sign
# between
cond_subjects  globus  '"/DC=org/*" "/C=XX/O=Other/*"'
"""


def test_namespaces_entries_are_read_with_their_lines() -> None:
    text = (
        "#NAMESPACES-VERSION: 1.0\n"
        "# comment\n"
        'TO Issuer "/DC=org/CN=CA" \\\n'
        '  PERMIT Subject "/DC=org/.*" # why\n'
        "\n"
        'to issuer self\tdeny subject "/E=a\\#b"\r\n'
    )
    assert parse_namespaces(text) == (
        NamespacePolicy("/dc=org/cn=ca", True, "/DC=org/.*", 3),
        NamespacePolicy(None, False, "/emailAddress=a\\#b", 6),
    )


def test_signing_policy_blocks_are_read() -> None:
    assert [(p.issuer, p.permit, p.line) for p in parse_signing_policy(EACL)] == [("/dc=org/cn=ca", True, 6)] * 2


@pytest.mark.parametrize(
    ("subjects", "subject", "matches"),
    [
        ("'\"/DC=org/*\"'", "/DC=org/OU=a/CN=b", True),
        ("'\"/DC=org/*\"'", "/dc=ORG/CN=b", True),
        ("'\"/DC=org/*\"'", "/DC=com/DC=org/CN=b", False),
        ("'\"/DC=org/CN=?\"'", "/DC=org/CN=b", True),
        ("'\"/DC=org/CN=?\"'", "/DC=org/CN=bc", False),
        ("'\"/DC=org/CN=a.c\"'", "/DC=org/CN=abc", False),  # a dot is a dot
        ("'/DC=org/CN=a b*'", "/DC=org/CN=a bc", True),  # no inner quotes: one pattern to the end
        ('"/DC=org/*"', "/DC=org/CN=b", True),  # no outer quotes
        ("'\"/E=a*\"'", "/emailAddress=ab", True),
        ("""'"/CN=a\\\\"b"'""", '/CN=a"b', True),  # unescaped once per kind of quote
    ],
)
def test_signing_policy_patterns(subjects: str, subject: str, matches: bool) -> None:
    text = f"access_id_CA X509 /CN=CA\npos_rights globus CA:sign\ncond_subjects globus {subjects}"
    assert any(policy.matches(subject) for policy in parse_signing_policy(text)) is matches


def test_signing_policy_text_outside_of_blocks_is_ignored() -> None:
    assert len(parse_signing_policy("neg_rights globus CA:sign\n" + EACL + EACL)) == 4


@pytest.mark.parametrize(
    ("expression", "subject", "matches"),
    [
        ("/DC=org/.*", "/DC=org/CN=x", True),
        ("/DC=org/.*", "/DC=com/DC=org/CN=x", False),
        ("/DC=org", "/DC=org/CN=x", False),
        ("/dc=ORG/.*", "/DC=org/CN=x", True),
        (r"/CN=\D+", "/CN=abc", True),  # BETTER: canl lower-cases \D to \d
        (r"/CN=\D+", "/CN=123", False),
        ("/USERID=x", "/UID=x", True),
        ("/Email=x", "/EMAILADDRESS=x", True),
    ],
)
def test_expressions_match_the_whole_name_in_any_case(expression: str, subject: str, matches: bool) -> None:
    (policy,) = parse_namespaces(f'TO Issuer SELF PERMIT Subject "{expression}"')
    assert policy.matches(comparable(DistinguishedName.parse_slash(subject))) is matches


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("#NAMESPACES-VERSION: 2.0", 1),
        ('\nTO Issuer SELF ALLOW Subject "x"', 2),
        ("TO Issuer SELF PERMIT Subject x", 1),
        ('TO Issuer SELF PERMIT Subject "x', 1),
        ('TO Issuer SELF PERMIT Subject "x" and more', 1),
        ('\n\nTO Issuer SELF \\\nPERMIT Subject "["', 3),
        ('TO Issuer SELF PERMIT Subject "(?=x)"', 1),  # not RE2
    ],
)
def test_damaged_namespaces_are_refused_with_the_line(text: str, line: int) -> None:
    with pytest.raises(NamespaceSyntaxError, match=f"line {line}: ") as refused:
        parse_namespaces(text)
    assert refused.value.line == line


def test_a_continued_line_may_be_the_last() -> None:
    assert len(parse_namespaces('TO Issuer SELF PERMIT Subject "x" \\')) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("access_id_CA X509", 1),
        ("access_id_CA x509 '/CN=CA'", 1),
        ("access_id_CA X509 '/CN=CA", 1),
        ("access_id_CA X509 '/CN=CA' more", 1),
        ("access_id_CA X509 '/CN=CA'\n", 1),
        ("access_id_CA X509 '/CN=CA'\nneg_rights globus CA:sign", 2),
        ("access_id_CA X509 '/CN=CA'\npos_rights globus CA:sign\n\n", 2),
        ("access_id_CA X509 '/CN=CA'\npos_rights globus CA:sign\n\ncond_subjects globus '\"a\"\"b\"'", 4),
        ("access_id_CA X509 '/CN=CA'\npos_rights globus CA:sign\ncond_subjects globus '\"a'", 3),
        ("access_id_CA X509 '/CN=CA'\npos_rights globus CA:sign\ncond_subjects globus ''", 3),
        ("access_id_CA X509 '/CN=CA'\npos_rights globus CA:sign\ncond_subjects globus '\"\" \" \"'", 3),
    ],
)
def test_damaged_signing_policies_are_refused_with_the_line(text: str, line: int) -> None:
    with pytest.raises(NamespaceSyntaxError, match=f"line {line}: ") as refused:
        parse_signing_policy(text)
    assert refused.value.line == line


def test_files_are_bounded() -> None:
    for parse in namespaces.PARSERS.values():
        with pytest.raises(NamespaceSyntaxError, match="characters"):
            parse("#" * (namespaces.MAX_FILE_LENGTH + 1))


def test_a_file_speaks_about_issuers_by_name_or_about_the_ca_it_is_named_after() -> None:
    text = 'TO Issuer SELF PERMIT Subject "a"\nTO Issuer "/DC=org/CN=CA" PERMIT Subject "b"'
    file = NamespaceFile("x", "12345678", NamespaceFormat.EUGRIDPMA, parse_namespaces(text))
    ca, other = DistinguishedName.parse_slash("/DC=org/CN=ca"), DistinguishedName.parse_slash("/DC=org/CN=Other")
    assert [p.subject for p in file.about(ca, ("12345678", "00000000"))] == ["a", "b"]
    assert [p.subject for p in file.about(ca, ("00000000", "11111111"))] == ["b"]
    assert file.about(other, ("00000000", "11111111")) == ()
