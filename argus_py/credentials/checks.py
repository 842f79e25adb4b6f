"""Which rules a credential has kept, in the order they were looked at: for operators who want to see the whole way.

The verdict never depends on it. Daemons pass ``UNRECORDED``; a report passes a ``CheckList``.
"""

from dataclasses import dataclass
from typing import Final

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.rejections import Rejection


@dataclass(frozen=True, slots=True)
class Check:
    """``rule`` as kept; ``certificate`` None: of the attribute certificate. With a ``refusal`` it is broken."""

    rule: str
    certificate: Certificate | None = None
    refusal: Rejection | None = None


class Checks:
    """What the judges tell; nothing is kept of it."""

    def passed(self, rule: str, certificate: Certificate | None = None) -> None:
        """The rule is kept."""

    def refused(self, refusal: Rejection) -> None:
        """A rule is broken, which ends this path; there may be another one."""


class CheckList(Checks):
    """Keeps everything."""

    def __init__(self) -> None:
        self.made: list[Check] = []

    def passed(self, rule: str, certificate: Certificate | None = None) -> None:
        self.made.append(Check(rule, certificate))

    def refused(self, refusal: Rejection) -> None:
        """Told twice, as the end of a path and as the verdict, it is there once."""
        if not any(check.refusal is refusal for check in self.made):
            self.made.append(Check(refusal.reason, refusal=refusal))


UNRECORDED: Final = Checks()
