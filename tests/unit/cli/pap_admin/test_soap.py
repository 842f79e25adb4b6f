"""pap-admin in front of a PAP that speaks SOAP alone: the requests of the Java client, and what cannot be done."""

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from lxml import etree

EXCHANGES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "vectors/pap-soap/exchanges.json").read_text()
)
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENDPOINT: Final = "https://localhost:8150/pap/services/"
DN: Final = "/DC=example/DC=test/OU=hosts/CN=localhost"
RULE_ID: Final = "00000000-0000-4000-8000-000000000009"
ACTION_ID: Final = "public_00000000-0000-4000-8000-000000000012"
PLACES: Final = ["--resource", "http://example.org/resource", "--action", "http://example.org/action"]
OTHER: Final = ["--resource", "http://example.org/other", "--action", "http://example.org/action"]
MAP: Final = "http://glite.org/xacml/obligation/local-environment-map"
POLICY: Final = "public-00000000-0000-4000-8000-000000000027"

COMMANDS: Final = {
    "ping": ["ping"],
    "addPap-local": ["add-pap", "-l", "loc1"],
    "addPap-remote": ["add-pap", "rem1", ENDPOINT, DN],
    "getAllPaps": ["list-paps"],
    "setEnabled": ["enable-pap", "rem1"],
    "removePap": ["remove-pap", "rem1"],
    "refreshCache": ["refresh-cache", "rem1"],
    "getOrder-set": ["get-paps-order"],
    "setOrder": ["set-paps-order", "rem1", "default"],
    "getPollingInterval": ["get-polling-interval"],
    "setPollingInterval": ["set-polling-interval", "600"],
    "ban": ["ban", "vo", "badvo"],
    "ban-private": ["ban", "--pap", "loc1", "--private", "subject", "/DC=example/CN=Bad User"],
    "unban": ["un-ban", "vo", "badvo"],
    "addRule-by-value": ["add-policy", *PLACES, "permit", "vo=dteam", "fqan=/dteam/prod"],
    "addRule-with-obligation": ["add-policy", *OTHER, "--obligation", MAP, "permit", "vo=ops"],
    "addRule-before-rule-id": [
        *("add-policy", "--action-id", ACTION_ID, "--before-rule-id", RULE_ID, "deny", "subject=CN=Bad,O=Org")
    ],
    "addRule-after-rule-id": [*("add-policy", "--action-id", ACTION_ID, "--after-rule-id", RULE_ID, "deny", "vo=x")],
    "eraseRepository": ["remove-all-policies"],
    "listPolicies": ["list-policies"],
    "listPolicySets": ["list-policies"],
    "move": ["move", POLICY, "--before", "public-00000000-0000-4000-8000-000000000023"],
    "removeObjectByIdAndReferences": ["remove-policy", POLICY],
    "hasPolicySet": ["add-obligation", "00000000-0000-4000-8000-000000000018", "http://ob"],
    "hasPolicy": ["add-obligation", POLICY, "http://ob"],
    "getACL": ["list-acl"],
    "addACE-dn": ["add-ace", "CN=Test Admin,O=Users,DC=test,DC=example", "ALL"],
    "addACE-fqan": ["add-ace", "/dteam/Role=VO-Admin", "POLICY_READ_LOCAL|CONFIGURATION_READ"],
    "removeACE": ["remove-ace", "/dteam/Role=VO-Admin"],
}


def operation(body: bytes) -> etree._Element:
    envelope = etree.fromstring(body, etree.XMLParser(remove_blank_text=True, resolve_entities=False))
    return envelope[0][0]


def canonical(element: etree._Element) -> str:
    return UUID.sub("#", etree.canonicalize(etree.tostring(element, encoding="unicode"), strip_text=True))


@pytest.mark.parametrize("case", COMMANDS)
def test_a_request_is_that_of_the_java_client(case: str, make_pap_admin: Any) -> None:
    (recorded,) = (each for each in EXCHANGES if each["case"] == case)
    pap_admin = make_pap_admin(speaks="soap")
    if case in ("setEnabled", "removePap"):
        pap_admin("add-pap", "rem1", ENDPOINT, DN)
    pap_admin.http.requests.clear()
    pap_admin(*COMMANDS[case])
    sent = [request for request in pap_admin.http.requests if request.url.path.endswith(recorded["service"])]
    (request,) = (each for each in sent if etree.QName(operation(each.content)).localname == recorded["operation"])
    assert canonical(operation(request.content)) == canonical(operation(recorded["request"].encode()))
    assert request.headers["SOAPAction"] == f'"{recorded["soap_action"]}"'


def calls(pap_admin: Any) -> list[str]:
    sent = [request for request in pap_admin.http.requests if request.method == "POST"]
    return [etree.QName(operation(request.content)).localname for request in sent]


