"""Requests and responses of XACML 2.0 as XML."""

import pytest
from lxml import etree

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, StatusUri, SubjectCategory
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import (
    AttributeAssignment,
    Decision,
    Effect,
    MissingAttribute,
    Obligation,
    Result,
    Status,
    StatusCode,
)
from argus_py.xacml.context_xml import (
    CONTEXT_NAMESPACE,
    ContextSyntaxError,
    read_request,
    request_from_element,
    request_to_element,
    results_from_element,
    results_to_element,
    write_request,
)
from argus_py.xacml.document import NotXmlText, XmlSyntaxError
from argus_py.xacml.policy_elements import PolicySyntaxError

REQUEST = Request(
    subjects=(
        Subject(
            (
                Attribute(AttributeId.SUBJECT_ID, ("CN=A <b> & c,C=IT",), DataType.X500_NAME, "an issuer"),
                Attribute("urn:fqan", ("/a", "/b"), DataType.FQAN),
                Attribute("urn:none", ()),
            ),
            SubjectCategory.ACCESS_SUBJECT,
        ),
        Subject(),
    ),
    resources=(Resource((Attribute(AttributeId.RESOURCE_ID, ("r1",)),), "content <x>"), Resource()),
    action=Action((Attribute(AttributeId.ACTION_ID, ("a",)),)),
    environment=Environment(),
)


def request_of(content: str) -> bytes:
    return f'<Request xmlns="{CONTEXT_NAMESPACE}">{content}</Request>'.encode()


def results_of(content: str) -> tuple[Result, ...]:
    names = f'xmlns="{CONTEXT_NAMESPACE}" xmlns:p="urn:oasis:names:tc:xacml:2.0:policy:schema:os"'
    return results_from_element(etree.fromstring(f"<Response {names}>{content}</Response>"))


def test_a_written_request_is_read_as_the_same_value() -> None:
    assert read_request(write_request(REQUEST)) == REQUEST


def test_parts_the_client_did_not_send_are_not_written() -> None:
    assert write_request(Request()) == f'<xacml-context:Request xmlns:xacml-context="{CONTEXT_NAMESPACE}"/>'.encode()


def test_values_are_written_trimmed_and_blank_ones_are_dropped() -> None:
    request = Request(subjects=(Subject((Attribute("urn:a", (" x\n", "\t ", "", "\xa0y")),)),))
    assert read_request(write_request(request)).subjects[0].attributes[0].values == ("x", "\xa0y")


def test_a_character_that_xml_cannot_carry_is_refused_with_the_attribute() -> None:
    with pytest.raises(NotXmlText, match=r"urn:a holds the character U\+0001"):
        write_request(Request(action=Action((Attribute("urn:a", ("x\x01y",)),))))


def test_values_are_read_as_they_stand() -> None:
    xml = request_of(
        '<Action><Attribute AttributeId="i" DataType="t"><AttributeValue> x<!-- c --><![CDATA[<y>]]> </AttributeValue>'
        "<AttributeValue/></Attribute></Action>"
    )
    assert read_request(xml).action == Action((Attribute("i", (" x<y> ", ""), "t"),))


CONTENT = '<ResourceContent><r xmlns="urn:r" k="1">a<b/>c</r></ResourceContent>'


def test_resource_content_is_kept_as_text_and_as_markup_if_it_has_elements() -> None:
    (resource,) = read_request(request_of(f"<Resource>{CONTENT}</Resource>")).resources
    assert resource.content == "ac"
    assert resource.markup == CONTENT.replace("<Res", f'<ResourceContent xmlns="{CONTEXT_NAMESPACE}"', 1).replace(
        "ourceContent>", ">", 1
    )
    (plain,) = read_request(request_of("<Resource><ResourceContent> x </ResourceContent></Resource>")).resources
    assert plain == Resource((), " x ")


def test_the_markup_of_a_resource_is_written_as_it_is() -> None:
    request = read_request(request_of(f"<Resource>{CONTENT}</Resource>"))
    written = etree.fromstring(write_request(request))
    assert [element.tag for element in written.iter("{urn:r}*")] == ["{urn:r}r", "{urn:r}b"]
    with pytest.raises(XmlSyntaxError):
        write_request(Request(resources=(Resource((), "", "<r>"),)))


def test_a_verbatim_document_has_every_value_as_it_was_sent() -> None:
    values = (" x\n", "\t ", "")
    element = request_to_element(Request((Subject((Attribute("urn:a", values),)),)), verbatim=True)
    assert request_from_element(element).subjects[0].attributes[0].values == values


