import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from argus_py.cli.leases.names import (
    command_argument,
    dn_argument,
    fqan_argument,
    moment_argument,
    shown_time,
    slash_form,
    span_argument,
)


def test_a_dn_may_be_in_either_form() -> None:
    assert dn_argument("/DC=ch/CN=host/ce01") == dn_argument("CN=host/ce01,DC=ch")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30m", timedelta(minutes=30)),
        ("240h", timedelta(hours=240)),
        ("10d", timedelta(days=10)),
        ("2w", timedelta(weeks=2)),
        ("2y", timedelta(days=730)),
    ],
)
def test_a_length_of_time_has_its_unit(text: str, span: timedelta) -> None:
    assert span_argument(text) == span


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T06:19", datetime(2026, 11, 24, 6, 19, tzinfo=UTC)),
        ("2026-11-24 06:19:23Z", datetime(2026, 11, 24, 6, 19, 23, tzinfo=UTC)),
        ("2026-11-24T07:19+01:00", datetime(2026, 11, 24, 6, 19, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    assert moment_argument(text) == moment


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        (dn_argument, ""),
        (dn_argument, "Jo"),
        (dn_argument, "/Jo"),
        (fqan_argument, "dteam"),
        (fqan_argument, ""),
        (span_argument, "240"),
        (span_argument, "0d"),
        (span_argument, "-1d"),
        (span_argument, "9999999d"),
        (span_argument, "101y"),
        (span_argument, "999999d"),
        (span_argument, "1d1h"),
        (span_argument, "١d"),
        (command_argument, ""),
        (command_argument, "'unbalanced"),
        (moment_argument, "yesterday"),
        (moment_argument, "0001-01-01T00:00+01:00"),
    ],
)
def test_anything_else_is_wrong_usage(argument: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        argument(text)


def test_times_are_shown_as_one_word_in_utc() -> None:
    assert shown_time(datetime(2026, 11, 24, 7, 19, 23, 999999, timezone(timedelta(hours=1)))) == "2026-11-24T06:19:23Z"
    assert shown_time(None) is None


def test_the_slash_form_of_what_is_no_dn_is_the_text() -> None:
    assert slash_form("CN=Jo,DC=ch") == "/DC=ch/CN=Jo"
    assert slash_form("CN=Jo,DC...") == "CN=Jo,DC..."


def test_a_command_has_the_quotes_of_a_shell_and_nothing_else_of_it() -> None:
    assert command_argument("squeue --format='%u $USER' | x") == ["squeue", "--format=%u $USER", "|", "x"]
