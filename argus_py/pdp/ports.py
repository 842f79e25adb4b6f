"""What the PDP needs from outside."""

from typing import Protocol

from argus_py.xacml.policy import PolicySet


class PolicySource(Protocol):
    """A PAP, in this process or behind a network."""

    def fetch(self) -> PolicySet:
        """The outermost PolicySet with everything in it, as it is now.

        Raises Unavailable: no PAP can be reached. Raises MalformedInput: what one sent cannot be used.
        """
