"""The SAML 2.0 profile of XACML 2.0, working draft 5: asking a PDP for a decision and a PAP for policies.

The namespaces are those that OpenSAML 2 registers; the older and the later ones of the standard are not spoken. Nothing
is signed: TLS is the protection of these messages. A message is read into a value and written from one; the request
context inside a query and its answer stays XML, so that an unreadable one can still be answered with its echo; so do
the policies of a PAP, which are written once for many and may be megabytes.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java,
argus-pep-server:src/main/java/org/glite/authz/pep/server/XACMLConverter.java,
argus-pap:src/main/java/org/glite/authz/pap/services/ServicesUtils.java
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.model.response import Result
from argus_py.soap import envelope
from argus_py.xacml import context_xml
from argus_py.xacml.context_xml import CONTEXT_NAMESPACE
from argus_py.xacml.document import fit
from argus_py.xacml.policy_elements import POLICY_NAMESPACE

SOAP_ACTION: Final = "http://www.oasis-open.org/committees/security"
ENTITY_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
VERSION: Final = "2.0"
MAX_NAMESPACES: Final = 100  # in scope of what is cut out, which takes their square; messages have 4

_ASSERTION_NAMESPACE: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
_PROTOCOL_NAMESPACE: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_METADATA_NAMESPACE: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
_QUERY_NAMESPACE: Final = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol"
_STATEMENT_NAMESPACE: Final = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion"
_XSI_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"

_A: Final = f"{{{_ASSERTION_NAMESPACE}}}"
_R: Final = f"{{{_PROTOCOL_NAMESPACE}}}"
_Q: Final = f"{{{_QUERY_NAMESPACE}}}"
_XSI_TYPE: Final = f"{{{_XSI_NAMESPACE}}}type"
_QUERY_PREFIXES: Final = {"xacml-samlp": _QUERY_NAMESPACE, "xsi": _XSI_NAMESPACE}
_PAP_QUERY_PREFIXES: Final = {"xacml-samlp": _QUERY_NAMESPACE}
_STATEMENT_PREFIXES: Final = {"xacml-saml": _STATEMENT_NAMESPACE, "xsi": _XSI_NAMESPACE}
_DECISION_STATEMENT: Final = "XACMLAuthzDecisionStatementType"
_POLICY_STATEMENT: Final = "XACMLPolicyStatementType"
_WHATEVER_THERE_IS: Final = "-1"  # the policy set a PDP asks for; a PAP does not look at it


class StatusCode:
    """SAML 2.0 core section 3.2.2.2."""

    SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
    REQUESTER: Final = "urn:oasis:names:tc:SAML:2.0:status:Requester"
    VERSION_MISMATCH: Final = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"


class SamlError(MalformedInput):
    """An element of a SOAP body that is not the message expected; the text says where."""


@dataclass(frozen=True, slots=True)
class Status:
    code: str = StatusCode.SUCCESS
    message: str | None = None

    def __str__(self) -> str:
        return self.code if self.message is None else f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class AuthzDecisionQuery:
    """``context`` is the Request element as a document of its own: bytes, because it may be unreadable as a Request."""

    id: str | None
    issuer: str | None
    issue_instant: datetime | None
    context: bytes
    destination: str | None = None
    return_context: bool = True


@dataclass(frozen=True, slots=True)
class AuthzDecisionResponse:
    """``context`` is the echo of the query's, if it asks for one; it is not read back.

    A writer sets everything; a reader takes what is there, the Java PDP for one gives no IssueInstant.
    """

    id: str | None
    in_response_to: str | None
    issue_instant: datetime | None
    assertion_id: str | None
    issuer: str | None
    results: tuple[Result, ...]
    context: bytes | None = None


@dataclass(frozen=True, slots=True)
class PolicyQuery:
    """``issuer`` None: there is no Issuer element. ``from_pap``: a PAP asks, which wants another form of answer."""

    id: str | None
    issuer: str | None
    issue_instant: datetime | None
    version: str = VERSION
    issuer_format: str = ENTITY_FORMAT
    from_pap: bool = False


@dataclass(frozen=True, slots=True)
class PolicyResponse:
    """``policies``: the PolicySet element as a document of its own, or in an answer to a PAP several elements, one
    after the other, that each would be one. There exactly when the status is Success.
    """

    id: str | None
    in_response_to: str | None
    issue_instant: datetime | None
    assertion_id: str | None
    issuer: str | None
    policies: bytes | None
    status: Status = Status()


@dataclass(frozen=True, slots=True)
class PublicPolicies:
    """What a PAP gets from another one: ``elements`` are all that stand in the policy statements, none if it fails."""

    in_response_to: str | None
    elements: tuple[etree._Element, ...]
    status: Status


def message_id() -> str:
    """An unpredictable id in the form of the Java services."""
    return "_" + secrets.token_hex(16)


def authz_decision_query_from_element(element: etree._Element) -> AuthzDecisionQuery:
    """Raises SamlError: another element, version or issuer format, an unreadable time, not exactly one Request, or one
    in the scope of too many namespaces.
    """
    if element.tag != _Q + "XACMLAuthzDecisionQuery":
        # COMPAT: the words of the Java PDP's fault.
        raise SamlError(f"Unexpected SOAP body content.  Expected a SAML request but recieved {element.tag}")
    if element.get("Version", VERSION) != VERSION:
        raise SamlError(f"SAML version {element.get('Version', '')[:20]!r} is not supported")
    issuer = element.find(_A + "Issuer")
    if issuer is not None and issuer.get("Format", ENTITY_FORMAT) != ENTITY_FORMAT:
        raise SamlError("SAML 2 Issuer is not of ENTITY format type")
    return AuthzDecisionQuery(
        element.get("ID"),
        _text(issuer),
        _instant(element),
        _cut_out(_only(element, f"{{{CONTEXT_NAMESPACE}}}Request")),
        element.get("Destination") or None,
        element.get("ReturnContext") in ("true", "1"),
    )


def authz_decision_query_to_element(query: AuthzDecisionQuery) -> etree._Element:
    """As the Java PEP server writes it: no Destination, no Consent, no signature."""
    root = etree.Element(_Q + "XACMLAuthzDecisionQuery", nsmap=_QUERY_PREFIXES)
    _set(root, "ID", query.id)
    root.set("InputContextOnly", "false")
    _set_instant(root, query.issue_instant)
    root.set("ReturnContext", "true" if query.return_context else "false")
    root.set("Version", VERSION)
    root.set(_XSI_TYPE, "xacml-samlp:XACMLAuthzDecisionQueryType")
    _append_issuer(root, query.issuer, ENTITY_FORMAT)
    root.append(etree.fromstring(query.context))
    return root


def authz_decision_response_from_element(element: etree._Element) -> AuthzDecisionResponse:
    """Raises SamlError: not a successful Response with one assertion and one decision statement, with results.

    BETTER: the Java PEP server looks neither at the status nor for results.
    """
    status = _status_of_response(element)
    if status.code != StatusCode.SUCCESS:
        raise SamlError(f"the SAML status is {status}")
    assertion = _only(element, _A + "Assertion")
    statement = _only_statement(assertion, _DECISION_STATEMENT)
    results = context_xml.results_from_element(_only(statement, f"{{{CONTEXT_NAMESPACE}}}Response"))
    if not results:
        raise SamlError("the decision statement has no Result")
    return AuthzDecisionResponse(
        element.get("ID"),
        element.get("InResponseTo"),
        _instant(element),
        assertion.get("ID"),
        _text(assertion.find(_A + "Issuer")),
        results,
    )


def authz_decision_response_to_element(response: AuthzDecisionResponse) -> etree._Element:
    """As the Java PDP writes it, but with the IssueInstant that SAML demands on Response and Assertion."""
    root = _new_response(response.id, response.in_response_to, response.issue_instant, Status())
    assertion = _append_assertion(root, response.assertion_id, response.issue_instant)
    _append_issuer(assertion, response.issuer, ENTITY_FORMAT)
    statement = _append_statement(assertion, _DECISION_STATEMENT)
    if response.context is not None:
        statement.append(etree.fromstring(response.context))
    statement.append(context_xml.results_to_element(response.results))
    return root


def is_policy_query(element: etree._Element) -> bool:
    return element.tag == _Q + "XACMLPolicyQuery"


def policy_query_from_element(element: etree._Element) -> PolicyQuery:
    """Nothing is refused but an unreadable time; what SAML forbids is for the service to answer with a status.

    COMPAT: an Extensions element is how a PAP makes itself known.
    """
    issuer = element.find(_A + "Issuer")
    extensions = (f"{{{namespace}}}Extensions" for namespace in (_METADATA_NAMESPACE, _PROTOCOL_NAMESPACE))
    return PolicyQuery(
        element.get("ID"),
        _text(issuer),
        _instant(element),
        element.get("Version", VERSION),
        ENTITY_FORMAT if issuer is None else issuer.get("Format", ENTITY_FORMAT),
        any(element.find(tag) is not None for tag in extensions),
    )


def policy_query_to_element(query: PolicyQuery) -> etree._Element:
    """As a Java PDP writes it, or a Java PAP."""
    root = etree.Element(_Q + "XACMLPolicyQuery", nsmap=_PAP_QUERY_PREFIXES if query.from_pap else _QUERY_PREFIXES)
    _set(root, "ID", query.id)
    _set_instant(root, query.issue_instant)
    root.set("Version", query.version)
    if query.from_pap:
        _append_issuer(root, query.issuer, query.issuer_format)
        etree.SubElement(root, f"{{{_METADATA_NAMESPACE}}}Extensions", nsmap={"md": _METADATA_NAMESPACE})
        return root
    root.set(_XSI_TYPE, "xacml-samlp:XACMLPolicyQueryType")
    _append_issuer(root, query.issuer, query.issuer_format)
    reference = etree.SubElement(root, f"{{{POLICY_NAMESPACE}}}PolicySetIdReference", nsmap={"xacml": POLICY_NAMESPACE})
    reference.text = _WHATEVER_THERE_IS
    return root


def policy_response_from_element(element: etree._Element) -> PolicyResponse:
    """The first PolicySet of the first policy statement, or a status that says why there is none.

    Raises SamlError: not a Response, a successful one without a PolicySet, or one in the scope of too many namespaces.
    """
    status = _status_of_response(element)
    policies = None
    assertion = element.find(_A + "Assertion")
    if status.code == StatusCode.SUCCESS:
        policies = _cut_out(_first_policy_set(assertion))
    return PolicyResponse(
        element.get("ID"),
        element.get("InResponseTo"),
        _instant(element),
        None if assertion is None else assertion.get("ID"),
        None if assertion is None else _text(assertion.find(_A + "Issuer")),
        policies,
        status,
    )


def public_policies_from_element(element: etree._Element) -> PublicPolicies:
    """Raises SamlError: not a Response."""
    status = _status_of_response(element)
    elements: tuple[etree._Element, ...] = ()
    if status.code == StatusCode.SUCCESS:
        elements = tuple(
            child
            for assertion in element.iterchildren(_A + "Assertion")
            for statement in _statements(assertion, _POLICY_STATEMENT)
            for child in statement
        )
    return PublicPolicies(element.get("InResponseTo"), elements, status)


def write_policy_response(response: PolicyResponse) -> bytes:
    """The whole message, as the Java PAP writes it; without policies there is no assertion."""
    root = _new_response(response.id, response.in_response_to, response.issue_instant, response.status)
    if response.policies is None:
        return envelope.write(root, "soapenv")
    assertion = _append_assertion(root, response.assertion_id, response.issue_instant)
    _append_issuer(assertion, response.issuer, None)
    # The policies are put in as they are: to make elements of them would take ten times their memory.
    place = secrets.token_hex(16)
    _append_statement(assertion, _POLICY_STATEMENT).text = place
    before, _, after = envelope.write(root, "soapenv").partition(place.encode())
    return before + response.policies + after


def _cut_out(element: etree._Element) -> bytes:
    """The element as a document of its own, with the namespaces in its scope."""
    count = len(element.nsmap)
    if count > MAX_NAMESPACES:
        name = etree.QName(element).localname
        raise SamlError(f"{count} namespaces are in the scope of the {name}, {MAX_NAMESPACES} are allowed")
    # Names may hold any letters; in ASCII, the default, they would become what no parser reads again.
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)


def _status_of_response(element: etree._Element) -> Status:
    if element.tag != _R + "Response":
        raise SamlError(f"a SAML Response is expected, not {element.tag}")
    status = _only(element, _R + "Status")
    return Status(_only(status, _R + "StatusCode").get("Value", ""), _text(status.find(_R + "StatusMessage")))


def _first_policy_set(assertion: etree._Element | None) -> etree._Element:
    statements = [] if assertion is None else _statements(assertion, _POLICY_STATEMENT)
    policy_set = statements[0].find(f"{{{POLICY_NAMESPACE}}}PolicySet") if statements else None
    if policy_set is None:
        raise SamlError("the answer has no policy statement with a PolicySet in its first assertion")
    return policy_set


def _only_statement(assertion: etree._Element, type_name: str) -> etree._Element:
    statements = _statements(assertion, type_name)
    if len(statements) != 1:
        raise SamlError(f"the assertion has {len(statements)} statements of type {type_name} instead of one")
    return statements[0]


def _statements(assertion: etree._Element, type_name: str) -> list[etree._Element]:
    return [s for s in assertion.iterchildren(_A + "Statement") if _xsi_type(s) == (_STATEMENT_NAMESPACE, type_name)]


def _xsi_type(element: etree._Element) -> tuple[str | None, str]:
    prefix, _, name = element.get(_XSI_TYPE, "").strip().rpartition(":")
    return element.nsmap.get(prefix or None), name


def _new_response(
    id_: str | None, in_response_to: str | None, issue_instant: datetime | None, status: Status
) -> etree._Element:
    root = etree.Element(_R + "Response", nsmap={"saml2p": _PROTOCOL_NAMESPACE})
    _set(root, "ID", id_)
    _set(root, "InResponseTo", in_response_to)
    _set_instant(root, issue_instant)
    root.set("Version", VERSION)
    element = etree.SubElement(root, _R + "Status")
    etree.SubElement(element, _R + "StatusCode").set("Value", status.code)
    if status.message is not None:
        etree.SubElement(element, _R + "StatusMessage").text = status.message
    return root


def _append_assertion(response: etree._Element, id_: str | None, issue_instant: datetime | None) -> etree._Element:
    assertion = etree.SubElement(response, _A + "Assertion", nsmap={"saml2": _ASSERTION_NAMESPACE})
    _set(assertion, "ID", id_)
    _set_instant(assertion, issue_instant)
    assertion.set("Version", VERSION)
    return assertion


def _append_statement(assertion: etree._Element, type_name: str) -> etree._Element:
    statement = etree.SubElement(assertion, _A + "Statement", nsmap=_STATEMENT_PREFIXES)
    statement.set(_XSI_TYPE, f"xacml-saml:{type_name}")
    return statement


def _append_issuer(parent: etree._Element, issuer: str | None, format_: str | None) -> None:
    if issuer is None:
        return
    element = etree.SubElement(parent, _A + "Issuer", nsmap={"saml2": _ASSERTION_NAMESPACE})
    _set(element, "Format", format_)
    element.text = fit("Issuer", issuer)


def _only(parent: etree._Element, tag: str) -> etree._Element:
    found = list(parent.iterchildren(tag))
    if len(found) != 1:
        names = etree.QName(parent).localname, etree.QName(tag).localname
        raise SamlError(f"the {names[0]} has {len(found)} {names[1]} elements instead of one")
    return found[0]


def _text(element: etree._Element | None) -> str | None:
    return None if element is None else (element.text or "").strip()


def _set(element: etree._Element, name: str, value: str | None) -> None:
    if value is not None:
        element.set(name, value)


def _set_instant(element: etree._Element, instant: datetime | None) -> None:
    """SAML 2.0 core section 1.3.3: UTC; always three digits of milliseconds, as Java writes it."""
    if instant is not None:
        utc = instant.astimezone(UTC).replace(tzinfo=None)
        element.set("IssueInstant", utc.isoformat(timespec="milliseconds") + "Z")


def _instant(element: etree._Element) -> datetime | None:
    """Raises SamlError: IssueInstant is there and no time. Without a zone it is UTC."""
    text = element.get("IssueInstant")
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise SamlError(f"IssueInstant is no time: {text[:40]!r}") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
