"""What ``argus site check`` finds, and how it tells it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from argus_py.cli.site.command import Call, Exit


class Severity(Enum):
    OK = "ok"
    WARNING = "warning"  # worth a look
    ERROR = "error"  # somebody will be turned away, or let in who should not be
    UNKNOWN = "unknown"  # could not be looked at


class Topic(Enum):
    """What is looked at, in the order of the deployment check list of WLCG."""

    CONFIGURATION = "configuration"
    PILOT_ROLES = "pilot-roles"
    WHITE_LIST = "white-list"
    GRIDMAPDIR = "gridmapdir"
    CE = "ce"
    ALL_ROLES = "all-roles"
    OPS = "ops"
    VOMSDIR = "vomsdir"
    CRLS = "crls"
    CLOCK = "clock"
    PORTS = "ports"


@dataclass(frozen=True, slots=True)
class Finding:
    """``remedy``: what to do about it."""

    topic: Topic
    severity: Severity
    text: str
    remedy: str = ""


def error(topic: Topic, text: str, remedy: str) -> Finding:
    return Finding(topic, Severity.ERROR, text, remedy)


def warning(topic: Topic, text: str, remedy: str) -> Finding:
    return Finding(topic, Severity.WARNING, text, remedy)


def unknown(topic: Topic, text: str, remedy: str) -> Finding:
    return Finding(topic, Severity.UNKNOWN, text, remedy)


def with_all_topics(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order of the topics; one about which nothing was found is in order."""
    by_topic: dict[Topic, list[Finding]] = {topic: [] for topic in Topic}
    for each in found:
        by_topic[each.topic].append(each)
    return tuple(
        each
        for topic, findings in by_topic.items()
        for each in findings or [Finding(topic, Severity.OK, "nothing is missing")]
    )


def tell(call: Call, findings: Iterable[Finding]) -> Exit:
    findings = tuple(findings)
    counts = {severity: sum(each.severity is severity for each in findings) for severity in Severity}
    if call.arguments.output == "json":
        listed = [
            {"topic": each.topic.value, "severity": each.severity.value, "text": each.text, "remedy": each.remedy}
            for each in findings
        ]
        numbers = {severity.value: count for severity, count in counts.items()}
        print(json.dumps({"findings": listed, "counts": numbers}, indent=2), file=call.out)
    else:
        for each in findings:
            call.say(f"{each.severity.value:<8} {each.topic.value}: {each.text}")
            if each.remedy:
                call.say(f"{'':<8} {each.remedy}")
        call.say(", ".join(f"{count} {severity.value}" for severity, count in counts.items()))
    return Exit.PROBLEMS if counts[Severity.ERROR] else Exit.FINE