def test_a_missing_environment_and_a_missing_attribute_id_are_taken() -> None:
    request = read_request(request_of('<Subject><Attribute DataType="t"/></Subject>'))
    assert request == Request((Subject((Attribute("", (), "t"),)),))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<Foo/>", "not expected here in a Request"),
        ('<x:Action xmlns:x="urn:x"/>', "not expected here in a Request"),
        ("<Action/><Action/>", "not expected here in a Request"),
        ("<Environment/><Environment/>", "not expected here in a Request"),
        ("<Subject><Foo/></Subject>", "only Attribute elements"),
        ("<Resource><ResourceContent/><ResourceContent/></Resource>", "one of its kind is expected"),
        ("<Action><ResourceContent/></Action>", "only Attribute elements"),
        ('<Action><Attribute AttributeId="i"/></Action>', "attribute 'i' has no DataType"),
        ('<Action><Attribute DataType="t"><Value/></Attribute></Action>', "only AttributeValue elements"),
        (
            '<Action><Attribute DataType="t"><AttributeValue><b/></AttributeValue></Attribute></Action>',
            "text is expected, not elements",
        ),
    ],
)
def test_what_is_not_understood_makes_the_request_unreadable(content: str, reason: str) -> None:
    with pytest.raises(ContextSyntaxError) as caught:
        read_request(request_of(content))
    assert reason in caught.value.reason
    assert caught.value.line == 1


def test_another_root_is_no_request() -> None:
    with pytest.raises(ContextSyntaxError, match="not a Request of the XACML"):
        read_request(b"<Request/>")


@pytest.mark.parametrize(
    "result",
    [
        Result(Decision.PERMIT),
        Result(Decision.NOT_APPLICABLE, resource_id="a & b"),
        Result(Decision.INDETERMINATE, Status(StatusCode(StatusUri.PROCESSING_ERROR, StatusCode("urn:minor")), "why")),
        Result(
            Decision.INDETERMINATE,
            Status(
                StatusCode(StatusUri.MISSING_ATTRIBUTE),
                missing=(
                    MissingAttribute("urn:a", DataType.STRING),
                    MissingAttribute("urn:b", DataType.FQAN, "issuer"),
                ),
            ),
        ),
        Result(
            Decision.DENY,
            obligations=(
                Obligation("urn:a", Effect.DENY),
                Obligation("urn:b", Effect.PERMIT, (AttributeAssignment("i", "v"), AttributeAssignment("i", "", "t"))),
            ),
        ),
    ],
)
def test_a_written_result_is_read_as_the_same_value(result: Result) -> None:
    element = results_to_element((result, result))
    assert results_from_element(etree.fromstring(etree.tostring(element))) == (result, result)


def test_a_result_without_status_is_ok() -> None:
    assert results_of("<Result><Decision> Permit </Decision></Result>") == (Result(Decision.PERMIT),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<Result/>", "its Decision is none of Deny, Permit, Indeterminate, NotApplicable"),
        ("<Result><Decision>Permit</Decision><Decision>Deny</Decision></Result>", "one of its kind"),
        ("<Result><Decision>permit</Decision></Result>", "its Decision is none of"),
        ("<Result><Decision><Permit/></Decision></Result>", "text is expected"),
    ],
)
def test_a_result_without_one_of_the_four_decisions_is_refused(content: str, reason: str) -> None:
    with pytest.raises(ContextSyntaxError, match=reason):
        results_of(content)


@pytest.mark.parametrize("part", ["<Status/>", "<p:Obligations/>"])
def test_a_result_with_something_twice_is_refused(part: str) -> None:
    with pytest.raises(ContextSyntaxError, match="one of its kind"):
        results_of(f"<Result><Decision>Permit</Decision>{part}{part}</Result>")


@pytest.mark.parametrize(
    "obligation",
    [
        '<p:Obligation ObligationId="o"/>',
        '<p:Obligation FulfillOn="Permit"/>',
        '<p:Obligation ObligationId="o" FulfillOn="Indeterminate"/>',
        '<p:Foo ObligationId="o" FulfillOn="Permit"/>',
        '<p:Obligation ObligationId="o" FulfillOn="Permit"><p:AttributeAssignment/></p:Obligation>',
    ],
)
def test_an_obligation_that_cannot_be_read_is_never_skipped(obligation: str) -> None:
    with pytest.raises(PolicySyntaxError):
        results_of(f"<Result><Decision>Permit</Decision><p:Obligations>{obligation}</p:Obligations></Result>")


def test_another_root_is_no_response() -> None:
    with pytest.raises(ContextSyntaxError, match="not a Response"):
        results_from_element(etree.fromstring("<Response/>"))
