"""Any bytes give a policy set or a typed error, and what was read can be written and evaluated."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.request import Request
from argus_py.xacml.index import compile_policy
from argus_py.xacml.policy_xml import PolicySyntaxError, read_policy_set, write_policy_set

DELIVERED = (Path(__file__).parents[1] / "vectors/xacml/policy-two-paps.xml").read_bytes()
TOKENS = re.findall(rb"<[^>]*>|[^<]+", re.sub(rb">\s+<", b"><", DELIVERED))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A delivered policy with some of its tags and texts dropped, doubled, swapped or spoiled."""
    tokens = list(TOKENS)
    for _ in range(draw(st.integers(1, 3))):
        at, other = draw(st.integers(0, len(tokens) - 1)), draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "spoil"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case _:
                tokens[at] = tokens[at].replace(draw(st.sampled_from([b"xacml:", b"string", b"Per", b'"', b"1"])), b"x")
    return b"".join(tokens)


@settings(max_examples=300, deadline=None)
@given(st.one_of(damaged(), st.binary()))
def test_any_bytes_give_a_policy_set_or_a_typed_error(xml: bytes) -> None:
    try:
        policy_set = read_policy_set(xml)
    except PolicySyntaxError:
        return
    assert read_policy_set(write_policy_set(policy_set)) == policy_set
    assert compile_policy(policy_set).evaluate(Request())
