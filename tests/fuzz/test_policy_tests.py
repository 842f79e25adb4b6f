"""Whatever stands in a file of policy tests: they are read, or it is said what is wrong, with a place that exists."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.pap.policy_tests_yaml import PolicyTestsError, parse_policy_tests
from argus_py.spl.attributes import DEFAULT_MAPPINGS

KEYS = ["policies", "accounts", "groups", "people", "what", "where", "profile", "tests", "name", "who", "decision"]
VALUES = ["account", "subject", "fqans", "issuers", "attributes", "vo", "permit", "deny", "none", "CN=a", "/a", "a", ""]
SIGNS = [": ", "\n", "\n  ", "- ", "{", "}", "[", "]", ", ", "'", '"', "#", "&", "*", "!", "|", ">", "? ", "---"]
WORDS = st.sampled_from([*KEYS, *VALUES, *SIGNS, ": "])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(WORDS, max_size=40).map("".join)))
def test_a_value_or_a_typed_error(text: str) -> None:
    places = places_of(text)
    assert all(0 < line <= text.count("\n") + text.count("\r") + 2 for line in places)


def places_of(text: str) -> list[int]:
    """The lines of all cases, or of all problems."""
    try:
        return [case.line for case in parse_policy_tests(text, DEFAULT_MAPPINGS).cases]
    except PolicyTestsError as error:
        return [problem.line for problem in error.problems]
