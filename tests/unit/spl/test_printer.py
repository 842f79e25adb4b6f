"""Listings and exports; the recorded listings are in test_recorded_texts."""

import pytest

from argus_py.model.response import Effect
from argus_py.spl.ast import Action, Element, Obligation, Pair, Resource, Rule, Text
from argus_py.spl.parser import parse
from argus_py.spl.printer import (
    Ids,
    NotWritable,
    format_generic,
    format_listing,
    format_resource,
    format_rule,
    format_source,
)

VO = Pair(Text("vo"), Text("dteam"))
ACTION = Action(Text("run"), (Rule(Effect.PERMIT, (VO,), id="r"),), private=True, id="private_a")
RESOURCE = Resource(Text("wn"), (ACTION,), id="s")


def test_ids_of_rules_are_shown_only_if_asked_for() -> None:
    assert format_resource(RESOURCE, Ids.ACTIONS) == (
        'id=s\nresource "wn" {\n\n    id=private_a\n    private\n    action "run" {\n'
        '        rule permit { vo="dteam" }\n    }\n}\n'
    )


def test_a_rule_is_told_in_one_line() -> None:
    assert format_rule(Rule(Effect.DENY, (VO, VO))) == 'rule deny { vo="dteam" vo="dteam" }'
    assert format_rule(Rule(Effect.DENY, ())) == "rule deny { }"


def test_a_listing_without_policies_says_so() -> None:
    assert format_listing("default (local)", []) == "\ndefault (local):\nNo policies has been found.\n"


def test_what_spl_cannot_say_is_listed_by_its_id() -> None:
    assert format_generic("x").startswith("id=x: Generic XACML policy")


def test_an_export_quotes_names_that_are_no_words() -> None:
    rule = Rule(Effect.PERMIT, (Pair(Text("resource"), Text("x")), Pair(Text("two words"), Text('say "x"'))))
    text = format_source([Action(Text("permit"), (rule,), (Obligation(Text("o")),), Text("d"))])
    assert 'rule permit { "resource"="x" "two words"=\'say "x"\' }' in text
    assert parse(text) == (Action(Text("permit"), (rule,), (Obligation(Text("o")),), Text("d")),)


@pytest.mark.parametrize("text", ["two\nlines", "one \\", "ce\\.example", "'\""])
def test_a_text_that_fits_between_no_quotes_is_refused(text: str) -> None:
    rule = Rule(Effect.DENY, (Pair(Text("vo"), Text(text)),), id="r1")
    with pytest.raises(NotWritable, match=r"^rule r1 cannot be written in the policy language: no quotes fit around"):
        format_source([Action(Text("a"), (rule,))])
    with pytest.raises(NotWritable, match=r"^action cannot be written"):
        format_source([Action(Text(text))])


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (Action(Text("a"), id="a1"), "action a1 cannot be written in the policy language: it has nothing in it"),
        (Resource(Text("r"), id="r1"), "resource r1 cannot be written in the policy language: it has nothing in it"),
        (
            Action(Text("a"), (Rule(Effect.DENY, (), id="u1"),)),
            "rule u1 cannot be written in the policy language: it asks for no attribute",
        ),
    ],
)
def test_what_no_policy_file_can_say_is_refused(element: Element, message: str) -> None:
    with pytest.raises(NotWritable) as refusal:
        format_source([element])
    assert str(refusal.value) == message
