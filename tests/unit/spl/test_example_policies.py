"""The examples of the project can be loaded, and they answer the question in their first line."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Request, Resource, Subject
from argus_py.model.response import Decision
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import PRIVATE_PREFIX, lower
from argus_py.spl.parser import parse
from argus_py.xacml.index import compile_policy
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.policy import Combining, PolicySet

EXAMPLES = Path(__file__).parents[3] / "policies"
WORKER_NODE = "http://authz-interop.org/xacml/resource/resource-type/wn"
COMPUTING_ELEMENT = "https://ce.example.org:8443/cream"
EXECUTE = "http://glite.org/xacml/action/execute"


def decide(
    *names: str,
    resource: str = WORKER_NODE,
    action: str = EXECUTE,
    subject: str = "CN=Some User,DC=example,DC=org",
    fqans: Iterable[str] = (),
    profile: str = "policy-igtf-classic",
    token: tuple[Attribute, ...] = (),
) -> Evaluation:
    """By the example files ``names``, one after the other."""
    fqans = tuple(fqans)
    lowered = [
        element
        for name in names
        for element in lower(parse((EXAMPLES / name).read_text()), DEFAULT_MAPPINGS, new_id=lambda: "id")
    ]
    vos = tuple({fqan.split("/")[1] for fqan in fqans})
    attributes = (
        Attribute(AttributeId.SUBJECT_ID, (subject,), DataType.X500_NAME),
        Attribute(Glite.VIRTUAL_ORGANIZATION, vos),
        Attribute(Glite.PRIMARY_FQAN, fqans[:1], DataType.FQAN),
        Attribute(Glite.FQAN, fqans, DataType.FQAN),
        Attribute(Glite.X509_AUTHN_PROFILE, (profile,)),
        *token,
    )
    request = Request(
        (Subject(attributes),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (action,)),)),
    )
    root = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, tuple(lowered))
    return compile_policy(root).evaluate(request)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.spl")), ids=lambda path: path.name)
def test_every_example_can_be_loaded(path: Path) -> None:
    assert lower(parse(path.read_text()), DEFAULT_MAPPINGS, new_id=lambda: "id")


@pytest.mark.parametrize("fqans", [["/dteam/Role=pilot"], ["/dteam"]])
def test_dteam_runs_on_worker_nodes_under_a_local_account(fqans: list[str]) -> None:
    evaluation = decide("worker-node.spl", fqans=fqans)
    assert evaluation.decision is Decision.PERMIT
    assert [obligation.id for obligation in evaluation.obligations] == [Glite.LOCAL_ENVIRONMENT_MAP]


def test_others_do_not_run_on_worker_nodes() -> None:
    assert decide("worker-node.spl", fqans=["/atlas"]).decision is Decision.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("subject", "fqans"),
    [
        ("CN=stolen laptop,DC=example,DC=org", ["/dteam"]),
        ("CN=Some User,DC=example,DC=org", ["/dteam", "/dteam/suspended"]),
    ],
)
def test_the_banned_are_kept_out_whatever_follows(subject: str, fqans: list[str]) -> None:
    evaluation = decide("banned-users.spl", "worker-node.spl", subject=subject, fqans=fqans)
    assert evaluation.decision is Decision.DENY


def test_the_not_banned_are_left_to_other_policies() -> None:
    assert decide("banned-users.spl", "worker-node.spl", fqans=["/dteam"]).decision is Decision.PERMIT


@pytest.mark.parametrize(
    ("action", "fqans", "decision"),
    [
        ("submit", ["/dteam/production"], Decision.PERMIT),
        ("submit", ["/dteam"], Decision.NOT_APPLICABLE),
        ("submit", ["/ops/Role=lcgadmin"], Decision.PERMIT),
        ("get-info", ["/dteam"], Decision.PERMIT),
        ("get-info", ["/atlas"], Decision.NOT_APPLICABLE),
    ],
)
def test_the_computing_element_tells_submitters_from_lookers(action: str, fqans: list[str], decision: Decision) -> None:
    action = f"http://glite.org/xacml/action/ce/job/{action}"
    assert decide("computing-element.spl", resource=COMPUTING_ELEMENT, action=action, fqans=fqans).decision is decision


@pytest.mark.parametrize(
    ("profile", "decision"),
    [
        ("policy-igtf-classic", Decision.PERMIT),
        ("policy-igtf-dogwood", Decision.DENY),
        ("policy-igtf-aspen", Decision.NOT_APPLICABLE),
    ],
)
def test_the_profile_of_the_ca_counts(profile: str, decision: Decision) -> None:
    assert decide("strong-identity.spl", fqans=["/dteam"], profile=profile).decision is decision


@pytest.mark.parametrize(
    ("fqans", "decision"),
    [
        (["/atlas"], Decision.PERMIT),
        (["/atlas/production/Role=production", "/atlas"], Decision.PERMIT),
        (["/cms"], Decision.NOT_APPLICABLE),
    ],
)
def test_all_of_a_vo_are_accepted(fqans: list[str], decision: Decision) -> None:
    assert decide("all-of-a-vo.spl", fqans=fqans).decision is decision


@pytest.mark.parametrize(
    ("fqans", "decision"),
    [
        (["/atlas/Role=pilot", "/atlas"], Decision.PERMIT),
        (["/cms/Role=pilot"], Decision.PERMIT),
        (["/atlas", "/atlas/Role=pilot"], Decision.NOT_APPLICABLE),
        (["/atlas/Role=production"], Decision.NOT_APPLICABLE),
    ],
)
def test_only_pilots_are_accepted(fqans: list[str], decision: Decision) -> None:
    assert decide("pilots-only.spl", fqans=fqans).decision is decision


@pytest.mark.parametrize(
    ("fqans", "subject", "decision"),
    [
        (["/atlas"], "CN=Some User,DC=example,DC=org", Decision.PERMIT),
        (["/atlas", "/atlas/trainees"], "CN=Some User,DC=example,DC=org", Decision.DENY),
        (["/atlas"], "CN=Former Member,DC=example,DC=org", Decision.DENY),
        (["/cms"], "CN=Former Member,DC=example,DC=org", Decision.NOT_APPLICABLE),
    ],
)
def test_a_group_and_a_former_member_are_left_out(fqans: list[str], subject: str, decision: Decision) -> None:
    evaluation = decide("all-but-a-group.spl", resource=COMPUTING_ELEMENT, subject=subject, fqans=fqans)
    assert evaluation.decision is decision


@pytest.mark.parametrize("name", ["Under Investigation", "Stolen Laptop"])
def test_a_local_ban_counts_like_any_other(name: str) -> None:
    subject = f"CN={name},DC=example,DC=org"
    assert decide("local-ban.spl", "worker-node.spl", subject=subject, fqans=["/dteam"]).decision is Decision.DENY
    assert decide("local-ban.spl", "worker-node.spl", fqans=["/dteam"]).decision is Decision.PERMIT


def test_a_local_ban_is_in_an_action_that_other_paps_do_not_get() -> None:
    [resource] = lower(parse((EXAMPLES / "local-ban.spl").read_text()), DEFAULT_MAPPINGS, new_id=lambda: "00000000")
    assert isinstance(resource, PolicySet)
    assert [policy.id.startswith(PRIVATE_PREFIX) for policy in resource.policies()] == [True, False]


@pytest.mark.parametrize(
    ("fqans", "decision"),
    [
        (["/ops/Role=lcgadmin", "/ops"], Decision.PERMIT),
        (["/ops"], Decision.PERMIT),
        (["/ops/Role=superuser", "/ops"], Decision.DENY),
        (["/dteam"], Decision.PERMIT),
    ],
)
def test_monitoring_comes_in_and_nobody_else_of_its_vo(fqans: list[str], decision: Decision) -> None:
    assert decide("monitoring.spl", "worker-node.spl", fqans=fqans).decision is decision


@pytest.mark.parametrize(
    ("issuer", "group", "decision"),
    [
        ("https://atlas-auth.example.org/", "/atlas/production", Decision.PERMIT),
        ("https://other.example.org/", "/atlas/production", Decision.NOT_APPLICABLE),
        ("https://atlas-auth.example.org/", "/atlas", Decision.NOT_APPLICABLE),
    ],
)
def test_the_group_of_a_token_counts_with_its_issuer(issuer: str, group: str, decision: Decision) -> None:
    token = (Attribute(Glite.OIDC + "issuer", (issuer,)), Attribute(Glite.OIDC + "group", (group,)))
    assert decide("tokens.spl", resource="https://ce.example.org:9619/", token=token).decision is decision


def test_the_rest_is_denied() -> None:
    assert decide("worker-node.spl", "deny-the-rest.spl", fqans=["/dteam"]).decision is Decision.PERMIT
    assert decide("worker-node.spl", "deny-the-rest.spl", fqans=["/atlas"]).decision is Decision.DENY


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.spl")), ids=lambda path: path.name)
def test_every_example_begins_with_its_question(path: Path) -> None:
    assert "?" in path.read_text().splitlines()[0]
