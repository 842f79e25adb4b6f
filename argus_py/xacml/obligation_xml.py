"""Obligations as XML: of policies, and of the results they end up in (XACML 2.0 sections 5.34 to 5.36)."""

from typing import Final

from lxml import etree

from argus_py.model.response import AttributeAssignment, Obligation
from argus_py.xacml.policy_elements import (
    POLICY_PREFIX,
    attribute_of,
    effect_of,
    expect,
    policy_tag,
    set_attribute,
    text_of,
    write_text,
)
from argus_py.xacml.values import trim

OBLIGATIONS: Final = policy_tag("Obligations")


def obligations_from_element(element: etree._Element) -> tuple[Obligation, ...]:
    """Of an Obligations element. Raises PolicySyntaxError."""
    expect(element, "Obligations")
    return tuple(_obligation(child) for child in element)


def obligations_to_element(obligations: tuple[Obligation, ...]) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    parent = etree.Element(OBLIGATIONS, nsmap=POLICY_PREFIX)
    for obligation in obligations:
        element = etree.SubElement(parent, policy_tag("Obligation"))
        set_attribute(element, "FulfillOn", obligation.fulfill_on.value)
        set_attribute(element, "ObligationId", obligation.id)
        for assignment in obligation.assignments:
            child = write_text(element, "AttributeAssignment", assignment.value or "")
            set_attribute(child, "AttributeId", assignment.attribute_id)
            if assignment.datatype is not None:
                set_attribute(child, "DataType", assignment.datatype)
    return parent


def _obligation(element: etree._Element) -> Obligation:
    expect(element, "Obligation")
    return Obligation(
        id=trim(attribute_of(element, "ObligationId")),
        fulfill_on=effect_of(element, "FulfillOn"),
        assignments=tuple(_assignment(child) for child in element),
    )


def _assignment(element: etree._Element) -> AttributeAssignment:
    expect(element, "AttributeAssignment")
    return AttributeAssignment(
        attribute_of(element, "AttributeId"), text_of(element), attribute_of(element, "DataType")
    )
