"""XPath over a request: what is selected, what is refused because it could be expensive, and nodes by identity."""

import pytest
from lxml import etree

from argus_py.model.identifiers import StatusUri
from argus_py.xacml.functions import XPATH_FUNCTIONS
from argus_py.xacml.outcome import Fault
from argus_py.xacml.xpath import (
    MAX_BRANCHES,
    MAX_LENGTH,
    MAX_NODES,
    MAX_TEXT,
    Document,
    DocumentTooLarge,
    XPath,
    XPathNotSupported,
    prefixes_in,
)

DOCUMENT = Document.of(
    etree.fromstring(
        '<r xmlns:m="urn:m"><m:a k="1" l="2">x<b/>y</m:a><m:a k="3">x</m:a><c><d><e/></d></c><d text="x">x</d></r>'
    )
)
PREFIXES = (("n", "urn:m"),)
PREFIX = "urn:oasis:names:tc:xacml:1.0:function:xpath-node-"


def path(text: str) -> XPath:
    return XPath.compile(text, PREFIXES)


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("n:a/text()", ("x", "y", "x")),
        ("/r/n:a[1]/@*", ("1", "2")),
        ("//@k", ("1", "3")),
        ("./n:a[@k='3']/text()", ("x",)),
        ("n:a[b]/@k", ("1",)),
        ("n:a[count(b)=1 and not(@z)]/@k", ("1",)),
        ("//n:a[last()]/@k | //zz", ("3",)),
        ("//*[local-name()='a']/@l", ("2",)),
        ("zz/text()", ()),
    ],
)
def test_texts_and_attributes_have_values(text: str, texts: tuple[str, ...]) -> None:
    assert path(text).texts(DOCUMENT) == texts


@pytest.mark.parametrize("text", ["n:a", "//n:a/@k | //b", "count(n:a)", "string(n:a)", "1 = 1", "namespace::*", "u()"])
def test_what_has_no_values_of_attributes_is_an_error(text: str) -> None:
    fault = path(text).texts(DOCUMENT)
    assert isinstance(fault, Fault)
    assert fault.status == StatusUri.SYNTAX_ERROR


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "a[",
        "x:a",
        "$v",
        "a[$v]",
        "a" * (MAX_LENGTH + 1),
        "//a" * (MAX_BRANCHES + 1),
        "|".join(["a"] * (MAX_BRANCHES + 2)),
        "a/descendant::b" + "/ancestor::c" * MAX_BRANCHES,
        "a/following::b",
        "a/ preceding-sibling :: b",
        "a[//b]",
        "a[b/c]",
        "a[/b]",
        "a[..]",
        "a[descendant::b]",
        "a[parent::b]",
        "a[b[.//c]]",
        "a[count(b)]\n[.//c]",
        "a\ud800",
    ],
)
def test_what_is_no_xpath_or_could_be_expensive_is_refused(text: str) -> None:
    with pytest.raises(XPathNotSupported) as refusal:
        path(text)
    assert refusal.value.text == text


@pytest.mark.parametrize("text", ["a['//$']", 'a["]//"]', "following/preceding-sibling", "a[child::b][self::a]"])
def test_words_in_quotes_and_names_are_no_axes(text: str) -> None:
    assert path(text).texts(DOCUMENT) == ()


def test_a_large_document_is_not_searched() -> None:
    root = etree.fromstring(f"<r>{'<a/>' * (MAX_NODES - 2)}<b/></r>")
    assert Document.of(root).nodes == MAX_NODES
    root[-1].set("k", "v")
    with pytest.raises(DocumentTooLarge):
        Document.of(root)


@pytest.mark.parametrize("xml", ["<r>{}<a/>x</r>", "<r><a/>{}x</r>", "<r k='{}x'/>"])
def test_a_long_document_is_not_searched(xml: str) -> None:
    Document.of(etree.fromstring(xml.format("x" * (MAX_TEXT - 1))))
    with pytest.raises(DocumentTooLarge):
        Document.of(etree.fromstring(xml.format("x" * MAX_TEXT)))


def test_prefixes_are_kept_if_they_may_be_used() -> None:
    known = {None: "urn:default", "a": "urn:a", "b": "urn:b", "c": "urn:c"}
    assert prefixes_in("//b:x[c::y]/child::a:z", known) == (("a", "urn:a"), ("b", "urn:b"))


def call(function: str, *paths: str) -> object:
    nodes = [path(text).nodes(DOCUMENT) for text in paths]
    return XPATH_FUNCTIONS[PREFIX + function].call(*nodes)


@pytest.mark.parametrize(
    ("function", "paths", "value"),
    [
        ("count", ("n:a",), 2),
        ("count", ("//text()",), 4),
        ("count", ("zz",), 0),
        ("equal", ("n:a", "//n:a[2]"), True),
        ("equal", ("n:a[1]", "n:a[2]"), False),
        ("equal", ("n:a[1]/text()[1]", "n:a[2]/text()"), False),  # equal texts, different nodes
        ("equal", ("n:a[1]/text()", "//text()[.='y']"), True),
        ("equal", ("n:a[1]/@k", "//@k"), True),
        ("equal", ("n:a[1]/@k", "//@l"), False),
        ("equal", ("d/@text", "d/text()"), False),
        ("match", ("d", "d/@text"), True),
        ("match", (".", "//e"), True),
        ("match", ("c", "c"), True),
        ("match", ("//e", "c"), False),
        ("match", ("n:a[1]", "//@l"), True),
        ("match", ("n:a[2]", "//@l"), False),
        ("match", ("n:a[1]", "n:a[1]/text()"), False),  # elements and attributes below count, texts do not
        ("match", ("n:a[1]/text()", "n:a[1]/text()"), True),
    ],
)
def test_nodes_are_compared_by_identity(function: str, paths: tuple[str, ...], value: object) -> None:
    assert call(function, *paths) == value


def test_what_selects_no_nodes_is_an_error_for_functions_of_nodes() -> None:
    assert isinstance(path("count(n:a)").nodes(DOCUMENT), Fault)


def test_equal_expressions_are_equal() -> None:
    assert path("n:a") == path("n:a")
    assert path("n:a") != XPath.compile("n:a", (("n", "urn:other"),))
