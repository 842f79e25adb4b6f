"""Problem details (RFC 9457): what a JSON interface answers when it has no answer.

``type`` says what went wrong, for programs; the phrase of the status alone is the type ``about:blank``. Nothing of an
error of ours is shown.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

MEDIA_TYPE: Final = "application/problem+json"
ABOUT_BLANK: Final = "about:blank"
_TYPES: Final = "urn:argus:problem:"


def problem(
    status: int,
    detail: str,
    *,
    name: str | None = None,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """``name`` makes a type of its own, with its ``title``; ``members`` are extensions that it has."""
    told = {
        "type": f"{_TYPES}{name}" if name else ABOUT_BLANK,
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return JSONResponse(told, status, headers, MEDIA_TYPE)
