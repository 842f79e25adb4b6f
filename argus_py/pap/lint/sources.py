"""What lint reads: policy texts, with whatever is wrong in them, and the paps of a daemon."""

from collections.abc import Iterable
from itertools import count

from argus_py.pap.editing import Resources
from argus_py.pap.lint.findings import Check, Finding, Place
from argus_py.pap.lint.readings import PolicySource
from argus_py.spl.ast import Position
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.errors import Problem, SplError, SplMeaningError
from argus_py.spl.lower import lower, lower_as_java
from argus_py.spl.parser import parse
from argus_py.spl.places import positions_by_id


def source_of_text(name: str, text: str, mappings: AttributeMappings) -> PolicySource:
    """Values that cannot be read are told, and the rest is looked at; not so after a word that cannot be understood."""
    try:
        elements = parse(text)
    except SplError as error:
        return PolicySource(name, (), findings=_findings(name, Check.SYNTAX, error.problems))
    numbers = map(str, count(1))
    unreadable: tuple[Problem, ...] = ()
    try:
        lowered = lower(elements, mappings, numbers.__next__)
    except SplMeaningError as error:
        unreadable = error.problems
        try:
            lowered = lower_as_java(elements, mappings, numbers.__next__).elements
        except SplMeaningError:  # not even a Java PAP would store this
            lowered, elements = (), ()
    findings = _findings(name, Check.UNREADABLE, unreadable)
    return PolicySource(name, lowered, positions_by_id(elements, lowered), findings, is_checked=True)


def source_of_pap(alias: str, resources: Resources) -> PolicySource:
    return PolicySource(f"pap {alias}", resources)


def _findings(name: str, check: Check, problems: Iterable[Problem]) -> tuple[Finding, ...]:
    return tuple(
        Finding(check, Place(name, Position(problem.line, problem.column)), problem.reason) for problem in problems
    )
