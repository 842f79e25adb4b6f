"""Requests that callers of Argus have sent, to a running daemon: read, decided and mapped.

Those of the Java PEP client, on which CREAM stands, and those of the C library as gLExec, the GSI call-out and
computing elements use it. The chains in them are of a CA that the site trusts here; policy and maps know its user.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.hessian import base64_lines, messages
from argus_py.model.identifiers import Glite
from argus_py.model.response import Result

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "pep"
JAVA = {path.stem for path in (VECTORS / "cases").glob("java-req-*.json")}
USER = "CN=Test User 001,OU=People,DC=example,DC=org"
RESOURCES = (
    "http://wn.example.org/cluster1",
    "http://ce.example.org/cream-ce",
    "http://ce.example.org/emi-es",
    "http://authz-interop.org/xacml/resource/resource-type/wn",
    "http://cream.example.org/gridftp",
)
POLICY = "".join(
    f"""\
resource "{resource}" {{
    obligation "{Glite.LOCAL_ENVIRONMENT_MAP}" {{ }}
    action ".*" {{ rule permit {{ subject="{USER}" }} }}
}}
"""
    for resource in RESOURCES
)
COMMON_PROFILE = """\
[COMMONXACMLPROFILE_PIP]
parserClass = org.glite.authz.pep.pip.provider.CommonXACMLAuthorizationProfilePIPIniConfigurationParser

[ACCOUNTMAP_OH]"""

# What becomes of each request, and whom the daemon names.
OUTCOMES = {
    "java-req-grid-wn": ("Permit", USER),
    "java-req-grid-wn-proxy": ("Permit", USER),
    "java-req-grid-ce": ("Permit", USER),
    "java-req-common-xacml": ("Permit", USER),
    "java-req-tls": ("Permit", USER),
    "java-req-failover": ("Permit", USER),
    "java-req-subjectid": ("Indeterminate", USER),  # a name without a certificate, in a profile that wants one
    "java-req-shared-attribute": ("Indeterminate", "CN=Test User 001,DC=org"),
    "java-req-unicode": ("Indeterminate", "CN=Ünïcödé Тест 試験 😀,DC=org"),
    "java-req-full-model": ("Indeterminate", None),  # an attribute without a value
    "java-req-empty": ("Indeterminate", None),
    "c-lib-grid-wn-glexec": ("Permit", USER),
    "c-lib-gsi-callout": ("Permit", USER),
    "c-lib-grid-ce": ("Permit", USER),
}


@pytest.fixture(scope="module")
def argus(shared_grid: "Grid", tmp_path_factory: pytest.TempPathFactory) -> "Argus":
    for file in (VECTORS / "certs" / "capath").iterdir():
        shutil.copy(file, shared_grid.site.certificates)
    shared_grid.configure("pepd/pepd.ini", "GLITEXACMLPROFILE_PIP\n", "GLITEXACMLPROFILE_PIP COMMONXACMLPROFILE_PIP\n")
    shared_grid.configure("pepd/pepd.ini", "[ACCOUNTMAP_OH]", COMMON_PROFILE)
    with (shared_grid.site.root / "grid-security" / "grid-mapfile").open("a") as maps:
        maps.write('"/DC=org/DC=example/OU=People/CN=Test User 001" .dteam\n')
    argus = shared_grid.serve()
    policy = tmp_path_factory.mktemp("policy") / "callers.spl"
    policy.write_text(POLICY)
    done = shared_grid.pap_admin(argus, "add-policies-from-file", str(policy))
    assert done.returncode == 0, done.stdout + done.stderr
    return argus


def answer(grid: "Grid", argus: "Argus", name: str) -> Result:
    recorded = json.loads((VECTORS / "cases" / f"{name}.json").read_text())
    body = recorded["request"].encode("latin-1")
    with grid.https(grid.site.host) as client:
        reply = client.post(f"{argus.urls['PEP']}/authz", content=body).raise_for_status()
    (result,) = messages.read_response(base64_lines.decode(reply.content)).results
    return result


def test_the_outcome_of_every_request_of_java_is_told_here() -> None:
    assert not JAVA - set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_request_is_decided(shared_grid: "Grid", argus: "Argus", name: str) -> None:
    decision, subject = OUTCOMES[name]
    result = answer(shared_grid, argus, name)
    record = json.loads(argus.read("audit.jsonl").splitlines()[-1])
    assert (result.decision.value, record["decision"], record["subject"]) == (decision, decision, subject)


def test_worker_node_and_ce_get_the_same_account_for_a_user_and_his_proxy(shared_grid: "Grid", argus: "Argus") -> None:
    def account(name: str) -> str | None:
        obligation = answer(shared_grid, argus, name).obligations[-1]
        assert obligation.id == Glite.LOCAL_ENVIRONMENT_MAP_POSIX
        return next(each.value for each in obligation.assignments if each.attribute_id == Glite.USER_ID)

    accounts = {account(name) for name, (decision, _) in OUTCOMES.items() if decision == "Permit"}
    assert len(accounts) == 1
    assert str(accounts.pop()).startswith("dteam")
