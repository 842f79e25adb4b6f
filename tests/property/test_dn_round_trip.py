"""What is printed reads back as the same name; two equal names have one hash."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.dn import AttributeTypeAndValue, DistinguishedName, escape_controls

FOLDED_TYPES = (
    "2.5.4.3",
    "2.5.4.6",
    "2.5.4.7",
    "2.5.4.8",
    "2.5.4.9",
    "2.5.4.10",
    "2.5.4.11",
    "0.9.2342.19200300.100.1.1",
)
EXACT_TYPES = ("0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1", "2.5.4.5", "2.5.4.12", "2.5.4.17", "1.2.3.4.5")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(' \\,=+<>#;"/x9Aé\n\t', max_size=12)


def attributes(types: tuple[str, ...], texts: st.SearchStrategy[str]) -> st.SearchStrategy[AttributeTypeAndValue]:
    return st.builds(AttributeTypeAndValue.of_text, st.sampled_from(types), texts)


def names(attribute: st.SearchStrategy[AttributeTypeAndValue]) -> st.SearchStrategy[DistinguishedName]:
    rdn = st.lists(attribute, min_size=1, max_size=2).map(tuple)
    return st.lists(rdn, min_size=1, max_size=5).map(lambda rdns: DistinguishedName(tuple(rdns)))


NAMES = names(attributes(FOLDED_TYPES, TEXTS) | attributes(EXACT_TYPES, TEXTS))
# What canl's slash form can carry: one attribute per RDN, nothing that looks like an escape or like the next RDN.
PLAIN = names(attributes(FOLDED_TYPES + EXACT_TYPES, st.text("abcXYZ09 ,.:;<>\"'()é世-", max_size=12)))


@settings(max_examples=300, deadline=None)
@given(NAMES)
def test_rfc2253_text_reads_back(name: DistinguishedName) -> None:
    again = DistinguishedName.parse_rfc2253(name.rfc2253())
    assert again == name
    assert hash(again) == hash(name)


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_slash_text_reads_back(name: DistinguishedName) -> None:
    single = DistinguishedName(tuple((attribute,) for rdn in name.rdns for attribute in rdn))
    assert DistinguishedName.parse_slash(single.slash()) == single


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES)
def test_equal_names_are_loosely_equal_and_have_one_hash(one: DistinguishedName, other: DistinguishedName) -> None:
    assert one.loosely_equal(one)
    if one == other:
        assert one.loosely_equal(other)
        assert hash(one) == hash(other)


@settings(max_examples=200, deadline=None)
@given(NAMES)
def test_slash_and_readable_forms_stay_on_one_line(name: DistinguishedName) -> None:
    assert name.slash().isascii()
    for text in (name.slash(), name.readable()):
        assert len((text + "x").splitlines()) == 1
        assert escape_controls(text).replace("\x7f", "") == escape_controls(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(FOLDED_TYPES + EXACT_TYPES))
def test_any_value_keeps_its_encoding(der: bytes, oid: str) -> None:
    attribute = AttributeTypeAndValue.of_der(oid, der)
    assert AttributeTypeAndValue.of_der(oid, attribute.to_der()) == attribute
    assert attribute.der in (None, der)
