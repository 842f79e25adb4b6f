"""The bags of one request: which values a designator or a selector yields (XACML 2.0 sections 5.37, 5.42 and 7.2).

All values of an attribute are read before any is compared: one unreadable value spoils the attribute, because skipping
it could step over a ban.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, StatusUri, SubjectCategory
from argus_py.model.request import Request
from argus_py.model.response import MissingAttribute
from argus_py.xacml import context_xml, temporal
from argus_py.xacml.datatypes import READERS, principal_name
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import AttributeDesignator, AttributeSelector, Category
from argus_py.xacml.values import Reader, Value
from argus_py.xacml.xpath import Document, Node, XPath

MAX_VALUES: Final = 10_000  # of all attributes; the member of a thousand VO groups has some 5000 in both profiles
MAX_STEPS: Final = 100_000  # of all conditions; a tenth of a second, and a condition has ten
MAX_XPATH_NODES: Final = 20_000  # of the document, counted for each XPath expression; at worst two seconds

# Category, subject category ("" for the others), AttributeId, principal name of the DataType, Issuer (None: whoever):
# all compared as text.
BagKey = tuple[str, str, str, str, str | None]
Bag = tuple[Value, ...]

_SUBJECT: Final = Category.SUBJECT.value
_RESOURCE: Final = Category.RESOURCE.value
_ACTION: Final = Category.ACTION.value
_ENVIRONMENT: Final = Category.ENVIRONMENT.value
_CURRENT: Final[tuple[BagKey, ...]] = (
    (_ENVIRONMENT, "", AttributeId.CURRENT_TIME, DataType.TIME, None),
    (_ENVIRONMENT, "", AttributeId.CURRENT_DATE, DataType.DATE, None),
    (_ENVIRONMENT, "", AttributeId.CURRENT_DATE_TIME, DataType.DATE_TIME, None),
)
_TOO_MANY_NODES: Final = Fault(f"XPath expressions go through more than {MAX_XPATH_NODES} nodes for this request")
_TOO_MANY_STEPS: Final = Fault(f"the conditions take more than {MAX_STEPS} steps for this request")


class UnknownDataType(MalformedInput):
    """An attribute of the request has a ``datatype`` that no policy could ask for, a ban neither."""

    def __init__(self, attribute_id: str, datatype: str) -> None:
        super().__init__(f"attribute {attribute_id!r} of the request has the unknown data type {datatype!r}")
        self.attribute_id = attribute_id
        self.datatype = datatype


class TooManyValues(MalformedInput):
    """The attributes of the request have more than MAX_VALUES values."""

    def __init__(self) -> None:
        super().__init__(f"the attributes of the request have more than {MAX_VALUES} values")


class RequestAttributes:
    """What policies see of a request; values are read when a policy asks for them, and once per request.

    BETTER: at ``moment`` (an aware time, None for none) current time, date and dateTime are those of the request or
    else of the PDP, which section 10.2.5 demands and Java does not do.
    COMPAT: several Subjects of one category are pooled, and so are several Resources.

    Raises UnknownDataType, TooManyValues: whatever the policies say.
    """

    def __init__(self, request: Request, moment: datetime | None = None) -> None:
        self._request = request
        self._moment = moment
        self._texts: dict[BagKey, list[str]] = {}
        self._values: dict[tuple[BagKey, Reader], Bag | Fault] = {}
        self._selected: dict[XPath, tuple[str, ...] | Fault] = {}
        self._document: Document | Fault | None = None
        self._nodes_left = MAX_XPATH_NODES
        self._steps_left = MAX_STEPS
        self._values_left = MAX_VALUES
        for subject in request.subjects:
            self._add(_SUBJECT, subject.category or SubjectCategory.ACCESS_SUBJECT, subject.attributes)
        for resource in request.resources:
            self._add(_RESOURCE, "", resource.attributes)
        if request.action is not None:
            self._add(_ACTION, "", request.action.attributes)
        if request.environment is not None:
            self._add(_ENVIRONMENT, "", request.environment.attributes)

    def _add(self, category: str, subject_category: str, attributes: Iterable[Attribute]) -> None:
        for attribute in attributes:
            if attribute.datatype not in READERS:
                raise UnknownDataType(attribute.id, attribute.datatype)
            self._values_left -= len(attribute.values)
            if self._values_left < 0:
                raise TooManyValues
            datatype = principal_name(attribute.datatype)
            for issuer in {None, attribute.issuer}:
                key = (category, subject_category, attribute.id, datatype, issuer)
                self._texts.setdefault(key, []).extend(attribute.values)

    def texts(self, bag: BagKey) -> tuple[str, ...]:
        """As they were sent, in the order of the request; empty if the attribute is missing."""
        found = self._texts.get(bag)
        if not found and self._moment is not None and bag in _CURRENT:
            return (temporal.current(self._moment)[_CURRENT.index(bag)],)
        return tuple(found or ())

    def values(self, bag: BagKey, read: Reader) -> Bag | Fault:
        """The values of a bag, in the order of the request; empty if the attribute is missing."""
        found = self._values.get((bag, read))
        if found is None:
            found = self._values[bag, read] = _read(bag[2], self.texts(bag), read)
        return found

    def selected(self, path: XPath) -> tuple[str, ...] | Fault:
        """The texts that an expression selects."""
        found = self._selected.get(path)
        if found is None:
            document = self._searched()
            found = document if isinstance(document, Fault) else path.texts(document)
            self._selected[path] = found
        return found

    def nodes(self, path: XPath) -> frozenset[Node] | Fault:
        """The nodes that an expression selects."""
        document = self._searched()
        return document if isinstance(document, Fault) else path.nodes(document)

    def _searched(self) -> Document | Fault:
        """The request as XML, for one more search."""
        if self._document is None:
            try:
                self._document = Document.of(context_xml.request_to_element(self._request, verbatim=True))
            except MalformedInput as error:
                self._document = Fault(f"the request is no XML: {error}", StatusUri.SYNTAX_ERROR)
        if isinstance(self._document, Fault):
            return self._document
        self._nodes_left -= self._document.nodes
        return _TOO_MANY_NODES if self._nodes_left < 0 else self._document

    def spend(self, steps: int) -> Fault | None:
        """Take so many steps of what all conditions may cost together; a Fault when there are none left."""
        self._steps_left -= steps
        return _TOO_MANY_STEPS if self._steps_left < 0 else None


def _read(name: str, texts: Iterable[str], read: Reader) -> Bag | Fault:
    try:
        return tuple(map(read, texts))
    except MalformedInput as error:
        return Fault(f"the request cannot be read: {name}: {error}", StatusUri.SYNTAX_ERROR)


@dataclass(frozen=True, slots=True)
class Designated:
    """What a designator yields; ``missing`` is the result if there is nothing and the attribute must be present."""

    bag: BagKey
    missing: Fault | None

    def values(self, attributes: RequestAttributes, read: Reader) -> Bag | Fault:
        return attributes.values(self.bag, read) or self.missing or ()

    def texts(self, attributes: RequestAttributes) -> tuple[str, ...]:
        return attributes.texts(self.bag)


@dataclass(frozen=True, slots=True)
class Selected:
    """What a selector yields; ``missing`` as of designators."""

    path: XPath
    missing: Fault | None

    def values(self, attributes: RequestAttributes, read: Reader) -> Bag | Fault:
        texts = attributes.selected(self.path)
        if isinstance(texts, Fault):
            return texts
        return _read(self.path.text, texts, read) or self.missing or ()

    def texts(self, attributes: RequestAttributes) -> tuple[str, ...]:
        texts = attributes.selected(self.path)
        return () if isinstance(texts, Fault) else texts


Source = Designated | Selected


def source_of(asked: AttributeDesignator | AttributeSelector) -> Source:
    """Raises XPathNotSupported."""
    if isinstance(asked, AttributeSelector):
        path = XPath.compile(asked.path, asked.namespaces)
        absent = Fault(f"the XPath expression {asked.path!r} selects nothing", StatusUri.MISSING_ATTRIBUTE)
        return Selected(path, absent if asked.must_be_present else None)
    subject_category = asked.subject_category if asked.category is Category.SUBJECT else ""
    datatype = principal_name(asked.datatype)
    bag = (asked.category.value, subject_category, asked.attribute_id, datatype, asked.issuer)
    return Designated(bag, _missing(asked) if asked.must_be_present else None)


def _missing(designator: AttributeDesignator) -> Fault:
    wanted = MissingAttribute(designator.attribute_id, designator.datatype, designator.issuer)
    return Fault(f"the attribute {designator.attribute_id} is missing", StatusUri.MISSING_ATTRIBUTE, wanted)
