"""Puts the time of the request into its environment, for policies that depend on it.

Every request then differs from the one before, so a decision cache behind this point never hits.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/EnvironmentTimePIP.java
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.request import Request
from argus_py.pep.attributes import set_environment


@dataclass(frozen=True, slots=True)
class EnvironmentTime:
    """``zone`` is the one the texts are written in, None that of the machine."""

    zone: tzinfo | None = UTC

    def enrich(self, request: Request, now: datetime, /) -> Request:
        local = now.astimezone(self.zone).replace(microsecond=0)
        time = local.isoformat().replace("+00:00", "Z")
        date, _, clock = time.partition("T")
        return set_environment(
            request,  # BETTER: a time sent by the client is replaced; Java leaves both in an undefined order
            (
                Attribute(AttributeId.CURRENT_TIME, (clock,), DataType.TIME),
                Attribute(AttributeId.CURRENT_DATE, (date,), DataType.DATE),
                Attribute(AttributeId.CURRENT_DATE_TIME, (time,), DataType.DATE_TIME),
            ),
        )
