import pytest
from starlette.responses import PlainTextResponse

from argus_py.errors import (
    ArgusError,
    ConfigurationError,
    Conflict,
    CredentialRejected,
    MalformedInput,
    NotFound,
    NotPermitted,
    Unavailable,
    Unmapped,
)
from argus_py.web.answers import answer, busy, status_and_text, too_large


class Special(NotFound):
    pass


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedInput("text"), 400),
        (CredentialRejected("text"), 403),
        (NotPermitted("text"), 403),
        (NotFound("text"), 404),
        (Special("text"), 404),
        (Conflict("text"), 409),
        (Unavailable("text"), 503),
    ],
)
def test_each_kind_of_error_has_its_status_and_tells_its_text(error: ArgusError, status: int) -> None:
    assert status_and_text(error) == (status, "text")


@pytest.mark.parametrize(
    "error", [Unmapped("secret"), ConfigurationError("secret"), ArgusError("secret"), KeyError("secret")]
)
def test_any_other_error_shows_nothing(error: Exception) -> None:
    assert status_and_text(error) == (500, "internal error")
    assert b"secret" not in answer(error).body


def test_an_answer_is_a_line_of_text() -> None:
    response = answer(MalformedInput("no request"))
    assert (response.status_code, response.body) == (400, b"no request\n")
    assert "retry-after" not in response.headers


@pytest.mark.parametrize("response", [answer(Unavailable("later")), busy()])
def test_who_shall_come_back_is_told_when(response: PlainTextResponse) -> None:
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


def test_a_body_that_is_too_large_ends_the_connection() -> None:
    response = too_large(10)
    assert (response.status_code, response.headers["connection"]) == (413, "close")
    assert response.body == b"the request is larger than 10 octets\n"
