"""Runs a policy: from module to module until one has no successor, whose result is that of the policy.

Source: lcmaps:src/evaluationmanager/evaluationmanager.c, pdl_main.c
"""

from collections.abc import Mapping
from dataclasses import dataclass

from argus_py.worker.lcmaps_db import Policy
from argus_py.worker.plugins.plugin import Plugin, PluginFailed
from argus_py.worker.state import State


@dataclass(frozen=True, slots=True)
class Step:
    """``failure`` None: the module succeeded."""

    module: str
    failure: str | None = None

    def __str__(self) -> str:
        return f"{self.module}: {'success' if self.failure is None else f'failure: {self.failure}'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``state`` None: the policy failed, and its last step says why."""

    steps: tuple[Step, ...]
    state: State | None


def run_policy(policy: Policy, plugins: Mapping[str, Plugin], state: State) -> Outcome:
    """What a module that failed had found is forgotten. Ends, since no policy comes back to a module.

    Raises what a plug-in raises beside PluginFailed.
    """
    steps: list[Step] = []
    module: str | None = policy.first
    succeeded = False
    while module is not None:
        rule = policy.rules.get(module)
        try:
            state = plugins[module].run(state)
        except PluginFailed as error:
            steps.append(Step(module, error.reason))
            succeeded, module = False, rule.on_failure if rule else None
        else:
            steps.append(Step(module))
            succeeded, module = True, rule.on_success if rule else None
    return Outcome(tuple(steps), state if succeeded else None)
