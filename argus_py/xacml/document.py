"""XML documents: the one way bytes of a peer become elements, and which characters may go back.

No DTD at all, hence no entities of the sender's own; no network; comments and processing instructions are gone, so the
text of an element is whole and its children are elements. libxml2's own guards (entity amplification, length of a text)
stay on.
"""

import re
from typing import Final

from lxml import etree

from argus_py.errors import MalformedInput

# Every element of a path below the root is one step. A decision query is 10 deep, a policy with nested conditions 30.
MAX_DEPTH: Final = 100

_BEYOND_MAX_DEPTH: Final = etree.XPath("*/" * MAX_DEPTH + "*")
_UNFIT: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 section 2.2
_NO_ELEMENT: Final = 4  # XML_ERR_DOCUMENT_EMPTY of libxml2: nothing there, or something that is no markup


class XmlSyntaxError(MalformedInput):
    """The bytes are no acceptable XML document; carries ``reason`` and, where one is known, ``line``."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(f"Invalid XML: {reason}")
        self.reason = reason
        self.line = line


class NotXmlText(MalformedInput):
    """A text that XML 1.0 cannot carry; names ``owner``, the attribute or element it belongs to."""

    def __init__(self, owner: str, character: str) -> None:
        super().__init__(f"the value of {owner} holds the character U+{ord(character):04X}, which XML cannot carry")
        self.owner = owner


def parse(data: bytes, max_bytes: int) -> etree._Element:
    """The root element of a document in UTF-8, UTF-16 or whatever its declaration names.

    Raises XmlSyntaxError: empty, too long, too deep, with a DOCTYPE, or not well-formed,
    prefixes included.
    """
    if not data:
        raise XmlSyntaxError("Premature end of file.")
    if len(data) > max_bytes:
        raise XmlSyntaxError(f"the document is {len(data)} octets long, {max_bytes} are allowed")
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        # COMPAT: text that does not start with markup is told in the words of the Java parser.
        no_markup = error.code == _NO_ELEMENT  # type: ignore[attr-defined]  # lxml-stubs misses it
        reason = "Content is not allowed in prolog." if no_markup else str(error.msg).replace("\n", "")
        raise XmlSyntaxError(reason, error.lineno) from error
    # Of several complaints lxml heeds the last one: a warning hides that a prefix before it stands for nothing.
    for fault in parser.error_log.filter_from_errors():
        raise XmlSyntaxError(fault.message, fault.line)
    if root.getroottree().docinfo.internalDTD is not None:
        # COMPAT: the text of the Java parser, which has been in the logs of sites for years.
        feature = '"http://apache.org/xml/features/disallow-doctype-decl"'
        raise XmlSyntaxError(f"DOCTYPE is disallowed when the feature {feature} set to true.")
    if _BEYOND_MAX_DEPTH(root):
        raise XmlSyntaxError(f"elements are nested deeper than {MAX_DEPTH} levels")
    return root


def fit(owner: str, text: str) -> str:
    """The text itself. Raises NotXmlText: it holds a character that XML cannot carry."""
    unfit = _UNFIT.search(text)
    if unfit:
        raise NotXmlText(owner, unfit[0])
    return text


def made_fit(text: str) -> str:
    """For messages that must get out: each character that XML cannot carry becomes U+FFFD."""
    return _UNFIT.sub("\ufffd", text)
