"""Policies as XML documents (XACML 2.0 section 5).

What is not understood is refused, with its line, and never skipped: it might be a ban. Descriptions are kept; combiner
parameters are skipped, as they do not change a decision, and defaults are written anew where XPath needs them. Values,
descriptions and obligation ids lose blanks at their ends, as they do in the Java PAP and PDP. Written are the elements,
prefixes and the order of attributes of the Java PAP.

BETTER: arguments of a wrong type and unknown variables are found here; the Java PDP finds them at each request.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/xacml/wizard/*.java
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from argus_py.model.response import Obligation
from argus_py.xacml.combining import UnknownAlgorithm, policy_algorithm, rule_algorithm
from argus_py.xacml.document import XmlSyntaxError, parse
from argus_py.xacml.expression import InvalidExpression, Variables, prepare_condition
from argus_py.xacml.expression_xml import (
    SELECTOR,
    designator_from_element,
    expression_from_element,
    selector_from_element,
    uses_xpath,
    value_from_element,
    write_designator,
    write_expression,
    write_selector,
    write_value,
)
from argus_py.xacml.functions import UnknownFunction
from argus_py.xacml.matching import function_of
from argus_py.xacml.obligation_xml import obligations_from_element, obligations_to_element
from argus_py.xacml.policy import (
    Alternative,
    AttributeDesignator,
    AttributeSelector,
    Category,
    Expression,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
    VariableDefinition,
)
from argus_py.xacml.policy_elements import (
    POLICY_PREFIX,
    PolicyNotSupported,
    PolicySyntaxError,
    attribute_of,
    effect_of,
    expect,
    line_of,
    policy_tag,
    policy_tags,
    set_attribute,
    single_children,
    text_of,
    uri_of,
    write_text,
)
from argus_py.xacml.xpath import VERSION, XPath, XPathNotSupported

MAX_BYTES: Final = 256 * 1024 * 1024  # 250,000 rules as a PAP writes them

_IGNORED: Final = policy_tags(
    "PolicySetDefaults",
    "PolicyDefaults",
    "CombinerParameters",
    "RuleCombinerParameters",
    "PolicyCombinerParameters",
    "PolicySetCombinerParameters",
)
_SINGLE: Final = policy_tags(
    "Description", "Target", "Obligations", "Subjects", "Resources", "Actions", "Environments", "Condition"
)
_IN_POLICY_SET: Final = _IGNORED | policy_tags(
    "Description", "Target", "Obligations", "PolicySet", "Policy", "PolicyIdReference", "PolicySetIdReference"
)
_IN_POLICY: Final = _IGNORED | policy_tags("Description", "Target", "Obligations", "Rule", "VariableDefinition")
_IN_RULE: Final = policy_tags("Description", "Target", "Condition")
_IN_TARGET: Final = policy_tags("Subjects", "Resources", "Actions", "Environments")
_DESCRIPTION: Final = policy_tag("Description")
_TARGET: Final = policy_tag("Target")
_OBLIGATIONS: Final = policy_tag("Obligations")
_CONDITION: Final = policy_tag("Condition")


@dataclass(frozen=True, slots=True)
class _Words:
    """The elements for one category."""

    category: Category
    part: str
    alternative: str
    match: str
    designator: str

    @classmethod
    def of(cls, category: Category) -> "_Words":
        word = category.value
        return cls(category, f"{word}s", word, f"{word}Match", f"{word}AttributeDesignator")


_WORDS: Final = tuple(map(_Words.of, (Category.SUBJECT, Category.RESOURCE, Category.ACTION, Category.ENVIRONMENT)))

PolicySetChild = PolicySet | Policy | PolicyIdReference | PolicySetIdReference


def read_policy_set(xml: bytes) -> PolicySet:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    return policy_set_from_element(_root(xml))


def read_policy(xml: bytes) -> Policy:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    return policy_from_element(_root(xml))


def read_rule(xml: bytes) -> Rule:
    """By itself: the expression of a condition, which may use variables of the policy, is checked by ``read_policy``.

    Raises PolicySyntaxError, and of its kind PolicyNotSupported.
    """
    root = _root(xml)
    expect(root, "Rule")
    return _rule(root)


def read_policy_document(xml: bytes) -> PolicySet | Policy:
    """Whichever of the two it is. Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    root = _root(xml)
    return policy_from_element(root) if root.tag == policy_tag("Policy") else policy_set_from_element(root)


