"""What evaluations come to: a match that may fail, and a decision with its obligations and its explanation.

The tables of XACML 2.0 section 7 do not depend on order: an error counts only where no other operand settles it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from argus_py.model.identifiers import StatusUri
from argus_py.model.response import Decision, MissingAttribute, Obligation


@dataclass(frozen=True, slots=True)
class Fault:
    """Something could not be evaluated: ``reason`` is a clause that names the culprit, ``status`` a code (B.9)."""

    reason: str
    status: str = StatusUri.PROCESSING_ERROR
    missing: MissingAttribute | None = None  # what a client could add to be answered


Matched = bool | Fault  # XACML's True, False and "Indeterminate"


def any_of(operands: Iterable[Matched]) -> Matched:
    """True beats an error beats False (XACML 2.0 section 7.5, tables 2 and 3); stops at the first True."""
    result: Matched = False
    for operand in operands:
        if operand is True:
            return True
        if operand is not False and result is False:
            result = operand
    return result


def all_of(operands: Iterable[Matched]) -> Matched:
    """False beats an error beats True (XACML 2.0 section 7.5, tables 1 and 4); stops at the first False."""
    result: Matched = True
    for operand in operands:
        if operand is False:
            return False
        if operand is not True and result is True:
            result = operand
    return result


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``path``: ids of PolicySets, Policy and Rule that decided, outermost first; empty if nothing applies.

    ``obligations`` are those to be fulfilled, outer before inner. ``reason`` explains the decision in a sentence.
    ``fault`` is what made it Indeterminate.
    """

    decision: Decision
    obligations: tuple[Obligation, ...] = ()
    path: tuple[str, ...] = ()
    reason: str | None = None
    fault: Fault | None = None

    def within(self, id: str, obligations: tuple[Obligation, ...]) -> "Evaluation":
        """The same, seen from the enclosing Policy or PolicySet, which may have obligations of its own."""
        if self.decision is Decision.NOT_APPLICABLE:
            return self
        fulfilled = self.obligations
        if obligations:
            own = (obligation for obligation in obligations if obligation.fulfill_on.decision is self.decision)
            fulfilled = (*own, *fulfilled)
        return Evaluation(self.decision, fulfilled, (id, *self.path), self.reason, self.fault)


NOT_APPLICABLE: Final = Evaluation(Decision.NOT_APPLICABLE, reason="no rule applies")


def indeterminate(id: str, fault: Fault) -> Evaluation:
    """The result of the element ``id`` that could not be evaluated."""
    return Evaluation(Decision.INDETERMINATE, (), (id,), f"{id}: {fault.reason}", fault)
