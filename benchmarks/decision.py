"""One decision: the compiled policy beside the evaluator that reads like the standard."""

from lxml import etree

from argus_py.model.request import Request
from argus_py.model.response import Decision
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy import PolicySet
from argus_py.xacml.policy_xml import write_policy_set
from benchmarks.policies import banned, policy_tree, request, ten_thousand_bans, thousand_resources
from benchmarks.tables import Row, microseconds, show

_SLOW_ROUNDS = 5  # for work of 100 ms and more


def main() -> None:
    resources, bans = policy_tree(thousand_resources()), policy_tree(ten_thousand_bans())
    of_resources, of_bans = compile_policy(resources), compile_policy(bans)
    decisions = [
        _decision("1,000 resources, the 250th", resources, of_resources, request("ce1_249"), Decision.PERMIT),
        _decision("1,000 resources, the 750th", resources, of_resources, request("ce2_249"), Decision.DENY),
        _decision("1,000 resources, none", resources, of_resources, request("ce3"), Decision.NOT_APPLICABLE),
        _decision("10,000 bans, not banned", bans, of_bans, request("ce1_050"), Decision.PERMIT),
        _decision("10,000 bans, the last one", bans, of_bans, request("ce1_050", banned(9_999)), Decision.DENY),
    ]
    show("One decision, microseconds", "compiled", "evaluator", decisions)
    compilations = [_compilation("1,000 resources", resources), _compilation("10,000 bans", bans)]
    show("Making a policy ready, milliseconds", "compile", "lxml parses", compilations)


def _decision(name: str, policy: PolicySet, compiled: CompiledPolicy, asked: Request, expected: Decision) -> Row:
    answer = compiled.evaluate(asked)
    if answer.decision is not expected or answer != evaluate(policy, asked):
        raise AssertionError(f"{name}: {answer}")
    medians = microseconds(lambda: compiled.evaluate(asked), lambda: evaluate(policy, asked), rounds=_SLOW_ROUNDS)
    return Row(f"{name}: {expected.value}", *medians)


def _compilation(name: str, policy: PolicySet) -> Row:
    xml = write_policy_set(policy)
    medians = microseconds(lambda: compile_policy(policy), lambda: etree.fromstring(xml), rounds=_SLOW_ROUNDS)
    return Row(f"{name}, {len(xml) / 1e6:.1f} MB of XML", *(median / 1e3 for median in medians))
