"""Any map file becomes a policy that can be loaded, or a typed error; the classic form takes whatever there is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.errors import MalformedInput
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.group_map import PolicyFrame, classic, derive
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse

PIECES = st.sampled_from(
    [
        '"',
        "/",
        "/vo",
        "/*",
        "/Role=",
        "pilot",
        "*",
        "#",
        " ",
        "\n",
        "\\",
        "'",
        "=",
        "/CN=",
        "/Capability=x",
        "é",
        "\t",
        ",",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=80))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.booleans(), st.lists(st.text(max_size=20), max_size=2))
def test_a_policy_that_can_be_loaded_or_a_typed_error(text: str, skip: bool, bans: list[str]) -> None:
    try:
        policy = derive(text, "groupmapfile", PolicyFrame(), bans=bans, skip_unsupported=skip).text
    except MalformedInput:
        return
    assert lower(parse(policy), DEFAULT_MAPPINGS, new_id=str)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_the_classic_form_has_no_star_and_its_frame(text: str) -> None:
    printed = classic(text, "groupmapfile").text
    assert "*" not in printed
    assert printed.startswith("resource ")
    assert printed.endswith("    }\n}\n\n")
