"""What lint found, for people and for programs."""

from collections.abc import Iterable
from typing import Any

from argus_py.model.dn import escape_controls
from argus_py.pap.lint.findings import Finding, Severity
from argus_py.spl.ast import NOWHERE


def as_text(findings: Iterable[Finding]) -> str:
    """A line for each: ``FILE:LINE:COLUMN: severity: check: place: sentence``."""
    return "".join(f"{escape_controls(_line(finding))}\n" for finding in findings)


def _line(finding: Finding) -> str:
    place = finding.place
    position = "" if place.position == NOWHERE else f":{place.position.line}:{place.position.column}"
    words = place.words if place.id is None else f"{place.words} [{place.id}]"
    parts = (f"{place.source}{position}", finding.severity.name.lower(), finding.check.code, words, finding.text)
    return ": ".join(part for part in parts if part)


def as_values(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "source": finding.place.source,
            "line": finding.place.position.line or None,
            "column": finding.place.position.column or None,
            "id": finding.place.id,
            "place": finding.place.words or None,
            "severity": finding.severity.name.lower(),
            "check": finding.check.code,
            "text": finding.text,
        }
        for finding in findings
    ]


def at_least(findings: Iterable[Finding], severity: Severity) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.severity >= severity)
