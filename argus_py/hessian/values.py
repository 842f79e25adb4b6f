"""What Hessian 1 can say, as values: the generic tree between bytes and model.

Class names in the stream are text here; nothing is ever instantiated from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from argus_py.errors import MalformedInput


class HessianError(MalformedInput):
    """Bytes that are not Hessian 1, or exceed a limit; carries ``reason`` and ``offset`` (octets)."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"not a readable Hessian message: {reason} at octet {offset}")
        self.reason = reason
        self.offset = offset


class Long(int):
    """An integer of 64 bits on the wire; otherwise a plain int."""


@dataclass(frozen=True, slots=True)
class HessianList:
    items: tuple["Value", ...] = ()
    type: str | None = None  # a Java collection class, for what it is worth


@dataclass(frozen=True, slots=True)
class HessianMap:
    """``type`` is a Java class name, ``fields`` are in the order read; of a repeated key the last value counts."""

    type: str | None = None
    fields: Mapping[str, "Value"] = field(default_factory=dict)


Value: TypeAlias = bool | int | float | str | bytes | datetime | HessianList | HessianMap | None
