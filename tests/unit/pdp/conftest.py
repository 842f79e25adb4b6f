from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.xacml.policy import Combining, PolicySet

PAP_ID = "default-11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="session")
def root_of() -> Callable[[str], PolicySet]:
    """The outermost set of a PAP whose only pap holds a text; ids of its elements count up from 0."""

    def root_of(text: str) -> PolicySet:
        numbers = iter(range(100))
        elements = lower(parse(text), DEFAULT_MAPPINGS, lambda: str(next(numbers)))
        pap = PolicySet(PAP_ID, Combining.POLICIES_FIRST_APPLICABLE, elements)
        return PolicySet(f"root-{PAP_ID}", Combining.POLICIES_FIRST_APPLICABLE, (pap,))

    return root_of


@pytest.fixture(scope="session")
def clock() -> Callable[[], datetime]:
    return lambda: datetime(2026, 1, 1, tzinfo=UTC)
