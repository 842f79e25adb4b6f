"""The VOMS plug-ins against what LCMAPS has made of the same files, names and FQANs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from argus_py.credentials.path import VerifiedChain
from argus_py.model.dn import DistinguishedName
from argus_py.pep.mapping.lease_name import lease_name, other_spellings
from argus_py.store.gridmapdir import check_name
from argus_py.worker.lcmaps_db import parse_lcmaps_db
from argus_py.worker.plugins.known import load_plugins
from argus_py.worker.policy import run_policy
from argus_py.worker.ports import User
from argus_py.worker.state import Attributes, State

if TYPE_CHECKING:
    from tests.unit.worker.conftest import PaperNode

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[3] / "vectors" / "lcmaps" / "leases.json").read_text())
# LCMAPS 1.6.6 reads raw octets beyond ASCII as negative numbers, by which different names meet in one lease.
CASES = [case for case in RECORDED["cases"] if case["dn"].isascii()]
GROUPS = {line.split(":")[0]: int(line.split(":")[2]) for line in RECORDED["groups"]}


def test_one_recorded_case_alone_is_left_out() -> None:
    assert len(RECORDED["cases"]) - len(CASES) == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['db']}-{case['dn'][-20:]}-{'+'.join(case['fqans'])}")
def test_groups_and_leases_are_those_of_lcmaps(
    node: "PaperNode", state_of: Callable[[str], State], case: dict[str, Any]
) -> None:
    node.files = {f"BASE/etc/{name}": f"{text}\n" for name, text in RECORDED["files"].items()}
    node.groups = GROUPS
    node.users = {
        name: User(name, 41001, 30000, (30000,), "/") for name in ("argus", *(f"{pool}1" for pool in RECORDED["pools"]))
    }

    class Leases:
        """The first account of the pool; refuses the names that no file can have."""

        names: tuple[str, ...] = ()

        def lease(self, _gridmapdir: str, dn: DistinguishedName, groups: tuple[str, ...], pool: str) -> str:
            check_name(lease_name(dn, groups))
            Leases.names = (lease_name(dn, groups), *other_spellings(dn, [groups]))
            return f"{pool}1"

    leases = Leases()
    node.lease = leases.lease  # type: ignore[assignment,method-assign]
    file = parse_lcmaps_db(node.files[f"BASE/etc/{case['db']}"], case["db"])
    policy = file.policies[case["policy"]]
    link = SimpleNamespace(subject=DistinguishedName.parse_slash(case["dn"]))
    chain = VerifiedChain((cast("Any", link),), 0)
    state = replace(
        state_of("alice-dteam"), verified=chain, attributes=Attributes(tuple(case["fqans"]), tuple(case["fqans"]))
    )

    outcome = run_policy(policy, load_plugins(file, policy, node), state)

    if case["pgids"] is None:
        assert outcome.state is None
        return
    assert outcome.state is not None, outcome.steps
    assert list(outcome.state.account.primary_gids) == case["pgids"]
    assert sorted(outcome.state.account.secondary_gids) == case["sgids"]
    if case["lease"] is None:
        assert not leases.names
    else:
        assert case["lease"] in leases.names
