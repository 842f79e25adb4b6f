"""POST /explain on the admin port of the PDP: how the policy in force would decide, and why.

The question is a JSON object, the answer text for people or JSON. A question that cannot be used is answered 400 with a
sentence, and 503 says that there is no policy yet.
"""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse, PlainTextResponse, Response

from argus_py.errors import MalformedInput, Unavailable
from argus_py.pdp.engine import Engine
from argus_py.pdp.question import Profile, Question
from argus_py.pdp.trace_json import explanation_as_json
from argus_py.pdp.trace_text import format_explanation
from argus_py.web.admin import PLAIN_TEXT
from argus_py.web.answers import answer


class ExplainBody(BaseModel):
    """``whole``: text shows everything that was looked at, as JSON always does."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    subject: str
    resource: str
    action: str
    fqans: list[str] = []
    issuers: list[str] = []
    profile: Literal["grid-wn", "grid-ce", "common"] = "grid-wn"
    output: Literal["text", "json"] = "json"
    whole: bool = False


class UnreadableQuestion(MalformedInput):
    """The body is no such object; ``problems`` name the fields."""

    def __init__(self, error: ValidationError) -> None:
        problems = error.errors(include_url=False, include_input=False)
        self.problems = tuple(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in problems)
        super().__init__("; ".join(self.problems))


def explaining(engine: Engine) -> Callable[[bytes], Response]:
    """For the ``questions`` of an admin port."""

    def explain(body: bytes) -> Response:
        try:
            asked = _read(body)
            explanation = engine.explain(_question(asked).request())
        except (MalformedInput, Unavailable) as error:
            return answer(error)
        if asked.output == "json":
            return JSONResponse(explanation_as_json(explanation))
        return PlainTextResponse(format_explanation(explanation, asked.whole), media_type=PLAIN_TEXT)

    return explain


def _read(body: bytes) -> ExplainBody:
    try:
        return ExplainBody.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableQuestion(error) from error


def _question(asked: ExplainBody) -> Question:
    return Question.parse(
        asked.subject,
        asked.resource,
        asked.action,
        fqans=asked.fqans,
        issuers=asked.issuers,
        profile=Profile(asked.profile),
    )
