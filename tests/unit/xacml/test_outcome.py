"""The tables of the standard: an error counts only where nothing else settles the result."""

import pytest

from argus_py.model.response import Decision, Effect, Obligation
from argus_py.xacml.outcome import NOT_APPLICABLE, Evaluation, Fault, Matched, all_of, any_of

ERROR, LATER = Fault("first"), Fault("second")


@pytest.mark.parametrize(
    ("operands", "any_is", "all_is"),
    [
        ([], False, True),
        ([True], True, True),
        ([False], False, False),
        ([ERROR], ERROR, ERROR),
        ([True, False], True, False),
        ([ERROR, True], True, ERROR),
        ([True, ERROR], True, ERROR),
        ([ERROR, False], ERROR, False),
        ([False, ERROR], ERROR, False),
        ([ERROR, LATER], ERROR, ERROR),
        ([False, ERROR, True], True, False),
    ],
)
def test_any_and_all_do_not_depend_on_order(operands: list[Matched], any_is: Matched, all_is: Matched) -> None:
    assert any_of(operands) == any_is
    assert all_of(operands) == all_is


def test_the_enclosing_element_adds_its_id_and_the_obligations_of_the_decision() -> None:
    inner = Evaluation(Decision.DENY, (Obligation("inner", Effect.DENY),), ("p", "r"), "why")
    outer = inner.within("root", (Obligation("yes", Effect.DENY), Obligation("no", Effect.PERMIT)))
    assert [obligation.id for obligation in outer.obligations] == ["yes", "inner"]
    assert (outer.path, outer.reason) == (("root", "p", "r"), "why")


def test_what_is_not_applicable_has_no_path() -> None:
    assert NOT_APPLICABLE.within("root", (Obligation("o", Effect.PERMIT),)) == NOT_APPLICABLE
