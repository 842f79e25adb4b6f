"""The XACML 2.0 request and response context as XML (XACML 2.0 section 6).

Reading is as lenient as the Java PDP where that does no harm: a missing Environment or AttributeId is taken. An unknown
element or a missing data type makes the whole request unreadable: a policy might ban by the very thing not understood.
Requests are written as the Java PEP server writes them: values trimmed, blank ones dropped.

Source: argus-pdp-pep-common:src/main/java/org/glite/authz/common/context/DecisionRequestContextHelper.java
"""

from collections.abc import Iterable
from typing import Final, cast

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Decision, MissingAttribute, Result, Status, StatusCode
from argus_py.xacml.document import fit, parse
from argus_py.xacml.obligation_xml import OBLIGATIONS, obligations_from_element, obligations_to_element
from argus_py.xacml.values import trim

CONTEXT_NAMESPACE: Final = "urn:oasis:names:tc:xacml:2.0:context:schema:os"

MAX_BYTES: Final = 1 << 20  # a request with a certificate chain is 20 KiB; Java has no limit

_C: Final = f"{{{CONTEXT_NAMESPACE}}}"
_CONTEXT_PREFIX: Final = {"xacml-context": CONTEXT_NAMESPACE}

_DECISIONS: Final = {decision.value: decision for decision in Decision}


class ContextSyntaxError(MalformedInput):
    """An element that is no XACML 2.0 request or response; carries ``line`` (of the document) and ``reason``."""

    def __init__(self, element: etree._Element, reason: str) -> None:
        super().__init__(f"{etree.QName(element).localname} at line {element.sourceline}: {reason}")
        self.line = cast("int | None", element.sourceline)  # lxml-stubs has another type
        self.reason = reason


def read_request(xml: bytes) -> Request:
    """A Request that is a document of its own. Raises XmlSyntaxError; and as ``request_from_element``."""
    return request_from_element(parse(xml, MAX_BYTES))


def write_request(request: Request) -> bytes:
    """Without XML declaration. Raises NotXmlText: a value that XML cannot carry."""
    return etree.tostring(request_to_element(request), encoding="UTF-8", xml_declaration=False)


def request_from_element(element: etree._Element) -> Request:
    """Raises ContextSyntaxError: an unknown element, no data type, element content in a value, a second Action."""
    if element.tag != _C + "Request":
        raise ContextSyntaxError(element, "not a Request of the XACML 2.0 context")
    subjects: list[Subject] = []
    resources: list[Resource] = []
    actions: list[Action] = []
    environments: list[Environment] = []
    for part in element:
        if part.tag == _C + "Subject":
            subjects.append(Subject(_attributes(part), part.get("SubjectCategory")))
        elif part.tag == _C + "Resource":
            resources.append(_resource(part))
        elif part.tag == _C + "Action" and not actions:
            actions.append(Action(_attributes(part)))
        elif part.tag == _C + "Environment" and not environments:
            environments.append(Environment(_attributes(part)))
        else:
            raise ContextSyntaxError(part, "not expected here in a Request")
    return Request(
        tuple(subjects),
        tuple(resources),
        actions[0] if actions else None,
        environments[0] if environments else None,
    )


def request_to_element(request: Request, verbatim: bool = False) -> etree._Element:
    """``verbatim``: values keep their blanks, blank ones stay.

    Raises NotXmlText: a value that XML cannot carry; XmlSyntaxError: the markup of a resource is none.
    """
    root = etree.Element(_C + "Request", nsmap=_CONTEXT_PREFIX)
    for subject in request.subjects:
        part = etree.SubElement(root, _C + "Subject")
        if subject.category is not None:
            _set(part, "SubjectCategory", subject.category)
        _write_attributes(part, subject.attributes, verbatim)
    for resource in request.resources:
        part = etree.SubElement(root, _C + "Resource")
        if resource.markup is not None:
            part.append(parse(resource.markup.encode(), MAX_BYTES))
        elif resource.content is not None:
            etree.SubElement(part, _C + "ResourceContent").text = fit("ResourceContent", resource.content)
        _write_attributes(part, resource.attributes, verbatim)
    if request.action is not None:
        _write_attributes(etree.SubElement(root, _C + "Action"), request.action.attributes, verbatim)
    if request.environment is not None:
        _write_attributes(etree.SubElement(root, _C + "Environment"), request.environment.attributes, verbatim)
    return root


def results_from_element(element: etree._Element) -> tuple[Result, ...]:
    """The results of a Response, in order, maybe none.

    Raises ContextSyntaxError: not a Response, a result without one of the four decisions, something twice;
    PolicySyntaxError: an obligation that cannot be read.
    """
    if element.tag != _C + "Response":
        raise ContextSyntaxError(element, "not a Response of the XACML 2.0 context")
    return tuple(_result(child) for child in element.iterchildren(_C + "Result"))


def results_to_element(results: Iterable[Result]) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    root = etree.Element(_C + "Response", nsmap=_CONTEXT_PREFIX)
    for result in results:
        _write_result(etree.SubElement(root, _C + "Result"), result)
    return root


