"""The few kinds of failure; every module subclasses one of them per cause.

A decision is never an exception: Deny, NotApplicable and Indeterminate are values. An exception says "could not".
Inner rings raise; one table per boundary answers, and its default row hides the text and never permits.
"""


class ArgusError(Exception):
    """Root of all failures this package raises on purpose; ``str(error)`` is a sentence for the operator."""


class MalformedInput(ArgusError):
    """Bytes or text that cannot be read."""


class CredentialRejected(ArgusError):
    """A certificate chain or an attribute certificate that is not acceptable."""


class NotPermitted(ArgusError):
    """The caller is known and may not do this."""


class NotFound(ArgusError):
    """What the caller names does not exist."""


class Conflict(ArgusError):
    """The change contradicts what is stored."""


class Unmapped(ArgusError):
    """No local account: no map entry, pool exhausted, or a damaged lease."""


class Unavailable(ArgusError):
    """A peer, the database or the policy cannot be reached now."""


class ConfigurationError(ArgusError):
    """A configuration file cannot be used; names file, section and key."""