def write_policy_set(policy_set: PolicySet) -> bytes:
    """UTF-8 without an XML declaration. Raises NotXmlText: a value that XML cannot carry."""
    return etree.tostring(policy_set_to_element(policy_set), encoding="UTF-8", xml_declaration=False)


def write_policy(policy: Policy) -> bytes:
    """UTF-8 without an XML declaration. Raises NotXmlText: a value that XML cannot carry."""
    return etree.tostring(policy_to_element(policy), encoding="UTF-8", xml_declaration=False)


def write_rule(rule: Rule) -> bytes:
    """As it stands in a policy, with the namespace declared. Raises NotXmlText: a value that XML cannot carry."""
    element = etree.Element(policy_tag("Rule"), nsmap=POLICY_PREFIX)
    _fill_rule(element, rule)
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False)


def policy_set_from_element(element: etree._Element) -> PolicySet:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    expect(element, "PolicySet")
    single = single_children(element, _IN_POLICY_SET, _SINGLE)
    return PolicySet(
        id=attribute_of(element, "PolicySetId"),
        combining=_checked(element, "PolicyCombiningAlgId", policy_algorithm),
        children=tuple(_children(element)),
        target=_target(single.get(_TARGET)),
        obligations=_obligations(single.get(_OBLIGATIONS)),
        description=_description(single.get(_DESCRIPTION)),
        version=element.get("Version", "1.0"),
    )


