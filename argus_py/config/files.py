"""Configuration files from disk."""

from pathlib import Path

from argus_py.errors import ConfigurationError


def read_text(path: Path) -> str:
    """What is not UTF-8 becomes U+FFFD: harmless in a comment, refused by the parsers elsewhere.

    Raises ConfigurationError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"Unable to read configuration file {path}: {error.strerror}") from error
