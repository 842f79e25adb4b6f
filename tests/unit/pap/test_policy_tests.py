"""How policy tests are read, and what is compared."""

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import DataType, Glite
from argus_py.model.response import Decision
from argus_py.pap.policy_tests import PROFILES, Case, Expected, Observed, Person, PolicyTests, run_tests
from argus_py.pap.policy_tests_yaml import MAX_CASES, MAX_TEXT, PolicyTestsError, parse_policy_tests
from argus_py.pdp.question import Profile
from argus_py.spl.attributes import DEFAULT_MAPPINGS

WHOLE = """
policies: [one.spl, two.spl]
accounts: grid-mapfile
groups: groupmapfile
what: run
where: [wn, ce]
people:
  pilot: {subject: /DC=org/CN=Pilot, fqans: [/a/Role=pilot, /a], issuers: "CN=CA,DC=org"}
  user:
    subject: CN=User,DC=org
    attributes: {x509-authn-profile: p, subject-issuer: [CN=x, CN=y]}
tests:
  - who: [pilot, user]
    decision: permit
    account: .pilots
    groups: [a, b]
  - name: no
    who: {subject: CN=z}
    what: stop
    where: wn
    profile: common
    decision: not-applicable
    account: none
"""


def parsed(text: str) -> PolicyTests:
    return parse_policy_tests(text, DEFAULT_MAPPINGS)


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyTestsError) as caught:
        parsed(text)
    return [(each.line, str(each)) for each in caught.value.problems]


def test_a_file_is_read_with_its_defaults() -> None:
    tests = parsed(WHOLE)
    assert (tests.policies, tests.accounts, tests.groups) == (("one.spl", "two.spl"), "grid-mapfile", "groupmapfile")
    requests = [(case.who.name, case.what, case.where, case.profile) for case in tests.cases]
    assert requests == [
        ("pilot", "run", "wn", "grid-wn"),
        ("pilot", "run", "ce", "grid-wn"),
        ("user", "run", "wn", "grid-wn"),
        ("user", "run", "ce", "grid-wn"),
        ("CN=z", "stop", "wn", "common"),
    ]
    assert tests.cases[0].expected == Expected(Decision.PERMIT, ".pilots", ("a", "b"))
    assert tests.cases[-1].expected == Expected(Decision.NOT_APPLICABLE, "none")
    assert (tests.cases[-1].name, tests.cases[-1].line) == ("no", 17)


def test_persons_have_names_fqans_issuers_and_attributes() -> None:
    pilot, user = parsed(WHOLE).cases[0].who, parsed(WHOLE).cases[2].who
    assert pilot == Person(
        "pilot",
        DistinguishedName.parse_slash("/DC=org/CN=Pilot"),
        (Fqan.parse("/a/Role=pilot"), Fqan.parse("/a")),
        (DistinguishedName.parse_slash("/DC=org/CN=CA"),),
    )
    assert [(each.id, each.values, each.datatype) for each in user.attributes] == [
        (Glite.X509_AUTHN_PROFILE, ("p",), DataType.STRING),
        (Glite.SUBJECT_ISSUER, ("CN=x", "CN=y"), DataType.X500_NAME),
    ]


def test_the_profiles_are_those_of_requests() -> None:
    assert set(PROFILES) == {profile.value for profile in Profile}


def test_of_a_word_that_yaml_takes_for_something_else_the_text_counts() -> None:
    [case] = parsed("tests: [{who: {subject: CN=no}, what: no, where: 1.0, decision: deny}]").cases
    assert (case.what, case.where) == ("no", "1.0")


