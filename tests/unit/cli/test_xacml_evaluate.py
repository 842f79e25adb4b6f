"""argus xacml evaluate: the conformance suite by command line, and files that must be refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from argus_py.cli import argus
from argus_py.cli.policy_files import FileRefused, read_policy_file
from argus_py.cli.xacml_evaluate import evaluate_files
from argus_py.model.identifiers import StatusUri
from argus_py.model.response import Decision, MissingAttribute, Result
from argus_py.xacml import context_xml
from argus_py.xacml.context_xml import results_from_element

Case = dict[str, Any]
ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors"
CASES: dict[str, Case] = {
    case["id"]: case for case in json.loads((VECTORS / "xacml2-conformance" / "cases.json").read_text())
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

REFUSED = {
    "IIA004": "SubjectAttributeDesignator has no AttributeId",
    "IIC003": "does not take",
    "IIC012": "the condition is not boolean",
    "IIC014": "does not take",
}
NOT_AS_EXPECTED = {
    "IIA002": ("NotApplicable", "nobody is there who knows more of the subject than the request says"),
    "IID029": ("NotApplicable", "the first policy is the root, and this one does not refer to the second"),
    "IIIC003": ("Permit", "there is no tree of resources, hence one result"),
}
EVALUATED = sorted(set(CASES) - set(REFUSED) - set(NOT_AS_EXPECTED))

Evaluate = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def evaluate(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Evaluate:
    """Runs the command on documents: exit code, standard output, standard error."""

    def evaluate(policies: list[str], request: str, *options: str) -> tuple[int, bytes, str]:
        words = ["xacml", "evaluate", *options]
        for number, policy in enumerate(policies):
            file = tmp_path / f"policy-{number}"
            file.write_text(policy)
            words += ["--policy", str(file)]
        (tmp_path / "request").write_text(request)
        code = argus.main([*words, "--request", str(tmp_path / "request")])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return evaluate


def of_case(evaluate: Evaluate, id: str, *options: str) -> tuple[int, bytes, str]:
    case = CASES[id]
    return evaluate([*case["policies"], *case.get("referenced", ())], case["request"], *options)


def results(document: bytes) -> tuple[Result, ...]:
    assert document.startswith(DECLARATION)
    return results_from_element(etree.fromstring(document))


def as_in_the_suite(result: Result) -> Case:
    """The order of obligations does not count."""
    obligations = [
        [each.id, each.fulfill_on.value, [[a.attribute_id, a.datatype, a.value] for a in each.assignments]]
        for each in result.obligations
    ]
    return {
        "decision": result.decision.value,
        "status": result.status.code.value,
        "obligations": sorted(obligations),
    }


def test_the_suite_is_complete() -> None:
    assert (len(CASES), len(EVALUATED)) == (250, 243)


@pytest.mark.parametrize("id", EVALUATED)
def test_the_response_is_the_expected_one(id: str, evaluate: Evaluate) -> None:
    code, out, err = of_case(evaluate, id)
    (expected,) = CASES[id]["results"]
    assert (code, err) == (0, "")
    assert [as_in_the_suite(result) for result in results(out)] == [
        {**expected, "obligations": sorted(expected["obligations"])}
    ]


@pytest.mark.parametrize("id", REFUSED)
def test_a_policy_that_is_wrong_on_purpose_is_refused_by_name_and_line(id: str, evaluate: Evaluate) -> None:
    code, out, err = of_case(evaluate, id)
    assert (code, out) == (1, b"")
    assert err.startswith("argus: ")
    assert "/policy-0: not a policy: line " in err
    assert REFUSED[id] in err


@pytest.mark.parametrize("id", NOT_AS_EXPECTED)
def test_what_comes_out_in_another_way_on_purpose(id: str, evaluate: Evaluate) -> None:
    code, out, _ = of_case(evaluate, id)
    decision, _reason = NOT_AS_EXPECTED[id]
    assert code == 0
    assert [result.decision.value for result in results(out)] == [decision]


def test_an_indeterminate_says_why_and_which_attribute_is_missing(evaluate: Evaluate) -> None:
    _, out, _ = of_case(evaluate, "IIA007")
    (result,) = results(out)
    assert result.status.code.value == StatusUri.MISSING_ATTRIBUTE
    assert result.status.message
    assert result.status.message.endswith(" is missing")
    assert [type(each) for each in result.status.missing] == [MissingAttribute]


def test_the_trace_is_on_standard_error_and_the_document_stays_one(evaluate: Evaluate) -> None:
    code, out, err = of_case(evaluate, "IIB001", "--trace")
    policy = "urn:oasis:names:tc:xacml:2.0:conformance-test:IIB001"
    assert code == 0
    assert len(results(out)) == 1
    assert err.splitlines() == [
        "Decision: Permit",
        f"By: {policy}:rule",
        "",
        f"Permit  policy {policy}:policy",
        f"Permit    rule {policy}:rule",
    ]


def test_what_is_referred_to_is_on_the_way(evaluate: Evaluate) -> None:
    _, _, err = of_case(evaluate, "IIE001", "--trace")
    assert "Permit    policy set urn:oasis:names:tc:xacml:2.0:conformance-test:IIE001:policyset1" in err.splitlines()


def test_a_reference_to_what_was_not_given_is_told_and_an_error_when_it_is_evaluated(evaluate: Evaluate) -> None:
    case = CASES["IIE001"]
    code, out, err = evaluate(case["policies"], case["request"])
    assert code == 0
    assert results(out)[0].decision is Decision.DENY  # the worst that deny-overrides could have found there
    suite = "urn:oasis:names:tc:xacml:2.0:conformance-test:IIE001"
    assert err.splitlines()[0] == (
        f"argus: {suite}:policyset: the reference to {suite}:policy1 cannot be followed: no such Policy was delivered"
    )


REQUEST = CASES["IIB001"]["request"]
POLICY = CASES["IIB001"]["policies"][0]
SPL = 'resource "http://.*" {\n  action "read" {\n    rule permit { "action"=".*" }\n  }\n}\n'


def test_a_policy_text_is_evaluated_too(evaluate: Evaluate) -> None:
    request = REQUEST.replace('XMLSchema#anyURI">', 'XMLSchema#string">')
    code, out, err = evaluate([SPL], request, "--trace")
    assert code == 0
    assert results(out)[0].decision is Decision.PERMIT
    assert 'Permit        rule permit { action=".*" }  [3, line 3]' in err.splitlines()


def test_a_request_with_an_unknown_data_type_is_indeterminate(evaluate: Evaluate) -> None:
    _, out, err = evaluate([POLICY], REQUEST.replace("XMLSchema#anyURI", "XMLSchema#other"), "--trace")
    (result,) = results(out)
    assert (result.decision, result.status.code.value) == (Decision.INDETERMINATE, StatusUri.PROCESSING_ERROR)
    assert result.status.message
    assert "unknown data type" in result.status.message
    assert err == f"Decision: Indeterminate\nBecause: {result.status.message}\n"


@pytest.mark.parametrize(
    ("policy", "request_document", "named", "reason"),
    [
        ("", REQUEST, "policy-0", "Was expecting"),
        ("<Policy", REQUEST, "policy-0", "not a policy"),
        ("<!DOCTYPE x><x/>", REQUEST, "policy-0", "DOCTYPE is disallowed"),
        (REQUEST, REQUEST, "policy-0", "unexpected element Request"),
        (POLICY.replace("deny-overrides", "lottery"), REQUEST, "policy-0", "lottery"),
        ("resource {", REQUEST, "policy-0", "line 1, column 10"),
        ('resource "x" { action "y" { rule permit { colour="red" } } }', REQUEST, "policy-0", "unknown attribute"),
        (POLICY, "", "request", "end of file"),
        (POLICY, "<Request/>", "request", "not a Request of the XACML 2.0 context"),
        (POLICY, POLICY, "request", "not a Request of the XACML 2.0 context"),
        (POLICY, REQUEST.replace("</Request>", "<Colour/></Request>"), "request", "not expected here"),
    ],
)
def test_a_file_that_is_none_of_its_kind_is_refused_by_name(
    policy: str, request_document: str, named: str, reason: str, evaluate: Evaluate
) -> None:
    code, out, err = evaluate([policy], request_document)
    assert (code, out) == (1, b"")
    assert f"/{named}: " in err
    assert any(each in err for each in reason.split("|"))


def test_a_bad_file_among_those_to_be_referred_to_is_refused_as_well(evaluate: Evaluate) -> None:
    code, out, err = evaluate([POLICY, "<x/>"], REQUEST)
    assert (code, out) == (1, b"")
    assert "/policy-1: " in err


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none")
    assert argus.main(["xacml", "evaluate", "--policy", missing, "--request", missing]) == 1
    assert capsys.readouterr().err == f"argus: [Errno 2] No such file or directory: '{missing}'\n"


def test_a_request_that_is_too_long_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "request").write_bytes(REQUEST.encode() + b" " * context_xml.MAX_BYTES)
    with pytest.raises(FileRefused, match=r"request: Invalid XML: the document is \d+ octets long"):
        evaluate_files([tmp_path / "policy"], tmp_path / "request", NOW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_documents_are_told_from_policy_texts_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_bytes(f"\n {POLICY}".encode(encoding))
    assert read_policy_file(file).root.id == "urn:oasis:names:tc:xacml:2.0:conformance-test:IIB001:policy"
    file.write_bytes(SPL.encode("utf-8-sig"))
    assert read_policy_file(file).lines == {"1": 1, "public_2": 2, "3": 3}
