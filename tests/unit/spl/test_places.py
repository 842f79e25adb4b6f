"""Lines of a policy file, found by the ids that lowering gave."""

from itertools import count

from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.spl.places import lines_by_id, positions_by_id
from argus_py.xacml.policy import Policy, PolicySet

TEXT = """\
# a comment
resource "wn" {
    action "run" { rule deny { vo="a" }
        rule permit {
            vo="b" }
    }
    private action "stop" { rule deny { vo="c" } }
}
action "look" {
    rule permit { vo="d" }
}
"""


def lines_of(elements: tuple[PolicySet | Policy, ...], lines: dict[str, int]) -> list[object]:
    """The lines in the shape of the policies."""
    return [
        (lines[each.id], lines_of(tuple(each.policies()), lines))
        if isinstance(each, PolicySet)
        else (lines[each.id], [lines[rule.id] for rule in each.rules])
        for each in elements
    ]


def test_resources_actions_and_rules_are_found() -> None:
    elements = parse(TEXT)
    lowered = lower(elements, DEFAULT_MAPPINGS, map(str, count()).__next__)
    shape = lines_of(lowered, lines_by_id(elements, lowered))
    by_itself = shape[1:]
    assert shape[0] == (2, [(3, [3, 4]), (7, [7])])
    assert by_itself in ([(9, [(9, [10])])], [(9, [10])])


def test_columns_are_those_of_values_and_of_the_word_rule() -> None:
    elements = parse(TEXT)
    lowered = lower(elements, DEFAULT_MAPPINGS, map(str, count()).__next__)
    positions = positions_by_id(elements, lowered)
    [resource, action] = lowered
    assert (positions[resource.id].line, positions[resource.id].column) == (2, 10)
    assert isinstance(action, Policy)
    assert (positions[action.rules[0].id].line, positions[action.rules[0].id].column) == (10, 5)