def policy_from_element(element: etree._Element) -> Policy:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported."""
    expect(element, "Policy")
    single = single_children(element, _IN_POLICY, _SINGLE)
    policy = Policy(
        id=attribute_of(element, "PolicyId"),
        combining=_checked(element, "RuleCombiningAlgId", rule_algorithm),
        rules=tuple(_rule(child) for child in element.iterchildren(policy_tag("Rule"))),
        target=_target(single.get(_TARGET)),
        obligations=_obligations(single.get(_OBLIGATIONS)),
        description=_description(single.get(_DESCRIPTION)),
        version=element.get("Version", "1.0"),
        variables=tuple(_variable(child) for child in element.iterchildren(policy_tag("VariableDefinition"))),
    )
    _check_expressions(policy, element)
    return policy


def policy_set_to_element(policy_set: PolicySet) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = etree.Element(policy_tag("PolicySet"), nsmap=POLICY_PREFIX)
    _fill_policy_set(element, policy_set)
    return element


def policy_to_element(policy: Policy) -> etree._Element:
    """Raises NotXmlText: a value that XML cannot carry."""
    element = etree.Element(policy_tag("Policy"), nsmap=POLICY_PREFIX)
    _fill_policy(element, policy)
    return element


def _root(xml: bytes) -> etree._Element:
    try:
        return parse(xml, MAX_BYTES)
    except XmlSyntaxError as error:
        raise PolicySyntaxError(error.reason, error.line) from error


def _checked(element: etree._Element, name: str, look_up: Callable[[str], object]) -> str:
    """The URI of a combining algorithm that is known."""
    uri = attribute_of(element, name)
    try:
        look_up(uri)
    except UnknownAlgorithm as error:
        raise PolicyNotSupported(uri, str(error), line_of(element)) from error
    return uri


def _description(element: etree._Element | None) -> str | None:
    return None if element is None else text_of(element) or None


def _children(element: etree._Element) -> Iterator[PolicySetChild]:
    for child in element:
        if child.tag == policy_tag("PolicySet"):
            yield policy_set_from_element(child)
        elif child.tag == policy_tag("Policy"):
            yield policy_from_element(child)
        elif child.tag == policy_tag("PolicyIdReference"):
            yield PolicyIdReference(text_of(child), *_versions(child))
        elif child.tag == policy_tag("PolicySetIdReference"):
            yield PolicySetIdReference(text_of(child), *_versions(child))


def _versions(element: etree._Element) -> tuple[str | None, str | None, str | None]:
    return element.get("Version"), element.get("EarliestVersion"), element.get("LatestVersion")


def _rule(element: etree._Element) -> Rule:
    single = single_children(element, _IN_RULE, _SINGLE)
    condition = single.get(_CONDITION)
    return Rule(
        id=attribute_of(element, "RuleId"),
        effect=effect_of(element, "Effect"),
        target=_target(single.get(_TARGET)),
        description=_description(single.get(_DESCRIPTION)),
        condition=None if condition is None else _only_expression(condition),
    )


def _variable(element: etree._Element) -> VariableDefinition:
    return VariableDefinition(attribute_of(element, "VariableId"), _only_expression(element))


def _only_expression(element: etree._Element) -> Expression:
    if len(element) != 1:
        raise PolicySyntaxError(f"{etree.QName(element).localname} needs one expression", line_of(element))
    return expression_from_element(element[0])


def _check_expressions(policy: Policy, element: etree._Element) -> None:
    """Raises PolicySyntaxError, and of its kind PolicyNotSupported: names the policy and the rule."""
    place, line = f"policy {policy.id}", line_of(element)
    try:
        variables = Variables(policy.variables)
        variables.prepare_all()
        for rule, child in zip(policy.rules, element.iterchildren(policy_tag("Rule")), strict=True):
            if rule.condition is not None:
                place, line = f"rule {rule.id} of policy {policy.id}", line_of(child)
                prepare_condition(rule.condition, variables)
    except UnknownFunction as error:
        raise PolicyNotSupported(error.uri, f"{place}: {error}", line) from error
    except XPathNotSupported as error:
        raise PolicyNotSupported(error.text, f"{place}: {error}", line) from error
    except InvalidExpression as error:
        raise PolicySyntaxError(f"{place}: {error}", line) from error


def _target(element: etree._Element | None) -> Target:
    if element is None:
        return Target()
    parts = single_children(element, _IN_TARGET, _SINGLE)
    return Target(*(_alternatives(parts.get(policy_tag(words.part)), words) for words in _WORDS))


def _alternatives(part: etree._Element | None, words: _Words) -> tuple[Alternative, ...]:
    if part is None:
        return ()
    if len(part) == 0:
        raise PolicySyntaxError(f"{words.part} is empty", line_of(part))
    return tuple(_alternative(child, words) for child in part)


def _alternative(element: etree._Element, words: _Words) -> Alternative:
    expect(element, words.alternative)
    if len(element) == 0:
        raise PolicySyntaxError(f"{words.alternative} is empty", line_of(element))
    return tuple(_match(child, words) for child in element)


def _match(element: etree._Element, words: _Words) -> Match:
    expect(element, words.match)
    if len(element) != 2:
        raise PolicySyntaxError(f"{words.match} needs a value and a designator", line_of(element))
    value, asked = element
    expect(value, "AttributeValue")
    match = Match(uri_of(element, "MatchId"), value_from_element(value), _asked(asked, words))
    try:
        function_of(match)
    except UnknownFunction as error:
        raise PolicyNotSupported(match.function, str(error), line_of(element)) from error
    return match


def _asked(element: etree._Element, words: _Words) -> AttributeDesignator | AttributeSelector:
    if element.tag != SELECTOR:
        expect(element, words.designator)
        return designator_from_element(element, words.category)
    selector = selector_from_element(element)
    try:
        XPath.compile(selector.path, selector.namespaces)
    except XPathNotSupported as error:
        raise PolicyNotSupported(error.text, str(error), line_of(element)) from error
    return selector


def _obligations(element: etree._Element | None) -> tuple[Obligation, ...]:
    return () if element is None else obligations_from_element(element)


def _fill_policy_set(element: etree._Element, policy_set: PolicySet) -> None:
    set_attribute(element, "PolicyCombiningAlgId", policy_set.combining)
    set_attribute(element, "PolicySetId", policy_set.id)
    set_attribute(element, "Version", policy_set.version)
    _write_description(element, policy_set.description)
    if _asks_with_xpath(policy_set.target):
        _write_xpath_version(element, "PolicySetDefaults")
    _write_target(element, policy_set.target)
    for child in policy_set.children:
        if isinstance(child, PolicySet):
            _fill_policy_set(etree.SubElement(element, policy_tag("PolicySet")), child)
        elif isinstance(child, Policy):
            _fill_policy(etree.SubElement(element, policy_tag("Policy")), child)
        else:
            _write_reference(element, child)
    _write_obligations(element, policy_set.obligations)


def _fill_policy(element: etree._Element, policy: Policy) -> None:
    set_attribute(element, "PolicyId", policy.id)
    set_attribute(element, "RuleCombiningAlgId", policy.combining)
    set_attribute(element, "Version", policy.version)
    _write_description(element, policy.description)
    if _uses_xpath(policy):
        _write_xpath_version(element, "PolicyDefaults")
    _write_target(element, policy.target)
    for variable in policy.variables:
        child = etree.SubElement(element, policy_tag("VariableDefinition"))
        set_attribute(child, "VariableId", variable.id)
        write_expression(child, variable.expression)
    for rule in policy.rules:
        _fill_rule(etree.SubElement(element, policy_tag("Rule")), rule)
    _write_obligations(element, policy.obligations)


def _fill_rule(element: etree._Element, rule: Rule) -> None:
    set_attribute(element, "Effect", rule.effect.value)
    set_attribute(element, "RuleId", rule.id)
    _write_description(element, rule.description)
    _write_target(element, rule.target)
    if rule.condition is not None:
        write_expression(etree.SubElement(element, policy_tag("Condition")), rule.condition)


def _write_reference(parent: etree._Element, reference: PolicyIdReference | PolicySetIdReference) -> None:
    element = write_text(parent, type(reference).__name__, reference.id)
    versions = (("EarliestVersion", reference.earliest), ("LatestVersion", reference.latest))
    for name, pattern in (*versions, ("Version", reference.version)):
        if pattern is not None:
            set_attribute(element, name, pattern)


def _write_description(element: etree._Element, description: str | None) -> None:
    if description is not None:
        write_text(element, "Description", description)


def _write_xpath_version(element: etree._Element, name: str) -> None:
    write_text(etree.SubElement(element, policy_tag(name)), "XPathVersion", VERSION)


def _uses_xpath(policy: Policy) -> bool:
    expressions = [variable.expression for variable in policy.variables]
    expressions += [rule.condition for rule in policy.rules if rule.condition is not None]
    targets = (policy.target, *(rule.target for rule in policy.rules))
    return any(map(_asks_with_xpath, targets)) or any(map(uses_xpath, expressions))


def _asks_with_xpath(target: Target) -> bool:
    return any(
        isinstance(match.designator, AttributeSelector)
        for part in target.parts
        for alternative in part
        for match in alternative
    )


def _write_target(owner: etree._Element, target: Target) -> None:
    element = etree.SubElement(owner, policy_tag("Target"))
    _write_part(element, Category.SUBJECT, target.subjects)
    _write_part(element, Category.RESOURCE, target.resources)
    _write_part(element, Category.ACTION, target.actions)
    _write_part(element, Category.ENVIRONMENT, target.environments)


def _write_part(target: etree._Element, category: Category, alternatives: tuple[Alternative, ...]) -> None:
    if not alternatives:
        return
    part = etree.SubElement(target, policy_tag(f"{category.value}s"))
    for alternative in alternatives:
        element = etree.SubElement(part, policy_tag(category.value))
        for match in alternative:
            _write_match(etree.SubElement(element, policy_tag(f"{category.value}Match")), match)


def _write_match(element: etree._Element, match: Match) -> None:
    set_attribute(element, "MatchId", match.function)
    write_value(element, match.value)
    if isinstance(match.designator, AttributeSelector):
        write_selector(element, match.designator)
    else:
        write_designator(element, match.designator)


def _write_obligations(owner: etree._Element, obligations: tuple[Obligation, ...]) -> None:
    if obligations:
        owner.append(obligations_to_element(obligations))
