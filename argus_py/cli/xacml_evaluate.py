"""``argus xacml evaluate``: try policies on a request, without a PDP.

The answer is that of the PDP, as the Response document of XACML 2.0 on standard output, with the reason of an
Indeterminate as status message; docs/explain.md tells more.

BETTER: an attribute without an AttributeId, which the PDP takes and never selects as Java does, makes the answer
Indeterminate, as the standard asks.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from lxml import etree

from argus_py.cli.policy_files import FileRefused, GivenPolicies, read_bounded, read_policies
from argus_py.errors import MalformedInput
from argus_py.model.dn import escape_controls
from argus_py.model.identifiers import StatusUri
from argus_py.model.request import Request
from argus_py.model.response import Decision, Result, Status, StatusCode
from argus_py.pdp.engine import result_of
from argus_py.pdp.explanation import explained
from argus_py.pdp.trace_text import format_explanation
from argus_py.run.parts import now
from argus_py.xacml.context_xml import MAX_BYTES, read_request, results_to_element
from argus_py.xacml.document import made_fit
from argus_py.xacml.request_attributes import TooManyValues, UnknownDataType


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``run`` of what is parsed is ``main``."""
    parser.set_defaults(run=main)
    parser.add_argument(
        "--policy",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="Policy or PolicySet of XACML 2.0, or a policy text; the first is evaluated, it may refer to the others",
    )
    parser.add_argument("--request", type=Path, required=True, metavar="FILE", help="Request of XACML 2.0")
    parser.add_argument("--trace", action="store_true", help="tell the way to the decision on standard error")


def main(arguments: argparse.Namespace) -> int:
    """0 for any decision. Raises FileRefused, PolicyTooLarge; OSError: a file cannot be read."""
    evaluated = evaluate_files(arguments.policy, arguments.request, now())
    for warning in evaluated.warnings:
        print(f"argus: {escape_controls(warning)}", file=sys.stderr)
    sys.stdout.buffer.write(_document(evaluated.result))  # in UTF-8, as it says, whatever the terminal has
    sys.stdout.flush()
    if arguments.trace:
        print(evaluated.trace, end="", file=sys.stderr)
    return 0


@dataclass(frozen=True, slots=True)
class Evaluated:
    """``trace`` is text; ``warnings`` are about references that cannot be followed."""

    result: Result
    trace: str
    warnings: tuple[str, ...]


def evaluate_files(policies: Sequence[Path], request_file: Path, moment: datetime) -> Evaluated:
    """Raises FileRefused, PolicyTooLarge; OSError: a file cannot be read."""
    given = read_policies(policies)
    request = _read_request(request_file)
    if _has_nameless(request):
        return _unevaluated(given, "an attribute of the request has no AttributeId", StatusUri.SYNTAX_ERROR)
    try:
        explanation = explained(given.root, request, moment)
    except (UnknownDataType, TooManyValues) as error:
        return _unevaluated(given, str(error), StatusUri.PROCESSING_ERROR)
    result = result_of(explanation.evaluation, request)
    if result.decision is Decision.INDETERMINATE:
        message = made_fit(explanation.evaluation.reason or "")
        result = replace(result, status=replace(result.status, message=message))
    return Evaluated(result, format_explanation(explanation, whole=True, lines=given.lines), given.broken)


def _read_request(file: Path) -> Request:
    try:
        return read_request(read_bounded(file, MAX_BYTES))
    except MalformedInput as error:
        raise FileRefused(file, error) from error


def _has_nameless(request: Request) -> bool:
    parts = (*request.subjects, *request.resources, request.action, request.environment)
    return any(not attribute.id for part in parts if part is not None for attribute in part.attributes)


def _unevaluated(given: GivenPolicies, reason: str, status: str) -> Evaluated:
    result = Result(Decision.INDETERMINATE, Status(StatusCode(status), made_fit(reason)))
    trace = f"Decision: Indeterminate\nBecause: {escape_controls(reason)}\n"
    return Evaluated(result, trace, given.broken)


def _document(result: Result) -> bytes:
    response = results_to_element((result,))
    etree.indent(response)
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        + etree.tostring(response, encoding="UTF-8", xml_declaration=False)
        + b"\n"
    )
