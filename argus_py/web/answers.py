"""HTTP answers to failures, one row per kind of error; what is not in the table shows nothing of itself.

Only for requests that cannot be served at all: a refused or unmappable user is answered inside the protocol.
"""

from typing import Final

from starlette.responses import PlainTextResponse

from argus_py.errors import (
    Conflict,
    CredentialRejected,
    MalformedInput,
    NotFound,
    NotPermitted,
    Unavailable,
)

_STATUS: Final = (
    (MalformedInput, 400),
    (CredentialRejected, 403),
    (NotPermitted, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)
_RETRY_AFTER = {"Retry-After": "5"}  # seconds; a client with one server left comes back, others go on


def status_and_text(error: Exception) -> tuple[int, str]:
    """The HTTP status of an error and the sentence the caller may read."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status, str(error)
    return 500, "internal error"


def answer(error: Exception) -> PlainTextResponse:
    """One line of plain text; callers log an error that comes out as 500."""
    status, text = status_and_text(error)
    return PlainTextResponse(f"{text}\n", status, _RETRY_AFTER if status == 503 else None)


def busy() -> PlainTextResponse:
    """The answer when too many requests wait already."""
    return PlainTextResponse("too many requests are waiting\n", 503, _RETRY_AFTER)


def too_large(limit: int) -> PlainTextResponse:
    return PlainTextResponse(f"the request is larger than {limit} octets\n", 413, {"Connection": "close"})