TEST = "who: {subject: CN=a}, what: x, where: y, decision: "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", (1, "the text is empty")),
        ("a: b", (1, "a: this is none of policies, accounts, groups, people, what, where, profile, tests")),
        ("what: x", (1, "tests is missing")),
        ("tests: []", (1, "tests: a list with something in it is expected")),
        ("tests: x", (1, "tests: a list with something in it is expected")),
        ("tests: [x]", (1, "tests[0]: names with values are expected")),
        ("tests: [{what: x, where: y, decision: deny}]", (1, "tests[0]: who is missing")),
        ("tests: [{who: {subject: CN=a}, where: y, decision: deny}]", (1, "tests[0]: what is missing")),
        ("tests: [{who: {subject: CN=a}, what: y, decision: deny}]", (1, "tests[0]: where is missing")),
        ("tests: [{who: {subject: CN=a}, what: y, where: x}]", (1, "tests[0]: decision is missing")),
        ("tests: [{who: a, what: y, where: x}]", (1, "tests[0].who: there is no 'a' among the people")),
        (
            f"tests: [{{{TEST}yes}}]",
            (1, "tests[0].decision: 'yes' is none of permit, deny, not-applicable, indeterminate"),
        ),
        (
            f"tests: [{{{TEST}deny, account: x}}]",
            (1, "tests[0]: only who is permitted gets an account and groups"),
        ),
        (f"tests: [{{{TEST}deny, profile: x}}]", (1, f"tests[0].profile: 'x' is none of {', '.join(PROFILES)}")),
        (f"tests: [{{{TEST}deny, other: x}}]", None),
        (f"tests: [{{{TEST}permit, account: ''}}]", (1, "tests[0].account: a text is expected")),
        (f"tests: [{{{TEST}permit, account: {{a: b}}}}]", (1, "tests[0].account: a text is expected")),
        (
            f"tests: [{{{TEST}deny, name: {'x' * 5000}}}]",
            (1, f"tests[0].name: it is longer than {MAX_TEXT} characters"),
        ),
        ("people: x", None),
        ("people: {a: x}", None),
        ("people: {a: {fqans: /a}}", None),
        ("people: {a: {subject: nobody}}", None),
        ("people: {a: {subject: CN=a, fqans: [a]}}", None),
        ("people: {a: {subject: CN=a, issuers: a}}", None),
        ("people: {a: {subject: CN=a, attributes: a}}", None),
        ("people: {a: {subject: CN=a, attributes: {unknown: x}}}", None),
        ("people: {a: {subject: CN=a, attributes: {action: x}}}", None),
    ],
)
def test_a_problem_is_told_with_its_line_and_key(text: str, problem: tuple[int, str] | None) -> None:
    found = problems(text)
    if problem is None:
        assert any(":" in told for _, told in found)
    else:
        assert problem in found


def test_all_problems_are_told_in_their_order_and_none_twice() -> None:
    head = "people:\n  a: {subject: nobody}\nwhat: x\nwhere: y\n"
    text = f"{head}tests:\n- {{who: a, decision: deny}}\n- {{who: a, decision: no}}\n"
    with pytest.raises(PolicyTestsError) as caught:
        parsed(text)
    assert [(each.line, each.column, each.key) for each in caught.value.problems] == [
        (2, 16, "people.a.subject"),
        (7, 22, "tests[1].decision"),
    ]


def test_there_is_an_end_to_the_cases() -> None:
    many = ", ".join(f"x{number}" for number in range(200))
    text = f"what: [{many}]\nwhere: [{many}]\ntests: [{{who: {{subject: CN=a}}, decision: deny}}]"
    assert problems(text) == [(3, f"tests[0]: the file has more than {MAX_CASES} cases")]


ANYBODY = Person("anybody", DistinguishedName.parse_rfc2253("CN=a"))


def failures(expected: Expected, observed: Observed) -> tuple[str, ...]:
    [verdict] = run_tests([Case("", 1, ANYBODY, "run", "wn", "grid-wn", expected)], lambda case: observed)
    return verdict.failures


def test_what_is_not_expected_is_not_compared() -> None:
    assert failures(Expected(Decision.PERMIT), Observed(Decision.PERMIT, "", ".pool", ("a",))) == ()


@pytest.mark.parametrize(
    ("expected", "observed", "failure"),
    [
        (Expected(Decision.PERMIT), Observed(Decision.DENY, ""), "expected Permit, got Deny"),
        (
            Expected(Decision.PERMIT, ".a"),
            Observed(Decision.PERMIT, "", ".b"),
            "expected the account .a, got .b",
        ),
        (
            Expected(Decision.PERMIT, ".a"),
            Observed(Decision.PERMIT, ""),
            "expected the account .a, got none",
        ),
        (
            Expected(Decision.PERMIT, "none"),
            Observed(Decision.PERMIT, "", ".b"),
            "expected the account none, got .b",
        ),
        (
            Expected(Decision.PERMIT, None, ("a", "b")),
            Observed(Decision.PERMIT, "", ".b", ("b", "a")),
            "expected the groups a, b, got b, a",
        ),
    ],
)
def test_what_is_not_as_expected_fails(expected: Expected, observed: Observed, failure: str) -> None:
    assert failures(expected, observed) == (failure,)


def test_only_accounts_and_groups_need_map_files() -> None:
    assert Expected(Decision.PERMIT, ".a").needs_maps
    assert Expected(Decision.PERMIT, None, ("a",)).needs_maps
    assert not Expected(Decision.PERMIT, "none").needs_maps
