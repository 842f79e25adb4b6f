"""The policy made of a map file permits whom the file names, and nobody else; decided by the engine of the PDP."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import Glite
from argus_py.model.response import Decision
from argus_py.pdp.question import Question
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.group_map import WORKER_NODE, PolicyFrame, classic, derive
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import Combining, PolicySet

ALICE = DistinguishedName.parse_slash("/DC=org/DC=argus-test/CN=Alice Adams")

# The shapes that the group maps of the experiments have.
REALISTIC = """\
"/atlas/Role=production" atlasprd
"/atlas/Role=production/*" atlasprd
"/atlas/Role=lcgadmin" atlassgm
"/atlas/Role=pilot" atlaspil
"/atlas/Role=pilot/*" atlaspil
"/atlas/de/Role=production" atlasde
"/atlas" atlas
"/atlas/*" atlas
"/cms/Role=pilot" cmspil
"/cms/Role=priorityuser" cmsprio
"/cms/dcms" dcms
"/cms/dcms/*" dcms
"/cms" cms
"/cms/*" cms
"/cms/*/Role=*" cms
"/lhcb/Role=pilot" lhcbpil
"/lhcb/Role=user" lhcb
"/lhcb/*/Role=production" lhcbprd
"/lhcb/*" lhcb
"/ops/Role=pilot" opspil
"/ops/Role=lcgadmin" opssgm
"/ops" ops
"/dteam/Role=pilot" dtplt
"/dteam" dteam
"/DC=org/DC=argus-test/CN=Alice Adams" dteam
"""


def compiled(text: str) -> CompiledPolicy:
    numbers = iter(range(10_000))
    elements = lower(parse(text), DEFAULT_MAPPINGS, lambda: str(next(numbers)))
    return compile_policy(PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, elements))


def decision(policy: CompiledPolicy, fqans: Sequence[str], subject: str = "/DC=org/CN=Somebody") -> Decision:
    question = Question.parse(subject, WORKER_NODE, Glite.ACTION_EXECUTE, fqans=fqans)
    evaluation = policy.evaluate(question.request())
    if evaluation.decision is Decision.PERMIT:
        assert [obligation.id for obligation in evaluation.obligations] == [Glite.LOCAL_ENVIRONMENT_MAP]
    return evaluation.decision


def permitted_by(text: str) -> CompiledPolicy:
    return compiled(derive(text, "groupmapfile", PolicyFrame()).text)


@pytest.mark.parametrize(
    "fqans",
    [
        ["/atlas/Role=production", "/atlas"],
        ["/atlas/Role=invented", "/atlas"],
        ["/atlas/fr/Role=invented", "/atlas/fr", "/atlas"],
        ["/cms/uscms", "/cms"],
        ["/cms/dcms/Role=x", "/cms/dcms", "/cms"],
        ["/lhcb/Role=anything", "/lhcb"],
        ["/lhcb/lhcb/Role=production", "/lhcb"],
        ["/ops/Role=pilot", "/ops"],
        ["/ops"],
        ["/dteam"],
    ],
)
def test_the_realistic_map_permits_members(fqans: list[str]) -> None:
    assert decision(permitted_by(REALISTIC), fqans) is Decision.PERMIT


@pytest.mark.parametrize(
    "fqans",
    [
        [],
        ["/biomed"],
        ["/atlasx", "/atlasx/Role=pilot"],
        ["/ops/Role=other", "/ops"],
        ["/dteam/sub", "/dteam"],
        ["/dteam/Role=production", "/dteam", "/dteam/Role=pilot"],
    ],
)
def test_the_realistic_map_permits_nobody_else(fqans: list[str]) -> None:
    assert decision(permitted_by(REALISTIC), fqans) is Decision.NOT_APPLICABLE


def test_a_name_in_the_map_is_permitted_without_fqans() -> None:
    assert decision(permitted_by(REALISTIC), [], "/DC=org/DC=argus-test/CN=Alice Adams") is Decision.PERMIT


def test_whom_the_classic_form_permits_the_own_form_permits_and_the_other_way_round() -> None:
    # Without the DN, which shuts out whoever comes to it in the classic form.
    text = REALISTIC.replace('"/DC=org/DC=argus-test/CN=Alice Adams" dteam\n', "").replace(
        '"/cms/dcms/*" dcms\n',
        "",  # dropped there, and covered by /cms/* here
    )
    ours, old = permitted_by(text), compiled(classic(text, "groupmapfile").text)
    for fqans in (
        ["/atlas/x/Role=y", "/atlas"],
        ["/ops/x", "/ops"],
        ["/lhcb"],
        ["/lhcb", "/x"],
        ["/y"],
        ["/cms/Role=z"],
    ):
        assert decision(ours, fqans) is decision(old, fqans), fqans


VOS = st.sampled_from(["atlas", "cms", "ops"])
GROUPS = st.builds(lambda vo, below: "/".join(["", vo, *below]), VOS, st.lists(st.sampled_from("ab"), max_size=2))
FQANS = st.builds(lambda group, role: group + role, GROUPS, st.sampled_from(["", "/Role=pilot", "/Role=prod"]))
KEYS = st.one_of(FQANS, GROUPS.map(lambda group: f"{group}/*"), GROUPS.map(lambda group: f"{group}/*/Role=*"))


def closure(fqans: Sequence[str]) -> list[str]:
    """As VOMS gives them: each group comes with those above it."""
    groups = [Fqan.parse(fqan).group.split("/")[1:] for fqan in fqans]
    above = ["/" + "/".join(group[: depth + 1]) for group in groups for depth in range(len(group))]
    return list(dict.fromkeys([*fqans, *above]))


@settings(max_examples=150, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=6), st.lists(FQANS, max_size=3))
def test_all_and_only_those_whom_the_map_names_are_permitted(keys: list[str], chosen: list[str]) -> None:
    fqans = closure(chosen)
    policy = permitted_by("".join(f'"{key}" x\n' for key in keys))
    groups = {Fqan.parse(fqan).group for fqan in fqans}
    wholes = {key.removesuffix("/Role=*").removesuffix("/*") for key in keys if "*" in key}
    expected = (bool(fqans) and fqans[0] in keys) or any(
        group == whole or group.startswith(f"{whole}/") for group in groups for whole in wholes
    )
    assert (decision(policy, fqans) is Decision.PERMIT) == expected