def test_a_file_becomes_a_row_of_calls(make_pap_admin: Any, tmp_path: Path) -> None:
    pap_admin = make_pap_admin(speaks="soap")
    (tmp_path / "two.spl").write_text(
        'resource "a" { action "x" { rule permit { vo="v" } } } resource "b" { action "x" { rule permit { vo="v" } } }'
    )
    pap_admin("apf", f"{tmp_path}/two.spl")
    assert calls(pap_admin) == ["addPolicySet", "addPolicies", "addPolicySet", "addPolicies"]


def test_what_is_gone_before_another_one_is_refused_is_told(make_pap_admin: Any) -> None:
    pap_admin = make_pap_admin(speaks="soap")
    pap_admin("ban", "vo", "x")
    (id,) = re.findall(r"id=(\S+)\n\s*rule", pap_admin("lp", "-sai").stdout)
    outcome = pap_admin("rp", "-v", id, "nope")
    assert (outcome.exit_code, outcome.stdout) == (5, f'Removing "{id}"... ok.\nerror.\nId not found: nope\n')


def test_an_unreadable_file_is_not_sent_in_part(make_pap_admin: Any, tmp_path: Path) -> None:
    pap_admin = make_pap_admin(speaks="soap")
    (tmp_path / "bad.spl").write_text('resource "a" { action "x" { rule permit { vo="v" } } } resource "b" { oops }')
    assert pap_admin("apf", f"{tmp_path}/bad.spl").exit_code == 2
    assert calls(pap_admin) == []


def test_a_resource_is_replaced_and_what_it_had_is_purged(make_pap_admin: Any, tmp_path: Path) -> None:
    pap_admin = make_pap_admin(speaks="soap")
    pap_admin("ban", "vo", "x")
    (id,) = re.findall(r"id=(\S+)\n\s*resource", pap_admin("lp", "-srai").stdout)
    (tmp_path / "new.spl").write_text('resource "a" { action "x" { rule permit { vo="v" } } }')
    pap_admin.http.requests.clear()
    assert pap_admin("upf", id, f"{tmp_path}/new.spl").exit_code == 0
    assert calls(pap_admin) == ["hasPolicySet", "getPolicySet", "updatePolicySet", "addPolicies", "purge"]
    assert 'resource "a"' in pap_admin("lp").stdout


def test_a_pap_that_is_updated_keeps_being_enabled(pap_admin: Any) -> None:
    pap_admin("add-pap", "rem1", ENDPOINT, DN)
    pap_admin("enable-pap", "rem1")
    assert pap_admin("upap", "rem1", "other.example.org", DN).exit_code == 0
    assert pap_admin("lpaps").stdout.splitlines()[1] == (
        "alias = rem1 (remote, enabled, private, https://other.example.org:8150/pap/services/)"
    )
    assert pap_admin.refreshed == ["rem1", "rem1"]


@pytest.mark.parametrize("command", [["history"], ["show", "1"], ["diff", "0", "1"], ["undo", "1"]])
def test_a_java_pap_has_no_history(command: list[str], make_pap_admin: Any) -> None:
    outcome = make_pap_admin(speaks="soap")(*command)
    assert (outcome.exit_code, outcome.stdout) == (
        2,
        "Error: this PAP cannot tell or undo what was changed: it is a Java PAP, or was asked by --soap; "
        "a PAP of argus_py can\n",
    )


def test_a_java_pap_makes_no_dry_run(make_pap_admin: Any) -> None:
    pap_admin = make_pap_admin(speaks="soap")
    outcome = pap_admin("ban", "vo", "x", "--dry-run")
    assert outcome.exit_code == 2
    assert outcome.stdout.startswith("Error: this PAP cannot try a change without making it: ")
    assert calls(pap_admin) == []


def test_a_corrupted_repository_is_told(make_pap_admin: Any) -> None:
    """What a Java PAP lists of a pap whose root refers to a resource that is not there."""
    (sets,) = (each for each in EXCHANGES if each["case"] == "listPolicySets")
    (nothing,) = (each for each in EXCHANGES if each["case"] == "listPolicies-empty")
    root = re.search(r"<xacml:PolicySet\b.*?</xacml:PolicySet>", sets["response"], re.DOTALL)
    assert root is not None
    others = sets["response"][root.end() : sets["response"].rindex("</xacml:PolicySet>") + len("</xacml:PolicySet>")]
    pap_admin = make_pap_admin(speaks="soap")

    def answer(request: httpx.Request) -> httpx.Response:
        text = nothing["response"] if b"listPolicies" in request.content else sets["response"].replace(others, "")
        return httpx.Response(200, stream=httpx.ByteStream(text.encode()))

    pap_admin.http = httpx.MockTransport(answer)
    outcome = pap_admin("lp")
    assert outcome.exit_code == 2
    assert outcome.stdout.startswith("Error: Error: the repository seems to be corrupted, policy set not found: ")
