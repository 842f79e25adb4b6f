"""Why a payload does not run, and the exit code that each kind of reason has in gLExec.

Whoever starts payloads reads the code: 201 is the mistake of the caller, 202 that of the site, 203 is a refusal.

Source: GridWiki, "Man pages of gLExec", section on exit codes (since gLExec 0.6.0)
"""

from typing import ClassVar, Final

from argus_py.errors import ArgusError, ConfigurationError, MalformedInput, NotPermitted

EXIT_CLIENT: Final = 201
EXIT_INTERNAL: Final = 202
EXIT_REFUSED: Final = 203
EXIT_AMBIGUOUS: Final = 204  # the payload itself ended with one of these four
EXIT_EXEC: Final = 126


class ClientError(MalformedInput):
    """What the caller handed over cannot be used: a proxy file, a path, the command."""

    EXIT: ClassVar[int] = EXIT_CLIENT


class NotAuthorized(NotPermitted):
    """The caller may not call, or the owner of the payload proxy may not run here; ``reason`` is for the log."""

    EXIT: ClassVar[int] = EXIT_REFUSED

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PolicyFileError(ConfigurationError):
    """A line of an LCMAPS policy file; carries ``file``, ``line`` (from 1) and ``reason``."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}: line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class GlexecConfError(ConfigurationError):
    """A line of glexec.conf; carries ``file``, ``line`` (from 1), ``key`` (empty: none) and ``reason``."""

    def __init__(self, file: str, line: int, key: str, reason: str) -> None:
        super().__init__(f"{file}: line {line}: {f'{key}: ' if key else ''}{reason}")
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason


def exit_code(error: ArgusError) -> int:
    """Everything that is neither the caller's mistake nor a refusal is the site's."""
    return error.EXIT if isinstance(error, ClientError | NotAuthorized) else EXIT_INTERNAL
