from dataclasses import dataclass, field, replace

import pytest

from argus_py.errors import ConfigurationError
from argus_py.model.request import Request
from argus_py.model.response import Decision, Effect, Obligation, Response, Result
from argus_py.pep.obligations.service import ObligationService


@dataclass
class Recording:
    """Notes its call and replaces its obligation by one of another id."""

    obligation_id: str
    calls: list[str] = field(default_factory=list)
    adds: str = "added"

    def fulfil(self, request: Request, response: Response) -> Response:
        self.calls.append(self.obligation_id)
        first, *others = response.results
        kept = tuple(o for o in first.obligations if o.id != self.obligation_id)
        added = Obligation(self.adds, Effect.PERMIT)
        return replace(response, results=(replace(first, obligations=(*kept, added)), *others))


def response(decision: Decision, *obligations: Obligation) -> Response:
    return Response((Result(decision, obligations=obligations),))


def ids(answer: Response) -> list[str]:
    return [obligation.id for obligation in answer.results[0].obligations]


def test_handlers_run_in_the_order_of_their_ids() -> None:
    calls: list[str] = []
    service = ObligationService([Recording("b", calls), Recording("a", calls)])
    service.fulfil(Request(), response(Decision.PERMIT, Obligation("b", Effect.PERMIT), Obligation("a", Effect.PERMIT)))
    assert calls == ["a", "b"]


def test_a_handler_runs_once_for_two_obligations_of_its_id() -> None:
    calls: list[str] = []
    twice = Obligation("a", Effect.PERMIT)
    ObligationService([Recording("a", calls)]).fulfil(Request(), response(Decision.PERMIT, twice, twice))
    assert calls == ["a"]


def test_an_obligation_without_handler_stays() -> None:
    answer = response(Decision.PERMIT, Obligation("other", Effect.PERMIT))
    assert ObligationService([Recording("a")]).fulfil(Request(), answer) is answer


def test_what_a_handler_adds_triggers_no_handler() -> None:
    calls: list[str] = []
    service = ObligationService([Recording("a", calls, adds="b"), Recording("b", calls)])
    answer = service.fulfil(Request(), response(Decision.PERMIT, Obligation("a", Effect.PERMIT)))
    assert calls == ["a"]
    assert ids(answer) == ["b"]


@pytest.mark.parametrize(
    ("decision", "fulfill_on", "runs"),
    [
        (Decision.PERMIT, Effect.PERMIT, True),
        (Decision.PERMIT, Effect.DENY, False),
        (Decision.DENY, Effect.DENY, True),
        (Decision.DENY, Effect.PERMIT, False),
        (Decision.INDETERMINATE, Effect.PERMIT, False),
        (Decision.INDETERMINATE, Effect.DENY, False),
        (Decision.NOT_APPLICABLE, Effect.PERMIT, False),
        (Decision.NOT_APPLICABLE, Effect.DENY, False),
    ],
)
def test_an_obligation_counts_when_it_is_for_the_decision(decision: Decision, fulfill_on: Effect, runs: bool) -> None:
    calls: list[str] = []
    ObligationService([Recording("a", calls)]).fulfil(Request(), response(decision, Obligation("a", fulfill_on)))
    assert calls == (["a"] if runs else [])


def test_only_the_first_result_is_looked_at() -> None:
    calls: list[str] = []
    second = Result(Decision.PERMIT, obligations=(Obligation("a", Effect.PERMIT),))
    answer = Response((Result(Decision.PERMIT), second))
    assert ObligationService([Recording("a", calls)]).fulfil(Request(), answer) == answer
    assert calls == []


def test_two_handlers_for_one_obligation_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="more than one handler for the obligation a"):
        ObligationService([Recording("a"), Recording("b"), Recording("a")])
