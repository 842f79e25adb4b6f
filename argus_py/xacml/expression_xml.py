"""Expressions as XML: values, designators, selectors, functions applied to them, variables (XACML 2.0 section 5).

Prefixes of XPath expressions are those in force where the expression stands; they are kept with it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from lxml import etree

from argus_py.model.identifiers import SubjectCategory
from argus_py.xacml.functions import PATTERN_FUNCTIONS, XPATH_FUNCTIONS
from argus_py.xacml.functions.signature import FUNCTION_1_0
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Expression,
    FunctionReference,
    Namespaces,
    VariableReference,
)
from argus_py.xacml.policy_elements import (
    PolicyNotSupported,
    attribute_of,
    boolean_of,
    datatype_of,
    line_of,
    policy_tag,
    set_attribute,
    text_of,
    unexpected,
    write_text,
)
from argus_py.xacml.values import trim
from argus_py.xacml.xpath import VERSION, prefixes_in

SELECTOR: Final = policy_tag("AttributeSelector")

# A policy of 100,000 rules asks for a handful of attributes. As of few others, one object stands for all equal ones.
_one_designator: Final = lru_cache(256)(AttributeDesignator)

_VALUE: Final = policy_tag("AttributeValue")
_APPLY: Final = policy_tag("Apply")
_FUNCTION: Final = policy_tag("Function")
_VARIABLE: Final = policy_tag("VariableReference")
_STRING_BAG: Final = FUNCTION_1_0 + "string-bag"
_DESIGNATORS: Final = {policy_tag(f"{category.value}AttributeDesignator"): category for category in Category}
_VERSION_PATHS: Final = [
    f"{policy_tag(name)}/{policy_tag('XPathVersion')}" for name in ("PolicyDefaults", "PolicySetDefaults")
]


def expression_from_element(element: etree._Element) -> Expression:
    """Types are not looked at. Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    if element.tag == _APPLY:
        return _apply(element)
    if element.tag == _VALUE:
        return value_from_element(element)
    if element.tag == SELECTOR:
        return selector_from_element(element)
    if element.tag == _VARIABLE:
        return VariableReference(attribute_of(element, "VariableId"))
    if element.tag in _DESIGNATORS:
        return designator_from_element(element, _DESIGNATORS[element.tag])
    raise unexpected(element, "an expression is expected")


def value_from_element(element: etree._Element) -> AttributeValue:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    return AttributeValue(datatype_of(element), text_of(element))


def designator_from_element(element: etree._Element, category: Category) -> AttributeDesignator:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    return _one_designator(
        category,
        attribute_of(element, "AttributeId"),
        datatype_of(element),
        element.get("Issuer"),
        boolean_of(element, "MustBePresent"),
        element.get("SubjectCategory", SubjectCategory.ACCESS_SUBJECT),
    )


def selector_from_element(element: etree._Element) -> AttributeSelector:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    path = attribute_of(element, "RequestContextPath")
    _check_xpath_version(element)
    return AttributeSelector(
        path, datatype_of(element), _namespaces(element, path), boolean_of(element, "MustBePresent")
    )


def write_expression(parent: etree._Element, expression: Expression | FunctionReference) -> None:
    """Raises NotXmlText: a value that XML cannot carry."""
    if isinstance(expression, Apply):
        element = etree.SubElement(parent, _APPLY)
        set_attribute(element, "FunctionId", expression.function)
        for argument in expression.arguments:
            write_expression(element, argument)
    elif isinstance(expression, FunctionReference):
        set_attribute(etree.SubElement(parent, _FUNCTION), "FunctionId", expression.function)
    elif isinstance(expression, VariableReference):
        set_attribute(etree.SubElement(parent, _VARIABLE), "VariableId", expression.id)
    elif isinstance(expression, AttributeValue):
        write_value(parent, expression)
    elif isinstance(expression, AttributeSelector):
        write_selector(parent, expression)
    else:
        write_designator(parent, expression)


def write_value(parent: etree._Element, value: AttributeValue) -> None:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = write_text(parent, "AttributeValue", value.text, dict(value.namespaces))
    set_attribute(element, "DataType", value.datatype)


