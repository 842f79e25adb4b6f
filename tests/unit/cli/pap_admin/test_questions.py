"""Questions, and what reading commands tell programs, of a PAP of either kind."""

import json
from pathlib import Path
from typing import Any

import pytest

from argus_py import __version__

POLICY = """
resource "http://.*" {
    obligation "http://glite.org/xacml/obligation/local-environment-map" {
    }
    action "submit" {
        description "pilots only"
        rule deny { fqan="/dteam/test" }
        rule permit { pfqan="/dteam/Role=pilot" }
        rule deny { pfqan="/dteam/Role=pilot" vo="dteam" }
    }
}
"""
EXPLAIN = ("explain", "--subject", "CN=Eve,O=Site", "--resource", "http://ce", "--action", "submit", "--fqan")


@pytest.fixture
def pap(pap_admin: Any, tmp_path: Path) -> Any:
    (tmp_path / "pilot.spl").write_text(POLICY)
    assert pap_admin("apf", f"{tmp_path}/pilot.spl").exit_code == 0
    return pap_admin


def test_who_may_lists_rules_in_order_and_names_those_never_reached(pap: Any) -> None:
    lines = pap("who-may", "-r", "http://ce", "-a", "submit").stdout.splitlines()
    assert [line.partition("  (pap default, rule ")[0] for line in lines] == [
        'rule deny { fqan="/dteam/test" }',
        'rule permit { pfqan="/dteam/Role=pilot" }',
        'rule deny { pfqan="/dteam/Role=pilot" vo="dteam" }',
    ]
    assert [", never reached because of rule " in line for line in lines] == [False, False, True]
    assert pap("who-may", "-r", "ftp://ce", "-a", "submit").stdout == "Nobody: there is no rule for this.\n"
    told = json.loads(pap("who-may", "-r", "http://ce", "-a", "submit", "--output", "json").stdout)
    assert [rule["shadowed_by"] for rule in told["rules"]] == [None, None, told["rules"][1]["rule_id"]]


def test_explain_tells_what_decides(pap: Any) -> None:
    text = pap(*EXPLAIN, "/dteam/Role=pilot", "/dteam").stdout
    assert text.startswith("Decision: Permit\nBy: ")
    assert json.loads(pap(*EXPLAIN, "/dteam/test", "--output", "json").stdout)["decision"] == "Deny"
    assert pap(*EXPLAIN, "/atlas").stdout.startswith("Decision: NotApplicable\n")


def test_a_disabled_pap_decides_nothing(pap: Any) -> None:
    pap("disable-pap", "default")
    assert pap(*EXPLAIN, "/dteam/Role=pilot").stdout.startswith("Decision: NotApplicable\n")
    assert pap("who-may", "-r", "http://ce", "-a", "submit").stdout.startswith("Nobody")


@pytest.mark.parametrize("words", [["explain"], [*EXPLAIN, "no-fqan"], [*EXPLAIN, "/a", "--profile", "x"]])
def test_a_question_that_is_none_is_told(words: list[str], make_pap_admin: Any) -> None:
    assert make_pap_admin()(*words).exit_code == 4


def test_policies_are_told_as_json(pap: Any) -> None:
    (told,) = json.loads(pap("lp", "--output", "json").stdout)["paps"]
    (resource,) = told["resources"]
    (action,) = resource["actions"]
    assert (told["alias"], resource["value"], action["value"], action["private"]) == (
        "default",
        "http://.*",
        "submit",
        False,
    )
    assert [each["id"] for each in resource["obligations"]] == [
        "http://glite.org/xacml/obligation/local-environment-map"
    ]
    assert action["description"] == "pilots only"
    assert [(rule["effect"], rule["attributes"]) for rule in action["rules"]] == [
        ("deny", [{"name": "fqan", "value": "/dteam/test"}]),
        ("permit", [{"name": "pfqan", "value": "/dteam/Role=pilot"}]),
        ("deny", [{"name": "pfqan", "value": "/dteam/Role=pilot"}, {"name": "vo", "value": "dteam"}]),
    ]
    (none,) = json.loads(pap("lp", "--output", "json", "--all", "--action", "x").stdout)["paps"]
    assert [each["actions"] for each in none["resources"]] == [[]]


def test_reading_commands_answer_programs(pap: Any) -> None:
    pap("add-pap", "central", "pap.example.org", "/O=Site/CN=pap.example.org", "--no-policies")
    pap("set-paps-order", "central", "default")

    def told(*command: str) -> Any:
        return json.loads(pap(*command, "--output", "json").stdout)

    assert told("ping") == {"url": "https://localhost:8150/pap/services/", "version": __version__}
    assert told("gpo") == {"order": ["central", "default"]}
    assert told("gpi") == {"seconds": 600}
    assert told("lpaps")["paps"][0] == {
        "alias": "central",
        "local": False,
        "enabled": False,
        "public": False,
        "endpoint": "https://pap.example.org:8150/pap/services/",
        "dn": "/O=Site/CN=pap.example.org",
    }
    assert told("lacl")["acl"][0]["kind"] == "anyone"


def test_both_forms_of_a_dn_are_one_principal(pap_admin: Any) -> None:
    pap_admin("aace", "/DC=org/CN=Alice", "POLICY_READ_LOCAL")
    pap_admin("aace", "CN=Alice,DC=org", "POLICY_WRITE")
    assert '"/DC=org/CN=Alice" :\n\tPOLICY_WRITE\n' in pap_admin("lacl").stdout
    pap_admin("race", "/DC=org/CN=Alice")
    assert "Alice" not in pap_admin("lacl").stdout


@pytest.mark.parametrize("name", ["Alice", "/", "//", "/dteam/Role=x/Role=y", "CN=", ""])
def test_a_principal_that_is_none_is_told(name: str, make_pap_admin: Any) -> None:
    outcome = make_pap_admin()("race", name)
    assert outcome.exit_code == 2
    assert outcome.stdout.startswith("Error: The string passed as argument is not a valid certificate subject!")
