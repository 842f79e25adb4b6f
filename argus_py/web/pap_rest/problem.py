"""What is answered to requests that are refused: problem details with the name of the cause, for programs.

``type`` and ``error`` say the same; ``instance`` is the id that the log of the PAP has of the request.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel
from starlette.responses import Response

from argus_py.errors import ArgusError
from argus_py.pap.history import Change
from argus_py.pap.request import RevisionChanged
from argus_py.spl.errors import SplError
from argus_py.web.answers import status_and_text
from argus_py.web.pap_rest.shapes import ChangeEntry, change_entry
from argus_py.web.problems import problem
from argus_py.xacml.document import made_fit

_RETRY_AFTER: Final = {"Retry-After": "5"}  # seconds
_NEW_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Cause(StrEnum):
    """Names of what is no error of the PAP's own."""

    MALFORMED = "MalformedRequest"
    WRONG_TYPE = "WrongMediaType"
    TOO_LARGE = "TooLarge"
    NO_SUCH_PATH = "NoSuchPath"
    NO_SUCH_METHOD = "NoSuchMethod"
    INTERNAL = "InternalError"


class SplProblem(BaseModel):
    """Of a policy text, at a line and column counted from 1."""

    line: int
    column: int
    text: str


class ProblemBody(BaseModel):
    """RFC 9457. ``error`` names the cause for programs; ``instance`` the request, as the log does.

    ``problems``: all that is wrong with a policy text. ``changes``: with 412, what was changed since, the newest first.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    error: str
    problems: list[SplProblem] = []
    changes: list[ChangeEntry] = []


def refusal(error: ArgusError, request_id: str, changes: Sequence[Change] = ()) -> Response:
    """``changes``: why the expectation of a caller was not met."""
    status, text = status_and_text(error)
    members: dict[str, Any] = {}
    if isinstance(error, RevisionChanged):
        status = 412
        members["changes"] = [change_entry(change).model_dump(mode="json") for change in changes]
    if isinstance(error, SplError):
        members["problems"] = [
            {"line": each.line, "column": each.column, "text": made_fit(each.text)} for each in error.problems
        ]
    name = Cause.INTERNAL if status == 500 else type(error).__name__
    return details(status, name, text, request_id, _RETRY_AFTER if status == 503 else None, **members)


def details(
    status: int,
    error: str,
    detail: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    words = _NEW_WORD.split(error)
    return problem(
        status,
        made_fit(detail),
        name="-".join(words).lower(),
        title=" ".join(words).capitalize(),
        headers=headers,
        instance=f"urn:uuid:{request_id}",
        error=error,
        **members,
    )