def _resource(element: etree._Element) -> Resource:
    content = _at_most_one(element, _C + "ResourceContent")
    attributes = _attributes(element, besides=_C + "ResourceContent")
    if content is None:
        return Resource(attributes)
    text = "".join(map(str, content.itertext()))
    markup = etree.tostring(content, encoding="unicode", with_tail=False) if len(content) or content.attrib else None
    return Resource(attributes, text, markup)


def _attributes(part: etree._Element, besides: str | None = None) -> tuple[Attribute, ...]:
    return tuple(_attribute(child) for child in part if child.tag != besides)


def _attribute(element: etree._Element) -> Attribute:
    if element.tag != _C + "Attribute":
        raise ContextSyntaxError(element, "only Attribute elements are expected here")
    # COMPAT: without AttributeId an attribute is taken and never selected.
    attribute_id = element.get("AttributeId", "")
    datatype = element.get("DataType")
    if datatype is None:
        raise ContextSyntaxError(element, f"attribute {attribute_id[:200]!r} has no DataType")
    values = tuple(_value(child) for child in element)
    return Attribute(attribute_id, values, datatype, element.get("Issuer"))


def _value(element: etree._Element) -> str:
    if element.tag != _C + "AttributeValue":
        raise ContextSyntaxError(element, "only AttributeValue elements are expected in an Attribute")
    return _text(element)


def _text(element: etree._Element) -> str:
    if len(element):
        raise ContextSyntaxError(element, "text is expected, not elements")
    return element.text or ""


def _result(element: etree._Element) -> Result:
    word = _at_most_one(element, _C + "Decision")
    decision = None if word is None else _DECISIONS.get(trim(_text(word)))
    if decision is None:
        raise ContextSyntaxError(element, f"its Decision is none of {', '.join(_DECISIONS)}")
    status = _at_most_one(element, _C + "Status")
    obligations = _at_most_one(element, OBLIGATIONS)
    return Result(
        decision,
        Status() if status is None else _status(status),
        () if obligations is None else obligations_from_element(obligations),
        element.get("ResourceId"),
    )


def _at_most_one(parent: etree._Element, tag: str) -> etree._Element | None:
    found = list(parent.iterchildren(tag))
    if len(found) > 1:
        raise ContextSyntaxError(found[1], "one of its kind is expected")
    return found[0] if found else None


def _status(element: etree._Element) -> Status:
    code = element.find(_C + "StatusCode")
    message = element.find(_C + "StatusMessage")
    return Status(
        StatusCode() if code is None else _status_code(code),
        None if message is None else _text(message),
        tuple(map(_missing_attribute, element.iterfind(f"{_C}StatusDetail/{_C}MissingAttributeDetail"))),
    )


def _missing_attribute(element: etree._Element) -> MissingAttribute:
    return MissingAttribute(element.get("AttributeId", ""), element.get("DataType", ""), element.get("Issuer"))


def _status_code(element: etree._Element) -> StatusCode:
    minor = element.find(_C + "StatusCode")
    return StatusCode(element.get("Value", StatusUri.OK), None if minor is None else _status_code(minor))


def _write_attributes(part: etree._Element, attributes: Iterable[Attribute], verbatim: bool) -> None:
    for attribute in attributes:
        element = etree.SubElement(part, _C + "Attribute")
        _set(element, "AttributeId", attribute.id)
        _set(element, "DataType", attribute.datatype)
        if attribute.issuer is not None:
            _set(element, "Issuer", attribute.issuer)
        for value in attribute.values:
            text = value if verbatim else trim(value)
            if text or verbatim:
                etree.SubElement(element, _C + "AttributeValue").text = fit(attribute.id, text)


def _write_result(element: etree._Element, result: Result) -> None:
    if result.resource_id is not None:
        _set(element, "ResourceId", result.resource_id)
    etree.SubElement(element, _C + "Decision").text = result.decision.value
    status = etree.SubElement(element, _C + "Status")
    _write_status_code(status, result.status.code)
    if result.status.message is not None:
        etree.SubElement(status, _C + "StatusMessage").text = fit("StatusMessage", result.status.message)
    if result.status.missing:
        detail = etree.SubElement(status, _C + "StatusDetail")
        for missing in result.status.missing:
            _write_missing_attribute(etree.SubElement(detail, _C + "MissingAttributeDetail"), missing)
    if result.obligations:
        element.append(obligations_to_element(result.obligations))


def _write_missing_attribute(element: etree._Element, missing: MissingAttribute) -> None:
    _set(element, "AttributeId", missing.attribute_id)
    _set(element, "DataType", missing.datatype)
    if missing.issuer is not None:
        _set(element, "Issuer", missing.issuer)


def _write_status_code(parent: etree._Element, code: StatusCode) -> None:
    element = etree.SubElement(parent, _C + "StatusCode")
    _set(element, "Value", code.value)
    if code.minor is not None:
        _write_status_code(element, code.minor)


def _set(element: etree._Element, name: str, value: str) -> None:
    element.set(name, fit(name, value))
