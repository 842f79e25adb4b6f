"""One decision and the way to it: the plain evaluator at work, with a recorder."""

from dataclasses import dataclass
from datetime import datetime

from argus_py.model.request import Request
from argus_py.pdp.explain import explain
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.outcome import Evaluation
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.trace import NodeTrace, Recorder


@dataclass(frozen=True, slots=True)
class Explanation:
    """``words``: what decided, in the words of the policy language; empty if nothing did."""

    request: Request
    evaluation: Evaluation
    words: str
    trace: NodeTrace


def explained(root: PolicySet | Policy, request: Request, moment: datetime) -> Explanation:
    """Raises what ``evaluate`` does."""
    recorder = Recorder()
    evaluation = evaluate(root, request, moment, recorder)
    trace = recorder.root
    assert isinstance(trace.element, PolicySet | Policy)
    return Explanation(request, evaluation, explain(trace.element, evaluation.path), trace)
