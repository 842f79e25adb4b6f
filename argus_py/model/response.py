"""An authorization response: decision, status, obligations (XACML 2.0 section 6.9 ff.)."""

from dataclasses import dataclass, field
from enum import Enum

from argus_py.model.identifiers import DataType, StatusUri
from argus_py.model.request import Request
from argus_py.model.trail import Trail


class Decision(Enum):
    """The four words of XACML 2.0 section 6.11."""

    DENY = "Deny"
    PERMIT = "Permit"
    INDETERMINATE = "Indeterminate"
    NOT_APPLICABLE = "NotApplicable"


class Effect(Enum):
    """What a rule intends, and when an obligation is to be fulfilled; ``decision`` is the same as a Decision."""

    PERMIT = "Permit"
    DENY = "Deny"

    @property
    def decision(self) -> Decision:
        return Decision.PERMIT if self is Effect.PERMIT else Decision.DENY


@dataclass(frozen=True, slots=True)
class AttributeAssignment:
    attribute_id: str
    value: str | None
    datatype: str | None = DataType.STRING


@dataclass(frozen=True, slots=True)
class Obligation:
    id: str
    fulfill_on: Effect
    assignments: tuple[AttributeAssignment, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusCode:
    value: str = StatusUri.OK
    minor: "StatusCode | None" = None


@dataclass(frozen=True, slots=True)
class MissingAttribute:
    """What a decision would have needed (XACML 2.0 section 6.16)."""

    attribute_id: str
    datatype: str
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """``missing`` is the detail of the code missing-attribute."""

    code: StatusCode = field(default_factory=StatusCode)
    message: str | None = None
    missing: tuple[MissingAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    decision: Decision
    status: Status = field(default_factory=Status)
    obligations: tuple[Obligation, ...] = ()
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """``request`` is the effective request, as it was evaluated; None when it is not to be echoed."""

    results: tuple[Result, ...]
    request: Request | None = None
    trail: Trail = field(default_factory=Trail)


def indeterminate(message: str | None, request: Request | None = None, reason: str | None = None) -> Response:
    """The answer to everything that went wrong: one Indeterminate result with the status processing-error."""
    status = Status(StatusCode(StatusUri.PROCESSING_ERROR), message)
    return Response((Result(Decision.INDETERMINATE, status),), request, Trail(reason=reason or message))
