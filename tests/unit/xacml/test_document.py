"""Which bytes become elements, and which are refused."""

import pytest

from argus_py.xacml.document import MAX_DEPTH, NotXmlText, XmlSyntaxError, fit, made_fit, parse

LIMIT = 1000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Premature end of file."),
        (b"   ", "Content is not allowed in prolog."),
        (b"hello", "Content is not allowed in prolog."),
        (b"<a>", "Premature end of data"),
        (b"<a/>junk", "Extra content"),
        (b"<a>&b;</a>", "Entity 'b' not defined"),
        (b"<a>\x00</a>", "Char 0x0"),
        (b"<a>\xff</a>", "encod"),
        (b"<a><x:b/></a>", "prefix x on b is not defined"),
        (b"<a><x:b/><c xmlns='not-absolute'/></a>", "prefix x on b is not defined"),
        (b"<a x:b='c'><c xmlns='not-absolute'/></a>", "prefix x for b on a is not defined"),
        (b'<?xml version="1.0" encoding="martian"?><a/>', "Unsupported encoding"),
        (b"<a>" + b"x" * LIMIT + b"</a>", "1007 octets long, 1000 are allowed"),
        (b"<a>" * (MAX_DEPTH + 2) + b"</a>" * (MAX_DEPTH + 2), "deeper than 100 levels"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(XmlSyntaxError) as caught:
        parse(data, LIMIT)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
    ],
)
def test_a_doctype_is_refused_in_every_form(data: bytes) -> None:
    with pytest.raises(XmlSyntaxError, match="DOCTYPE is disallowed"):
        parse(data, LIMIT)


def test_a_document_at_the_limits_is_read() -> None:
    deep = b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1)
    assert parse(deep, len(deep)).tag == "a"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_utf_8_and_utf_16_are_read(encoding: str) -> None:
    assert parse("<a>né€𝄞</a>".encode(encoding), LIMIT).text == "né€𝄞"


def test_comments_instructions_and_cdata_do_not_split_a_text() -> None:
    element = parse(b"<a>x<!-- c -->y<![CDATA[z]]><?pi?>w</a>", LIMIT)
    assert (element.text, len(element)) == ("xyzw", 0)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_carry_are_told_or_replaced(character: str) -> None:
    with pytest.raises(NotXmlText, match=rf"value of name holds the character U\+{ord(character):04X}"):
        fit("name", f"a{character}b")
    assert made_fit(f"a{character}b") == "a\ufffdb"


@pytest.mark.parametrize(
    "text", ["", "plain", "tab\tnewline\nreturn\r", "\x7f\x85", "\ud7ff\ue000\ufffd\U00010000\U0010ffff"]
)
def test_what_xml_can_carry_stays_as_it_is(text: str) -> None:
    assert fit("name", text) == made_fit(text) == text
