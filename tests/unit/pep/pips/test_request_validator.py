from dataclasses import replace
from datetime import UTC, datetime

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.ports import PipError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
A = (Attribute("a", ("1",)),)
BARE = (Attribute("a", ()),)
BLANK = (Attribute("a", ("1", " \t\n")),)
ALL = RequestValidator(environment=True)


COMPLETE = Request((Subject(A),), (Resource(A),), Action(A), Environment(A))


def test_a_complete_request_passes_unchanged() -> None:
    assert ALL.enrich(COMPLETE, NOW) is COMPLETE


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (replace(COMPLETE, subjects=()), "Decision request does not contain any Subject"),
        (replace(COMPLETE, resources=()), "Decision request does not contain any Resource"),
        (replace(COMPLETE, action=None), "Decision request does not contain an Action"),
        (replace(COMPLETE, environment=None), "Decision request does not contain an Environment"),
        (replace(COMPLETE, subjects=(Subject(A), Subject())), "Decision request Subject without any attribute"),
        (replace(COMPLETE, resources=(Resource(),)), "Decision request Resource without any attribute"),
        (replace(COMPLETE, action=Action()), "Decision request Action without any attribute"),
        (replace(COMPLETE, environment=Environment()), "Decision request Environment without any attribute"),
        (
            replace(COMPLETE, subjects=(Subject(BARE),)),
            "Decision request Subject contains the attribute a without any value",
        ),
        (replace(COMPLETE, action=Action(BARE)), "Decision request Action contains the attribute a without any value"),
        (
            replace(COMPLETE, resources=(Resource(BLANK),)),
            "Decision request Resource contains the attribute a with an empty (stripped) value",
        ),
        (
            replace(COMPLETE, environment=Environment(BLANK)),
            "Decision request Environment contains the attribute a with an empty (stripped) value",
        ),
        (replace(COMPLETE, subjects=(), resources=(), action=None), "Decision request does not contain any Subject"),
    ],
)
def test_the_first_failure_ends_the_request(bad: Request, message: str) -> None:
    with pytest.raises(PipError) as refusal:
        ALL.enrich(bad, NOW)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("validator", "bad"),
    [
        (RequestValidator(subjects=False), replace(COMPLETE, subjects=())),
        (RequestValidator(resources=False), replace(COMPLETE, resources=())),
        (RequestValidator(action=False), replace(COMPLETE, action=None)),
        (RequestValidator(), replace(COMPLETE, environment=None)),
        (RequestValidator(), replace(COMPLETE, environment=Environment(BLANK))),
    ],
)
def test_a_part_that_is_not_to_be_validated_may_be_anything(validator: RequestValidator, bad: Request) -> None:
    assert validator.enrich(bad, NOW) is bad


def test_a_value_of_other_unicode_blanks_is_no_empty_value() -> None:
    nbsp = replace(COMPLETE, subjects=(Subject((Attribute("a", ("\u00a0",)),)),))
    assert ALL.enrich(nbsp, NOW) is nbsp
