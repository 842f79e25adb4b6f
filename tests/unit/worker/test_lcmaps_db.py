import pytest

from argus_py.worker.errors import PolicyFileError
from argus_py.worker.lcmaps_db import MAX_LENGTH, MAX_RULES, Module, Rule, parse_lcmaps_db

MODULES = 'a = "a.mod"\nb = "b.mod"\nc = "c.mod"\n'


def test_strings_that_follow_each_other_are_joined_with_a_blank() -> None:
    text = (
        'path = /usr/lib64/lcmaps\n# a comment "x\npepc = "lcmaps_c_pep.mod"\n  "-capath" \t "/etc  -x" # y\np:pepc\n'
    )
    file = parse_lcmaps_db(text, "f")
    assert dict(file.modules) == {"pepc": Module("pepc", "lcmaps_c_pep", ("-capath", "/etc", "-x"), 3)}


@pytest.mark.parametrize("module", ["lcmaps_x.mod", "/usr/lib/lcmaps_x.mod", "lcmaps_x", "modules/lcmaps_x.so"])
def test_module_is_known_by_its_name_alone(module: str) -> None:
    assert parse_lcmaps_db(f'x = "{module}"\np:x\n', "f").modules["x"].plugin == "lcmaps_x"


def test_rules_say_what_follows_success_and_failure() -> None:
    file = parse_lcmaps_db(f"{MODULES}p:\na->b|c\n~b -> c\nq:\nc\n", "f")
    assert file.policies["p"].first == "a"
    assert dict(file.policies["p"].rules) == {"a": Rule("a", "b", "c", 5), "b": Rule("b", None, "c", 6)}
    assert (file.policies["q"].first, dict(file.policies["q"].rules)) == ("c", {})
    assert file.policies["p"].modules() == ("a", "b", "c")


def test_module_may_be_defined_behind_the_policy() -> None:
    assert parse_lcmaps_db('p:\na -> b\na = "a.mod"\nb = "b.mod"', "f").policies["p"].first == "a"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("p:\nd -> b\n", 5, "names d, which is not defined"),
        ("p:\nc -> d\n", 5, "names d, which is not defined"),
        ("p:\na -> b\na -> c\n", 6, "has a rule in this policy already"),
        ("p:\na -> b\nb -> a\n", 5, "comes back to a"),
        ("p:\na -> a\n", 5, "comes back to a"),
        ("p:\na -> b | c\nc -> a\n", 5, "comes back to a"),
        ("p:\na -> b\np:\na -> c", 6, "the policy p is defined a second time"),
        ('a = "x.mod"\n', 4, "a is defined a second time"),
        ("p:\n", 4, "has no rule"),
        ("p:\nq:\na -> b\n", 4, "has no rule"),
        ("p:\na ->\n", 6, "a name should stand where there is 'the end of the file'"),
        ("p:\n~a -> b | c\n", 5, "a name should stand where there is '|'"),
        ("p:\na b\n", 6, "'=' or ':'"),
        ('x = "never ends\n', 4, "a string that does not end in its line"),
        ("x = ;\n", 4, "';' has no meaning here"),
        ("x =\n", 5, "a value should stand"),
        ('x = "  "\n', 4, "names no module"),
        ("->\n", 4, "a name should stand where there is '->'"),
    ],
)
def test_mistakes_are_refused_with_their_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse_lcmaps_db(MODULES + text, "lcmaps.db")
    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"lcmaps.db: line {line}: ")


def test_limits() -> None:
    with pytest.raises(PolicyFileError, match="allowed"):
        parse_lcmaps_db("#" * (MAX_LENGTH + 1), "f")
    rules = "".join(f"m{n} -> m{n + 1}\n" for n in range(MAX_RULES + 1))
    with pytest.raises(PolicyFileError, match=f"more than {MAX_RULES} rules"):
        parse_lcmaps_db(f"p:\n{rules}", "f")


def test_module_reached_on_two_ways_is_no_circle() -> None:
    assert parse_lcmaps_db(f"{MODULES}p:\na -> b | c\nb -> c\n", "f").policies["p"].modules() == ("a", "b", "c")
