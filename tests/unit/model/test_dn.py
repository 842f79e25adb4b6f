"""The recorded answers of the JDK, canl and OpenSSL, and the rules between them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from argus_py.model.dn import (
    MAX_ATTRIBUTES,
    MAX_TEXT_LENGTH,
    AttributeTypeAndValue,
    DistinguishedName,
    DnSyntaxError,
    escape_controls,
)

Vector = dict[str, Any]
Reader = Callable[[bytes], DistinguishedName]
CN, EMAIL, TITLE = "2.5.4.3", "1.2.840.113549.1.9.1", "2.5.4.12"


@pytest.fixture
def name(vector: Vector, read_name: Reader) -> DistinguishedName:
    return read_name(base64.b64decode(vector["der"]))


def rfc2253(text: str) -> DistinguishedName:
    return DistinguishedName.parse_rfc2253(text)


def slash(text: str) -> DistinguishedName:
    return DistinguishedName.parse_slash(text)


def test_rfc2253_text_is_that_of_the_jdk(vector: Vector, name: DistinguishedName) -> None:
    assert name.rfc2253() == vector["jdk_rfc2253"]


def test_java_string_is_that_of_the_jdk(vector: Vector, name: DistinguishedName) -> None:
    assert name.java_string() == vector["jdk_tostring"]


def test_slash_form_is_that_of_canl(vector: Vector, name: DistinguishedName) -> None:
    assert name.slash() == vector["canl_openssl"]


def test_readable_form_is_that_of_canl_with_controls_escaped(vector: Vector, name: DistinguishedName) -> None:
    assert name.readable() == escape_controls(vector["canl_readable"])


def test_name_equals_its_own_rfc2253_text(vector: Vector, name: DistinguishedName) -> None:
    # Java finds T61String and BMPString names unequal to their text; here the string type does not count.
    assert rfc2253(vector["jdk_rfc2253"]) == name


def test_oneline_is_that_of_openssl_3_but_for_the_case_of_labels(vector: Vector, name: DistinguishedName) -> None:
    # OpenSSL shows the bytes of the string type, and a name that went through text has lost that.
    same = vector["what"] not in ("the same, BMPString", "the same, T61String (Latin-1 bytes)")
    assert (name.oneline(escaped=True).lower() == vector["openssl3_oneline"].lower()) == same


@pytest.mark.parametrize(
    ("text", "oneline"),
    [
        (r"CN=a/b\+c,C=CH", "/C=CH/CN=a/b+c"),
        ("CN=A+UID=b,C=CH", "/C=CH/CN=A/UID=b"),
        ("CN=a\tb\x7fé,T=Dr", r"/title=Dr/CN=a\x09b\x7F\xC3\xA9"),
    ],
)
def test_oneline_of_older_openssl_escapes_nothing_that_can_be_printed(text: str, oneline: str) -> None:
    assert rfc2253(text).oneline(escaped=False) == oneline


def test_slash_form_of_openssl_3_reads_back(vector: Vector, name: DistinguishedName) -> None:
    # OpenSSL shows a BMPString byte by byte; nobody can tell it from Latin-1 text.
    assert (slash(vector["openssl3_oneline"]) == name) == (vector["what"] != "the same, BMPString")


def test_slash_form_of_canl_reads_back_where_it_is_unambiguous(vector: Vector, name: DistinguishedName) -> None:
    ambiguous = ("slash and equals sign inside a CN", "multi-valued RDN", "tab and line feed in a value")
    assert (slash(vector["canl_openssl"]) == name) == (vector["what"] not in ambiguous)


def test_names_are_equal_where_the_canonical_forms_of_the_jdk_are(
    vector: Vector, name: DistinguishedName, read_name: Reader, all_vectors: list[Vector]
) -> None:
    for other in all_vectors:
        if vector["reparse_equal"] == other["reparse_equal"] == "true":  # else Java compares string types
            same = vector["jdk_canonical"] == other["jdk_canonical"]
            assert (name == read_name(base64.b64decode(other["der"]))) == same


def test_names_are_loosely_equal_where_the_comparable_forms_of_canl_are(
    vector: Vector, name: DistinguishedName, read_name: Reader, all_vectors: list[Vector]
) -> None:
    for other in all_vectors:
        same = vector["canl_comparable"] == other["canl_comparable"]
        assert name.loosely_equal(read_name(base64.b64decode(other["der"]))) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=some  user, o=EXAMPLE,C=it", "CN=Some User,O=Example,C=IT"),
        ("CN=A+OU=B,C=IT", "OU=B+CN=A,C=IT"),
        ("2.5.4.3=X,C=IT", "CN=X,C=IT"),
        ("OID.2.5.4.3=X;C=IT", "CN=X,C=IT"),
        ("oid.2.5.4.3 = X , C=IT", "CN=X,C=IT"),
        ("CN=STRASSE", "CN=straße"),
        ("CN=\uff21", "CN=a"),  # full-width letter: compatibility decomposition
        ("CN=\\ Tim\\ ", "CN=tim"),
        ('CN="Doe, J.",C=CH', "CN=Doe\\, J.,C=CH"),
        ("CN=Jos\\C3\\A9", "CN=José"),
        ("CN=#0c0141", "CN=a"),
        ("CN=#1e020041", "CN=a"),
        ("EMAIL=a@x", f"{EMAIL}=#1603614078"),
        ("ST=x,S=y", "S=X,ST=Y"),
        ("T=Dr", "2.5.4.12=Dr"),
        ("", "  "),
    ],
)
def test_equal_by_the_rule_of_java(one: str, other: str) -> None:
    assert rfc2253(one) == rfc2253(other)
    assert hash(rfc2253(one)) == hash(rfc2253(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C=IT,O=Example,CN=Some User", "CN=Some User,O=Example,C=IT"),
        ("DC=CERN", "DC=cern"),
        ("EMAILADDRESS=A@x", "EMAILADDRESS=a@x"),
        ("SERIALNUMBER=a", "SERIALNUMBER=A"),
        ("T=dr", "T=Dr"),
        ("DC=a  b", "DC=a b"),
        ("CN=a,CN=b", "CN=a+CN=b"),
        ("CN=a", "CN=a,C=CH"),
        ("CN=a", ""),
        ("CN=#0101ff", "CN=\\#0101ff"),  # a boolean, and the text that shows it
    ],
)
def test_unequal_by_the_rule_of_java(one: str, other: str) -> None:
    assert rfc2253(one) != rfc2253(other)


def test_a_name_is_not_equal_to_its_text() -> None:
    assert rfc2253("CN=a") != "CN=a"


def test_loose_equality_ignores_the_case_of_dc_and_email_too() -> None:
    one = rfc2253("EMAILADDRESS=A@X.org,CN=a,DC=CERN,DC=CH")
    assert one.loosely_equal(rfc2253("EMAILADDRESS=a@x.org,CN=A,DC=cern,DC=ch"))
    assert not one.loosely_equal(rfc2253("EMAILADDRESS=a@y.org,CN=A,DC=cern,DC=ch"))
    assert not rfc2253("T=Dr").loosely_equal(rfc2253("T=dr"))


@pytest.mark.parametrize(
    "text",
    [
        "E=a@x,C=IT",
        "TITLE=x",
        "USERID=x",
        "SN=x",
        "GN=x",
        "POSTALCODE=1",
        "PSEUDONYM=x",
        "/C=CH/CN=a",
        "CN=a,",
        ",CN=a",
        "CN=a+",
        "CN",
        "=a",
        "CN=a,,C=CH",
        "CN=a\\",
        "CN=a\\q",
        "CN=a\\C3",
        'CN=a"b"',
        'CN="a',
        'CN="a" b',
        "CN=a<b",
        "CN=a>b",
        "CN=#",
        "CN=#0",
        "CN=#xy",
        "CN= #5",
        "1.=a",
        "3.1=a",
        "2.05.4=a",
        "1=a",
        "CN=\ud800",
        "CN=" + "a" * MAX_TEXT_LENGTH,
        ",".join(["C=x"] * (MAX_ATTRIBUTES + 1)),
    ],
)
def test_unreadable_rfc2253_text_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(DnSyntaxError) as refusal:
        rfc2253(text)
    assert refusal.value.text == text
    assert refusal.value.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/DC=org/CN=host/ce02.argus.org", "CN=host/ce02.argus.org,DC=org"),
        (r"/DC=org/CN=host\/ce02.argus.org", "CN=host/ce02.argus.org,DC=org"),
        (r"/DC=org/CN=a\/OU=b", r"CN=a/OU\=b,DC=org"),
        ("/DC=org/CN=a/OU=b", "OU=b,CN=a,DC=org"),
        ("/CN=a/unknown=b", r"CN=a/unknown\=b"),
        ("/CN=a+UID=b", "CN=a+UID=b"),
        (r"/CN=a\+UID=b", r"CN=a\+UID\=b"),
        ("/CN=A+B", r"CN=A\+B"),
        (r"/CN=Jos\xC3\xA9", "CN=José"),
        (r"/CN=Jos\xE9", "CN=José"),
        (r"/CN=a\x9,", r"CN=a" + "\t" + r"\,"),
        (r"/CN=a\b", r"CN=a\\b"),
        ("/C=CH/CN=a/", "CN=a,C=CH"),
        ("/C=CH/CN=a//", "CN=a/,C=CH"),
        (r"/C=CH/CN=a\/", "CN=a/,C=CH"),
        ("/O=Acme, Inc./E=a@x", rf"{EMAIL}=#1603614078,O=Acme\, Inc."),
        ("/USERID=u/CN=x", "CN=x,UID=u"),
        ("/OID.2.5.4.3=x/2.5.4.6=CH", "C=CH,CN=x"),
        ("/description=d/CN=x", "CN=x,2.5.4.13=#130164"),
    ],
)
def test_every_slash_form_in_use_is_read(text: str, expected: str) -> None:
    assert slash(text).rfc2253() == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CN=a",
        "/",
        "/foo=a",
        "//CN=a",
        "/*",
        " /CN=a",
        "/CN=\udc80",
        "/C=" + "a" * MAX_TEXT_LENGTH,
        "/C=x" * (MAX_ATTRIBUTES + 1),
    ],
)
def test_unreadable_slash_text_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(DnSyntaxError) as refusal:
        slash(text)
    assert refusal.value.text == text


def test_string_type_of_a_text_is_the_one_the_jdk_chooses() -> None:
    name = rfc2253("CN=plain,CN=José,EMAILADDRESS=a@x,DC=org,DC=é")
    assert [attribute.tag for (attribute,) in name.rdns] == [0x0C, 0x16, 0x16, 0x0C, 0x13]


def test_string_type_does_not_count_for_equality_of_attributes() -> None:
    assert AttributeTypeAndValue(CN, "a", 0x13) == AttributeTypeAndValue(CN, "a", 0x0C)


@pytest.mark.parametrize("der", [b"\x01\x01\xff", b"\x0c\x01\xff", b"\x0c\x05a", b"\x0c\x80a\x00\x00", b"\x0c", b""])
def test_value_that_is_no_character_string_keeps_its_encoding(der: bytes) -> None:
    attribute = AttributeTypeAndValue.of_der(CN, der)
    assert attribute.value == f"#{der.hex()}"
    assert attribute.to_der() == der


def test_long_value_is_encoded_with_a_long_length() -> None:
    text = "x" * 300
    printed = DistinguishedName(((AttributeTypeAndValue.of_text(TITLE, text),),)).rfc2253()
    assert printed == f"{TITLE}=#1382012c{text.encode().hex()}"
    assert rfc2253(printed).rdns[0][0].value == text


def test_string_types_unknown_to_the_jdk_are_printed_in_hex() -> None:
    numeric = AttributeTypeAndValue.of_der(CN, b"\x12\x0212")
    assert DistinguishedName(((numeric,),)).rfc2253() == "CN=#12023132"
    assert numeric.value == "12"


def test_labels_of_the_slash_form_are_those_lease_names_were_made_from() -> None:
    name = rfc2253("IP=1,GENERATION=III,2.5.4.45=u,2.5.4.41=n,2.5.4.15=b,1.3.6.1.5.5.7.9.3=f")
    assert name.slash() == (
        "/Gender=f/BusinessCategory=b/Name=n/x500UniqueIdentifier=u/generationQualifier=III/1.3.6.1.4.1.42.2.11.2.1=1"
    )
    assert slash(name.slash()) == name


def test_control_characters_never_reach_a_log_line() -> None:
    name = rfc2253("CN=a\nFAKE LINE\x1b[1m\u2028\u202e,C=CH")
    assert name.readable() == r"CN=a\0AFAKE LINE\1B[1m\E2\80\A8\E2\80\AE,C=CH"
    with pytest.raises(DnSyntaxError) as refusal:
        rfc2253("a\nb")
    assert "\n" not in str(refusal.value)


def test_message_of_an_error_is_short() -> None:
    with pytest.raises(DnSyntaxError) as refusal:
        slash("/CN=" + "a" * MAX_TEXT_LENGTH)
    assert len(str(refusal.value)) < 400


def test_the_key_of_a_name_is_shared_by_equal_names_alone() -> None:
    assert rfc2253("CN=a,O=x").key == rfc2253("cn = A, o = X").key
    names = ["CN=a,O=x", "O=x,CN=a", "CN=a+O=x", "CN=a", r"CN=a\,2.5.4.10\=1:x", r"CN=1:x\,2.5.4.3\=1:a"]
    assert len({rfc2253(text).key for text in names}) == len(names)
