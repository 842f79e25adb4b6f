"""Decisions and policies of 10 to 100,000 rules: the compiled policy, the evaluator, and two other engines.

Half of the rules ban a subject each, on whatever. The others stand below 1,000 resource patterns (a tenth of the rules
where there are fewer) and permit an FQAN each, every fifth one a VO. The answers come from the last resource, or the
last ban.

The others get the same rules and requests in their own terms and must give the same decision. Cedar: forbid policies
for the bans, permit policies for a group (the FQANs and VOs of the principal are its parents) under the condition that
``resource.id like`` the pattern; the policy set is parsed before, the entities of the request are part of each call.
Casbin: one line per rule in order, first applicable (its ``priority`` effect), equality for names and ``regexMatch``
for resources. Neither has data types: names and FQANs are compared as plain strings.
"""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import casbin  # type: ignore[import-untyped]
import cedarpy

from argus_py.model.identifiers import Glite
from argus_py.model.request import Request
from argus_py.model.response import Decision
from argus_py.xacml.evaluator import evaluate
from argus_py.xacml.index import compile_policy
from argus_py.xacml.making_room import give_memory_back, no_collections
from argus_py.xacml.policy import PolicySet
from argus_py.xacml.policy_xml import read_policy_set, write_policy_set
from benchmarks.policies import pilot_request, policy_tree
from benchmarks.tables import show_cells

_SIZES = (10, 1_000, 10_000, 100_000)
_CASBIN_UP_TO = 10_000  # rules; it would take minutes to load more
_SECONDS = 0.4  # of calls for one cell of the table
_MIN_CALLS, _MAX_CALLS = 3, 2_000
_ACTION = "http://glite.org/xacml/action/execute"

_CASBIN_MODEL = """\
[request_definition]
r = dn, groups, obj, act
[policy_definition]
p = kind, who, obj, act, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = ((p.kind == "dn" && r.dn == p.who) || (p.kind == "group" && p.who in r.groups)) && regexMatch(r.obj, p.obj) \
    && regexMatch(r.act, p.act)
"""

_Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """``group`` is an FQAN or a VO, permitted on the resources with this number; without one, ``subject`` is banned."""

    subject: str = ""
    group: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of all engines."""

    name: str
    subject: str
    vo: str
    fqans: tuple[str, ...]
    place: int
    expected: Decision

    @property
    def resource(self) -> str:
        return f"https://ce{self.place:04d}.example.org:8443/cream/queue"

    @property
    def groups(self) -> tuple[str, ...]:
        return (self.vo, *self.fqans)

    def request(self) -> Request:
        return pilot_request(self.resource, _ACTION, self.subject, self.vo, self.fqans)


def main() -> None:
    decisions: list[_Cells] = [("rules", "question", "engine", "p50, µs", "p99, µs")]
    loading: list[_Cells] = [
        ("rules", "XML, MB", "read, s", "compile, s", "policy, MiB", "compiled, MiB", "at most, MiB")
    ]
    for size in _SIZES:
        rules = list(_rules(size))
        policy = policy_tree(_spl(rules))
        decisions += _measure_decisions(size, rules, policy)
        loading.append((f"{size:,}", *_in_a_process_of_its_own(write_policy_set(policy))))
    show_cells("Decisions by size of the policy", decisions, words=3)
    show_cells("Loading a policy", loading, words=1)


def _rules(size: int) -> Iterator[_Rule]:
    places = min(1_000, max(1, size // 10))
    for number in range(size // 2):
        yield _Rule(subject=_banned(number))
    for place in range(places):
        for number in range(size // 2 // places):
            yield _Rule(group=f"vo{number}" if number % 5 == 4 else f"/vo{number}/production/Role=pilot", place=place)


def _banned(number: int) -> str:
    return f"CN=User {number:06d},OU=Banned,O=Example,C=CH"


def _questions(size: int) -> tuple[_Question, ...]:
    last = min(1_000, max(1, size // 10)) - 1
    pilot = "CN=Some Pilot,OU=People,O=Example,C=CH"
    fqans = ("/vo0/production/Role=pilot", "/vo0/production", "/vo0")
    banned = _banned(size // 2 - 1)
    return (
        _Question("FQAN permitted", pilot, "vo0", fqans, last, Decision.PERMIT),
        _Question("VO permitted", pilot, "vo4", ("/vo4", "/vo4/analysis"), last, Decision.PERMIT),
        _Question("subject banned", banned, "vo0", fqans, last, Decision.DENY),
        _Question("nothing applies", pilot, "vo0", fqans, 9_999, Decision.NOT_APPLICABLE),
    )


def _measure_decisions(size: int, rules: Sequence[_Rule], policy: PolicySet) -> Iterator[_Cells]:
    engines = [_compiled(policy), _evaluator(policy), _cedarpy(rules)]
    if size <= _CASBIN_UP_TO:
        engines.append(_casbin(rules))
    for question in _questions(size):
        for engine in engines:
            work = engine.asked(question)
            permits = question.expected is Decision.PERMIT
            if work() not in (question.expected, permits):
                raise AssertionError(f"{engine.name} decides {work()}: {question}")
            yield (f"{size:,}", question.name, engine.name, *_percentiles(work))


@dataclass(frozen=True, slots=True)
class _Engine:
    """``asked`` gives the work for one question: what it returns is the decision, or whether it is a Permit."""

    name: str
    asked: Callable[[_Question], Callable[[], object]]


def _compiled(policy: PolicySet) -> _Engine:
    compiled = compile_policy(policy)

    def asked(question: _Question) -> Callable[[], object]:
        request, moment = question.request(), datetime.now(UTC)
        return lambda: compiled.evaluate(request, moment).decision

    return _Engine("compiled", asked)


def _evaluator(policy: PolicySet) -> _Engine:
    def asked(question: _Question) -> Callable[[], object]:
        request, moment = question.request(), datetime.now(UTC)
        return lambda: evaluate(policy, request, moment).decision

    return _Engine("evaluator", asked)


def _percentiles(work: Callable[[], object]) -> tuple[str, str]:
    """Of single calls; of few calls, the longest one stands for p99."""
    times: list[int] = []
    end = time.perf_counter() + _SECONDS
    gc.collect()
    while len(times) < _MIN_CALLS or (len(times) < _MAX_CALLS and time.perf_counter() < end):
        begin = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - begin)
    times.sort()
    return f"{statistics.median(times) / 1e3:,.1f}", f"{times[len(times) * 99 // 100] / 1e3:,.1f}"


def _spl(rules: Sequence[_Rule]) -> str:
    bans = "\n".join(f'rule deny {{ subject="{rule.subject}" }}' for rule in rules if rule.subject)
    text = [f'resource ".*" {{ action ".*" {{\n{bans}\n}} }}']
    by_place: dict[int, list[str]] = {}
    for rule in rules:
        if rule.group:
            attribute = "fqan" if rule.group.startswith("/") else "vo"
            by_place.setdefault(rule.place, []).append(f'rule permit {{ {attribute}="{rule.group}" }}')
    for place, permits in by_place.items():
        listed = "\n".join(permits)
        obligation = f'obligation "{Glite.LOCAL_ENVIRONMENT_MAP}" {{ }}'
        text.append(f'resource "{_pattern(place)}" {{ {obligation} action "{_ACTION}" {{\n{listed}\n}} }}')
    return "\n".join(text)


def _pattern(place: int) -> str:
    return f"https://ce{place:04d}[.]example[.]org:8443/.*"


def _cedarpy(rules: Sequence[_Rule]) -> _Engine:
    policies = cedarpy.PolicySet.from_str("\n".join(map(_in_cedar, rules)))

    def asked(question: _Question) -> Callable[[], object]:
        user = {"type": "User", "id": question.subject}
        place = {"type": "Resource", "id": question.resource}
        groups = [{"type": "Group", "id": name} for name in question.groups]
        entities: list[dict[str, object]] = [
            {"uid": user, "attrs": {}, "parents": groups},
            {"uid": place, "attrs": {"id": question.resource}, "parents": []},
        ]
        entities += ({"uid": group, "attrs": {}, "parents": []} for group in groups)
        request = {"principal": user, "action": f'Action::"{_ACTION}"', "resource": place, "context": {}}
        return lambda: cedarpy.is_authorized(request, policies, entities).allowed

    return _Engine("cedarpy", asked)


def _in_cedar(rule: _Rule) -> str:
    if rule.subject:
        return f'forbid (principal == User::"{rule.subject}", action, resource);'
    like = f"https://ce{rule.place:04d}.example.org:8443/*"
    scope = f'principal in Group::"{rule.group}", action == Action::"{_ACTION}", resource'
    return f'permit ({scope}) when {{ resource.id like "{like}" }};'


def _casbin(rules: Sequence[_Rule]) -> _Engine:
    model = casbin.Model()
    model.load_model_from_text(_CASBIN_MODEL)
    for rule in rules:
        if rule.subject:
            model.add_policy("p", "p", ["dn", rule.subject, ".*", ".*", "deny"])
        else:
            model.add_policy("p", "p", ["group", rule.group, _pattern(rule.place), _ACTION, "allow"])
    enforcer = casbin.Enforcer(model)

    def asked(question: _Question) -> Callable[[], object]:
        return lambda: enforcer.enforce(question.subject, question.groups, question.resource, _ACTION)

    return _Engine("casbin", asked)


def _in_a_process_of_its_own(xml: bytes) -> _Cells:
    """The memory of this one has seen other things."""
    command = [sys.executable, "-m", "benchmarks.scale"]
    done = subprocess.run(command, input=xml, stdout=subprocess.PIPE, check=True)
    return tuple(done.stdout.decode().split())


def _load(xml: bytes) -> None:
    """Print the figures of one policy, loaded as the PDP does."""
    begin, before = time.perf_counter(), _resident_mib()
    with no_collections():
        policy = read_policy_set(xml)
        reading = time.perf_counter() - begin
        give_memory_back()
        read = _resident_mib()
        begin = time.perf_counter()
        compiled = compile_policy(policy)
        compiling = time.perf_counter() - begin
    give_memory_back()
    sizes = (read - before, _resident_mib() - read, _most_mib())
    print(f"{len(xml) / 1e6:.1f} {reading:.2f} {compiling:.2f}", *(f"{mib:.0f}" for mib in sizes))
    assert compiled.root is policy


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _most_mib() -> float:
    """Since the program was started; the figure of getrusage is at least that of the process it was started by."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _load(sys.stdin.buffer.read())
