"""What is printed parses to the same value; every FQAN matches itself as a pattern."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.fqan import NULL, Fqan, FqanPattern

WORDS = st.text("abcXYZ019._-", min_size=1, max_size=8).filter(lambda word: word.upper() != NULL)
FQANS = st.builds(
    lambda groups, role, capability: Fqan("/" + "/".join(groups), role, capability),
    st.lists(WORDS, min_size=1, max_size=4),
    st.just(NULL) | WORDS,
    st.just(NULL) | WORDS,
)


@settings(max_examples=200, deadline=None)
@given(FQANS)
def test_printed_text_parses_to_the_same_value(fqan: Fqan) -> None:
    assert Fqan.parse(str(fqan)) == fqan


@settings(max_examples=200, deadline=None)
@given(FQANS, WORDS)
def test_fqan_matches_itself_and_its_subgroups_only_with_a_star(fqan: Fqan, subgroup: str) -> None:
    below = Fqan(f"{fqan.group}/{subgroup}", fqan.role, fqan.capability)
    itself = FqanPattern.parse(str(fqan))
    with_star = FqanPattern.parse(str(Fqan(fqan.group + "/*", fqan.role)))
    assert itself.matches(fqan)
    assert not itself.matches(below)
    assert with_star.matches(fqan)
    assert with_star.matches(below)
    assert not with_star.matches(Fqan(fqan.group + subgroup, fqan.role))