def write_designator(parent: etree._Element, designator: AttributeDesignator) -> None:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = etree.SubElement(parent, policy_tag(f"{designator.category.value}AttributeDesignator"))
    set_attribute(element, "AttributeId", designator.attribute_id)
    set_attribute(element, "DataType", designator.datatype)
    if designator.issuer is not None:
        set_attribute(element, "Issuer", designator.issuer)
    set_attribute(element, "MustBePresent", _word(designator.must_be_present))
    if designator.category is Category.SUBJECT and designator.subject_category != SubjectCategory.ACCESS_SUBJECT:
        set_attribute(element, "SubjectCategory", designator.subject_category)


def write_selector(parent: etree._Element, selector: AttributeSelector) -> None:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = etree.SubElement(parent, SELECTOR, nsmap=dict(selector.namespaces))
    set_attribute(element, "DataType", selector.datatype)
    set_attribute(element, "MustBePresent", _word(selector.must_be_present))
    set_attribute(element, "RequestContextPath", selector.path)


def uses_xpath(expression: Expression | FunctionReference) -> bool:
    """If there is XPath anywhere in it."""
    if isinstance(expression, Apply):
        return expression.function in XPATH_FUNCTIONS or any(map(uses_xpath, expression.arguments))
    return isinstance(expression, AttributeSelector)


def _apply(element: etree._Element) -> Apply:
    function = attribute_of(element, "FunctionId")
    if function in XPATH_FUNCTIONS:
        _check_xpath_version(element)
        return Apply(function, tuple(map(_xpath_argument, element)))
    arguments = [_argument(child) for child in element]
    position = _position_of_pattern(function, arguments)
    if position is not None:
        arguments[position] = _pattern(element[position], arguments[position])
    return Apply(function, tuple(arguments))


def _position_of_pattern(function: str, arguments: Sequence[Expression | FunctionReference]) -> int | None:
    """Of the pattern, or the bag of patterns, among the arguments."""
    match arguments:
        case [FunctionReference(applied), _, *_] if applied in PATTERN_FUNCTIONS:
            return 1
        case [_, *_] if function in PATTERN_FUNCTIONS:
            return 0
    return None


def _pattern(element: etree._Element, argument: Expression | FunctionReference) -> Expression | FunctionReference:
    """``argument`` with patterns that are trimmed as values are: a blank goes with the star behind it.

    BETTER: Java leaves the star, which is no pattern. On values without blanks at their ends both mean the same.
    """
    if isinstance(argument, AttributeValue) and argument.text.startswith("*") and _begins_with_blank(element):
        return AttributeValue(argument.datatype, trim(argument.text[1:]))
    if isinstance(argument, Apply) and argument.function == _STRING_BAG:
        return Apply(argument.function, tuple(map(_pattern, element, argument.arguments)))
    return argument


def _begins_with_blank(element: etree._Element) -> bool:
    text = element.text or ""
    return trim(text[:1]) != text[:1]


def _argument(element: etree._Element) -> Expression | FunctionReference:
    if element.tag == _FUNCTION:
        return FunctionReference(attribute_of(element, "FunctionId"))
    return expression_from_element(element)


def _xpath_argument(element: etree._Element) -> Expression | FunctionReference:
    argument = _argument(element)
    if not isinstance(argument, AttributeValue):
        return argument
    return AttributeValue(argument.datatype, argument.text, _namespaces(element, argument.text))


def _namespaces(element: etree._Element, path: str) -> Namespaces:
    return prefixes_in(path, element.nsmap)


def _check_xpath_version(element: etree._Element) -> None:
    """The defaults of the innermost policy that has some count. Raises PolicyNotSupported: not XPath 1.0."""
    for ancestor in element.iterancestors():
        for path in _VERSION_PATHS:
            version = ancestor.find(path)
            if version is not None:
                if text_of(version).lower() != VERSION.lower():
                    raise PolicyNotSupported(text_of(version), "only XPath 1.0 is supported", line_of(version))
                return


def _word(value: bool) -> str:
    return "true" if value else "false"
