"""What users type and read here: DNs in either form, lengths of time, moments, commands."""

import argparse
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Final

from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.fqan import Fqan, FqanSyntaxError

_SPAN = re.compile(r"([0-9]{1,6})([mhdwy])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_LONGEST: Final = timedelta(days=36500)  # a century ago is still a date


def parse_dn(text: str) -> DistinguishedName:
    """Slash form or RFC 2253. Raises DnSyntaxError: it is neither."""
    return DistinguishedName.parse_slash(text) if text.startswith("/") else DistinguishedName.parse_rfc2253(text)


def slash_form(rfc2253: str) -> str:
    """The form of map files; a text that is no DN, such as one that a record has cut, as it is."""
    try:
        return DistinguishedName.parse_rfc2253(rfc2253).slash()
    except DnSyntaxError:
        return rfc2253


def dn_argument(text: str) -> DistinguishedName:
    try:
        dn = parse_dn(text)
    except DnSyntaxError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not dn.rdns:
        raise argparse.ArgumentTypeError("the DN is empty")
    return dn


def fqan_argument(text: str) -> Fqan:
    try:
        return Fqan.parse(text)
    except FqanSyntaxError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def span_argument(text: str) -> timedelta:
    """
    >>> span_argument("240h") == span_argument("10d")
    True
    """
    match = _SPAN.fullmatch(text)
    span = int(match[1]) * _UNITS[match[2]] if match else timedelta(0)
    if not timedelta(0) < span <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time such as 240h or 10d (m, h, d, w, y)")
    return span


def moment_argument(text: str) -> datetime:
    """UTC, unless a zone is given.

    >>> moment_argument("2026-11-24T06:19")
    datetime.datetime(2026, 11, 24, 6, 19, tzinfo=datetime.timezone.utc)
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-24T06:19") from None


def command_argument(text: str) -> list[str]:
    """The words of a command, with the quotes of a shell and nothing else of it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no command: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError("the command is empty")
    return words


def shown_time(time: datetime | None) -> str | None:
    """One word, in UTC."""
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
