"""What the PDP needs from outside."""

from datetime import timedelta
from typing import Protocol

from argus_py.errors import Unavailable
from argus_py.snapshot import Version
from argus_py.xacml.index import CompiledPolicy
from argus_py.xacml.policy import PolicySet


class PolicyTooOld(Unavailable):
    """No source has confirmed the policy for ``age``, and it may be used for ``longest``."""

    def __init__(self, age: timedelta, longest: timedelta) -> None:
        super().__init__(f"the policy is {_minutes(age)} minutes old, and may be used for {_minutes(longest)}")
        self.age = age
        self.longest = longest


class PolicyInForce(Protocol):
    """What is decided by: a snapshot, or one that is not to be used for ever."""

    @property
    def current(self) -> Version[CompiledPolicy]:
        """Raises Unavailable: there is none (PolicyTooOld: any more)."""
        ...


class PolicySource(Protocol):
    """A PAP, in this process or behind a network."""

    def fetch(self) -> PolicySet:
        """The outermost PolicySet with everything in it, as it is now.

        Raises Unavailable: no PAP can be reached. Raises MalformedInput: what one sent cannot be used.
        """


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds()) // 60
