"""The status page of the PAP."""

from datetime import UTC, datetime

from argus_py.pap.administration import ensure_default_pap
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap import PapStatus


def test_details_stand_below_the_lines_that_probes_know() -> None:
    policies = MemoryPolicies()
    ensure_default_pap(policies, lambda: "1")
    plain = PapStatus(policies, "1.0", datetime(2026, 11, 24, tzinfo=UTC))
    told = PapStatus(policies, "1.0", plain.started_at, lambda: [("Problem", "b1d95bc4.r0: damaged")])
    known = plain.text().splitlines()
    names = [line.split(": ")[0] for line in known]
    assert names[:3] == ["Status", "Service", "ServiceVersion"]
    assert names[-3:] == ["NumberOfPolicies", "NumberOfLocalPolicies", "NumberOfRemotePolicies"]
    *same, detail = told.text().splitlines()
    assert [line.split(": ")[0] for line in same] == names
    assert detail == "Problem: b1d95bc4.r0:damaged"
