"""Policy files, glexec.conf and map files from anybody: a value or a typed error that names a line, in linear time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.worker.errors import GlexecConfError, PolicyFileError
from argus_py.worker.glexec_conf import parse_glexec_conf
from argus_py.worker.lcmaps_db import parse_lcmaps_db
from argus_py.worker.map_file import MapFileError, Spellings, names, parse_map_file

NAMES = st.sampled_from(["a", "b", "c", "path", "d-1"])
PIECES = st.one_of(
    NAMES,
    st.sampled_from(["=", ":", "->", "|", "~", "\n", "#", '"', " ", '"x.mod"', '" -y z"', "/usr/lib", "-", ">"]),
    st.text(max_size=3),
)
KEYS = st.sampled_from(["[glexec]", "linger", "log_level", "user_white_list", "=", "yes", "3", ".pool", "#", "\n", " "])
PATTERNS = st.text(alphabet="ab/*?[]!^\\-=", max_size=12)


def check_line(line: int, text: str) -> None:
    assert 1 <= line <= max(1, len(text.splitlines()), text.count("\n") + 1)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_policy_file_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        file = parse_lcmaps_db(text, "f")
    except PolicyFileError as error:
        check_line(error.line, text)
        return
    for policy in file.policies.values():
        assert set(policy.modules()) <= set(file.modules)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(KEYS, st.text(max_size=3)), max_size=30).map("".join))
def test_glexec_conf_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        parse_glexec_conf(text, "f")
    except GlexecConfError as error:
        check_line(error.line, text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='ab/"\\ \t\n#,.*', max_size=60))
def test_map_file_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        lines = parse_map_file(text, "f")
    except MapFileError as error:
        check_line(error.line, text)
        return
    assert all(line.key.strip() for line in lines)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.text(alphabet="ab/*[]\\", max_size=12))
def test_every_pattern_is_answered_and_matches_itself(pattern: str, text: str) -> None:
    names(pattern, Spellings.of_fqan(text), wildcards=True)
    assert names(pattern, Spellings((pattern,)), wildcards=True)


def test_patterns_and_texts_at_their_limits_cost_little() -> None:
    pattern, name = "*a" * 4000 + "b", Spellings(("a" * 8000,))
    assert not names(pattern, name, wildcards=True)
    chain = (
        "".join(f'm{n} = "x.mod"\n' for n in range(200)) + "p:\n" + "".join(f"m{n} -> m{n + 1}\n" for n in range(199))
    )
    assert len(parse_lcmaps_db(chain, "f").policies["p"].modules()) == 200
