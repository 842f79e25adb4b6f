"""Policies as XML documents (XACML 2.0 section 5).

What is not understood is refused, with its line, and never skipped: it might be a ban. Not supported are Conditions,
VariableDefinitions and AttributeSelectors, which no PAP writes. Descriptions are kept; defaults and combiner parameters
are skipped, as they do not change a decision. Values, descriptions and obligation ids lose blanks at their ends, as
they do in the Java PAP and PDP. Written are the elements, prefixes and the order of attributes of the Java PAP.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/xacml/wizard/*.java
"""

from collections.abc import Callable, Iterator
from typing import Final, cast

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.model.identifiers import SubjectCategory
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.xacml.combining import UnknownAlgorithm, policy_algorithm, rule_algorithm
from argus_py.xacml.document import XmlSyntaxError, fit, parse
from argus_py.xacml.functions import UnknownFunction, function_of
from argus_py.xacml.policy import (
    Alternative,
    AttributeDesignator,
    AttributeValue,
    Category,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.values import DATATYPES, trim

POLICY_NAMESPACE: Final = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
MAX_BYTES: Final = 256 * 1024 * 1024  # 250,000 rules as a PAP writes them

_P: Final = f"{{{POLICY_NAMESPACE}}}"
_PREFIX: Final = {"xacml": POLICY_NAMESPACE}
_EFFECTS: Final = {effect.value: effect for effect in Effect}
_NOT_SUPPORTED: Final = frozenset(
    {"Condition", "VariableDefinition", "VariableReference", "Apply", "Function", "AttributeSelector"}
)


def _names(*names: str) -> frozenset[str]:
    return frozenset(_P + name for name in names)


_IGNORED: Final = _names(
    "PolicySetDefaults",
    "PolicyDefaults",
    "CombinerParameters",
    "RuleCombinerParameters",
    "PolicyCombinerParameters",
    "PolicySetCombinerParameters",
)
_SINGLE: Final = _names("Description", "Target", "Obligations", "Subjects", "Resources", "Actions", "Environments")
_IN_POLICY_SET: Final = _IGNORED | _names(
    "Description", "Target", "Obligations", "PolicySet", "Policy", "PolicyIdReference", "PolicySetIdReference"
)
_IN_POLICY: Final = _IGNORED | _names("Description", "Target", "Obligations", "Rule")
_IN_RULE: Final = _names("Description", "Target")
_IN_TARGET: Final = _names("Subjects", "Resources", "Actions", "Environments")

PolicySetChild = PolicySet | Policy | PolicyIdReference | PolicySetIdReference


class PolicySyntaxError(MalformedInput):
    """A document that is no XACML 2.0 policy; carries ``reason`` and, where one is known, ``line``."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(f"not a policy: {reason}" if line is None else f"not a policy: line {line}: {reason}")
        self.reason = reason
        self.line = line


class PolicyNotSupported(PolicySyntaxError):
    """A policy with an element, data type, function or algorithm that is not supported; ``name`` is the culprit."""

    def __init__(self, name: str, reason: str, line: int | None = None) -> None:
        super().__init__(reason, line)
        self.name = name


def read_policy_set(xml: bytes) -> PolicySet:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    return policy_set_from_element(_root(xml))


def read_policy(xml: bytes) -> Policy:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    return policy_from_element(_root(xml))


def write_policy_set(policy_set: PolicySet) -> bytes:
    """UTF-8 without an XML declaration. Raises NotXmlText: a value that XML cannot carry."""
    return etree.tostring(policy_set_to_element(policy_set), encoding="UTF-8", xml_declaration=False)


def write_policy(policy: Policy) -> bytes:
    """UTF-8 without an XML declaration. Raises NotXmlText: a value that XML cannot carry."""
    return etree.tostring(policy_to_element(policy), encoding="UTF-8", xml_declaration=False)


def policy_set_from_element(element: etree._Element) -> PolicySet:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    _expect(element, "PolicySet")
    _check_children(element, _IN_POLICY_SET)
    return PolicySet(
        id=_attribute(element, "PolicySetId"),
        combining=_checked(element, "PolicyCombiningAlgId", policy_algorithm),
        children=tuple(_children(element)),
        target=_target(element),
        obligations=_obligations(element),
        description=_description(element),
        version=element.get("Version", "1.0"),
    )


def policy_from_element(element: etree._Element) -> Policy:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    _expect(element, "Policy")
    _check_children(element, _IN_POLICY)
    return Policy(
        id=_attribute(element, "PolicyId"),
        combining=_checked(element, "RuleCombiningAlgId", rule_algorithm),
        rules=tuple(_rule(child) for child in element.iterchildren(_P + "Rule")),
        target=_target(element),
        obligations=_obligations(element),
        description=_description(element),
        version=element.get("Version", "1.0"),
    )


def policy_set_to_element(policy_set: PolicySet) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = etree.Element(_P + "PolicySet", nsmap=_PREFIX)
    _fill_policy_set(element, policy_set)
    return element


def policy_to_element(policy: Policy) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = etree.Element(_P + "Policy", nsmap=_PREFIX)
    _fill_policy(element, policy)
    return element


def obligations_from_element(element: etree._Element) -> tuple[Obligation, ...]:
    """Of an Obligations element, which responses have too. Raises PolicySyntaxError."""
    _expect(element, "Obligations")
    return tuple(_obligation(child) for child in element)


def obligations_to_element(obligations: tuple[Obligation, ...]) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    parent = etree.Element(_P + "Obligations", nsmap=_PREFIX)
    for obligation in obligations:
        element = etree.SubElement(parent, _P + "Obligation")
        _set(element, "FulfillOn", obligation.fulfill_on.value)
        _set(element, "ObligationId", obligation.id)
        for assignment in obligation.assignments:
            child = _write_text(element, "AttributeAssignment", assignment.value or "")
            _set(child, "AttributeId", assignment.attribute_id)
            if assignment.datatype is not None:
                _set(child, "DataType", assignment.datatype)
    return parent


def _root(xml: bytes) -> etree._Element:
    try:
        return parse(xml, MAX_BYTES)
    except XmlSyntaxError as error:
        raise PolicySyntaxError(error.reason, error.line) from error


def _line(element: etree._Element) -> int | None:
    return cast("int | None", element.sourceline)  # lxml-stubs has no type for it


def _expect(element: etree._Element, name: str) -> None:
    if element.tag != _P + name:
        raise _refusal(element, f"{name} of XACML 2.0 is expected")


def _refusal(element: etree._Element, reason: str) -> PolicySyntaxError:
    name = etree.QName(element)
    if name.namespace == POLICY_NAMESPACE and name.localname in _NOT_SUPPORTED:
        return PolicyNotSupported(name.localname, f"{name.localname} is not supported yet", _line(element))
    return PolicySyntaxError(f"unexpected element {name.localname}: {reason}", _line(element))


def _check_children(element: etree._Element, known: frozenset[str]) -> None:
    """Only ``known`` elements, and those that are single at most once: a second Target must not be overlooked."""
    seen: set[str] = set()
    for child in element:
        if child.tag not in known:
            raise _refusal(child, f"not known in {etree.QName(element).localname}")
        if child.tag in _SINGLE and child.tag in seen:
            raise _refusal(child, "there is one already")
        seen.add(child.tag)


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise PolicySyntaxError(f"{etree.QName(element).localname} has no {name}", _line(element))
    return value


def _checked(element: etree._Element, name: str, look_up: Callable[[str], object]) -> str:
    """The URI of a combining algorithm that is known."""
    uri = _attribute(element, name)
    try:
        look_up(uri)
    except UnknownAlgorithm as error:
        raise PolicyNotSupported(uri, str(error), _line(element)) from error
    return uri


def _datatype(element: etree._Element) -> str:
    datatype = _attribute(element, "DataType")
    if datatype not in DATATYPES:
        raise PolicyNotSupported(datatype, f"the data type {datatype!r} is not known", _line(element))
    return datatype


def _effect(element: etree._Element, name: str) -> Effect:
    word = _attribute(element, name)
    if word not in _EFFECTS:
        raise PolicySyntaxError(f"{name} is {word!r} instead of Permit or Deny", _line(element))
    return _EFFECTS[word]


def _text(element: etree._Element) -> str:
    if len(element):
        raise _refusal(element[0], "text is expected")
    return trim(element.text or "")


def _description(element: etree._Element) -> str | None:
    child = element.find(_P + "Description")
    return None if child is None else _text(child) or None


def _children(element: etree._Element) -> Iterator[PolicySetChild]:
    for child in element:
        if child.tag == _P + "PolicySet":
            yield policy_set_from_element(child)
        elif child.tag == _P + "Policy":
            yield policy_from_element(child)
        elif child.tag == _P + "PolicyIdReference":
            yield PolicyIdReference(_text(child))
        elif child.tag == _P + "PolicySetIdReference":
            yield PolicySetIdReference(_text(child))


def _rule(element: etree._Element) -> Rule:
    _check_children(element, _IN_RULE)
    return Rule(
        id=_attribute(element, "RuleId"),
        effect=_effect(element, "Effect"),
        target=_target(element),
        description=_description(element),
    )


def _target(owner: etree._Element) -> Target:
    element = owner.find(_P + "Target")
    if element is None:
        return Target()
    _check_children(element, _IN_TARGET)
    return Target(
        subjects=_alternatives(element, Category.SUBJECT),
        resources=_alternatives(element, Category.RESOURCE),
        actions=_alternatives(element, Category.ACTION),
        environments=_alternatives(element, Category.ENVIRONMENT),
    )


def _alternatives(target: etree._Element, category: Category) -> tuple[Alternative, ...]:
    part = target.find(f"{_P}{category.value}s")
    if part is None:
        return ()
    if len(part) == 0:
        raise PolicySyntaxError(f"{category.value}s is empty", _line(part))
    return tuple(_alternative(child, category) for child in part)


def _alternative(element: etree._Element, category: Category) -> Alternative:
    _expect(element, category.value)
    if len(element) == 0:
        raise PolicySyntaxError(f"{category.value} is empty", _line(element))
    return tuple(_match(child, category) for child in element)


def _match(element: etree._Element, category: Category) -> Match:
    _expect(element, f"{category.value}Match")
    if len(element) != 2:
        raise PolicySyntaxError(f"{category.value}Match needs a value and a designator", _line(element))
    value, designator = element
    _expect(value, "AttributeValue")
    _expect(designator, f"{category.value}AttributeDesignator")
    match = Match(
        function=_attribute(element, "MatchId"),
        value=AttributeValue(_datatype(value), _text(value)),
        designator=_designator(designator, category),
    )
    try:
        function_of(match)
    except UnknownFunction as error:
        raise PolicyNotSupported(match.function, str(error), _line(element)) from error
    return match


def _designator(element: etree._Element, category: Category) -> AttributeDesignator:
    return AttributeDesignator(
        category=category,
        attribute_id=_attribute(element, "AttributeId"),
        datatype=_datatype(element),
        issuer=element.get("Issuer"),
        must_be_present=_boolean(element, "MustBePresent"),
        subject_category=element.get("SubjectCategory", SubjectCategory.ACCESS_SUBJECT),
    )


def _boolean(element: etree._Element, name: str) -> bool:
    word = element.get(name, "false")
    if word not in ("true", "1", "false", "0"):
        raise PolicySyntaxError(f"{name} is {word!r} instead of true or false", _line(element))
    return word in ("true", "1")


def _obligations(owner: etree._Element) -> tuple[Obligation, ...]:
    element = owner.find(_P + "Obligations")
    return () if element is None else obligations_from_element(element)


def _obligation(element: etree._Element) -> Obligation:
    _expect(element, "Obligation")
    return Obligation(
        id=trim(_attribute(element, "ObligationId")),
        fulfill_on=_effect(element, "FulfillOn"),
        assignments=tuple(_assignment(child) for child in element),
    )


def _assignment(element: etree._Element) -> AttributeAssignment:
    _expect(element, "AttributeAssignment")
    return AttributeAssignment(_attribute(element, "AttributeId"), _text(element), _attribute(element, "DataType"))


def _fill_policy_set(element: etree._Element, policy_set: PolicySet) -> None:
    _set(element, "PolicyCombiningAlgId", policy_set.combining)
    _set(element, "PolicySetId", policy_set.id)
    _set(element, "Version", policy_set.version)
    _write_description(element, policy_set.description)
    _write_target(element, policy_set.target)
    for child in policy_set.children:
        if isinstance(child, PolicySet):
            _fill_policy_set(etree.SubElement(element, _P + "PolicySet"), child)
        elif isinstance(child, Policy):
            _fill_policy(etree.SubElement(element, _P + "Policy"), child)
        else:
            _write_text(element, type(child).__name__, child.id)
    _write_obligations(element, policy_set.obligations)


def _fill_policy(element: etree._Element, policy: Policy) -> None:
    _set(element, "PolicyId", policy.id)
    _set(element, "RuleCombiningAlgId", policy.combining)
    _set(element, "Version", policy.version)
    _write_description(element, policy.description)
    _write_target(element, policy.target)
    for rule in policy.rules:
        child = etree.SubElement(element, _P + "Rule")
        _set(child, "Effect", rule.effect.value)
        _set(child, "RuleId", rule.id)
        _write_description(child, rule.description)
        _write_target(child, rule.target)
    _write_obligations(element, policy.obligations)


def _write_description(element: etree._Element, description: str | None) -> None:
    if description is not None:
        _write_text(element, "Description", description)


def _write_target(owner: etree._Element, target: Target) -> None:
    element = etree.SubElement(owner, _P + "Target")
    _write_part(element, Category.SUBJECT, target.subjects)
    _write_part(element, Category.RESOURCE, target.resources)
    _write_part(element, Category.ACTION, target.actions)
    _write_part(element, Category.ENVIRONMENT, target.environments)


def _write_part(target: etree._Element, category: Category, alternatives: tuple[Alternative, ...]) -> None:
    if not alternatives:
        return
    part = etree.SubElement(target, f"{_P}{category.value}s")
    for alternative in alternatives:
        element = etree.SubElement(part, _P + category.value)
        for match in alternative:
            _write_match(etree.SubElement(element, f"{_P}{category.value}Match"), match)


def _write_match(element: etree._Element, match: Match) -> None:
    designator = match.designator
    _set(element, "MatchId", match.function)
    value = _write_text(element, "AttributeValue", match.value.text)
    _set(value, "DataType", match.value.datatype)
    child = etree.SubElement(element, f"{_P}{designator.category.value}AttributeDesignator")
    _set(child, "AttributeId", designator.attribute_id)
    _set(child, "DataType", designator.datatype)
    if designator.issuer is not None:
        _set(child, "Issuer", designator.issuer)
    _set(child, "MustBePresent", "true" if designator.must_be_present else "false")
    if designator.category is Category.SUBJECT and designator.subject_category != SubjectCategory.ACCESS_SUBJECT:
        _set(child, "SubjectCategory", designator.subject_category)


def _write_obligations(owner: etree._Element, obligations: tuple[Obligation, ...]) -> None:
    if obligations:
        owner.append(obligations_to_element(obligations))


def _write_text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, _P + name)
    element.text = fit(name, text) or None
    return element


def _set(element: etree._Element, name: str, value: str) -> None:
    element.set(name, fit(name, value))
