"""Which endpoint is asked next, and until when it may answer."""

from datetime import timedelta

import pytest

from argus_py.errors import ConfigurationError, MalformedInput, Unavailable
from argus_py.model.response import Decision, Response, Result
from argus_py.worker.failover import Deadlines, EndpointFailed, NoEndpointAnswers, first_answer

DENY = Response((Result(Decision.DENY),))
DEADLINES = Deadlines(exchange=timedelta(seconds=30), total=timedelta(seconds=60))


class Endpoints:
    """Each takes some seconds, then answers or raises; remembers who was asked, and until when."""

    def __init__(self, seconds: float, **answers: Response | Exception) -> None:
        self._seconds = seconds
        self._answers = answers
        self._time = 1000.0
        self.asked: list[tuple[str, float]] = []

    def ask(self, endpoint: str, end: float) -> Response:
        self.asked.append((endpoint, end))
        self._time = min(self._time + self._seconds, end)
        answer = self._answers[endpoint]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def first_answer(self) -> Response:
        return first_answer(list(self._answers), self.ask, DEADLINES, lambda: self._time)


@pytest.mark.parametrize("failure", [EndpointFailed("down"), MalformedInput("trash")])
def test_the_next_one_is_asked_until_one_answers(failure: Exception) -> None:
    endpoints = Endpoints(1, a=failure, b=DENY, c=DENY)
    assert endpoints.first_answer() == DENY
    assert [name for name, _ in endpoints.asked] == ["a", "b"]


def test_nobody_answers_is_told_with_the_reasons_in_order() -> None:
    with pytest.raises(NoEndpointAnswers) as nobody:
        Endpoints(1, a=EndpointFailed("down"), b=MalformedInput("trash")).first_answer()
    assert nobody.value.reasons == ("a: down", "b: trash")
    assert str(nobody.value) == "no answer from Argus: a: down; b: trash"


def test_each_has_its_time_and_all_of_them_no_more_than_there_is() -> None:
    silent = EndpointFailed("no answer in time")
    endpoints = Endpoints(25, a=silent, b=silent, c=silent)
    with pytest.raises(NoEndpointAnswers):
        endpoints.first_answer()
    assert endpoints.asked == [("a", 1030.0), ("b", 1055.0), ("c", 1060.0)]


@pytest.mark.parametrize("error", [ConfigurationError("no key"), Unavailable("of another kind")])
def test_what_no_other_endpoint_can_help_ends_the_search(error: Exception) -> None:
    endpoints = Endpoints(1, a=error, b=DENY)
    with pytest.raises(type(error)):
        endpoints.first_answer()
    assert len(endpoints.asked) == 1
