"""What was changed, by whom, and taking it back: history, show, diff, undo.

A Java PAP keeps no history; these commands say so there.
"""

import re
from datetime import UTC
from typing import Any, Final

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command, Exit
from argus_py.cli.pap_admin.service import Difference, Impossible
from argus_py.model.dn import escape_controls
from argus_py.pap.history import Change

_REVISION: Final = re.compile(r"[0-9]{1,18}")
_USUAL_LIMIT: Final = 20


class NoSuchChange(Impossible):
    """No change has the number ``revision``."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"there is no change {revision}")
        self.revision = revision


def _revision(text: str) -> int:
    """Raises ParseError."""
    if not _REVISION.fullmatch(text):
        raise ParseError(f'"{text}" is not the number of a change, as "history" shows it')
    return int(text)


def _check_history(given: Arguments) -> None:
    if len(given.words) > 1:
        raise ParseError("Wrong number of arguments")
    _numbers(given)
    if _limit(given) < 1:
        raise ParseError("--limit is at least 1")


def _limit(given: Arguments) -> int:
    text = given.get("limit")
    if text is None:
        return _USUAL_LIMIT
    if not _REVISION.fullmatch(text):
        raise ParseError(f'"{text}" is no number (option --limit)')
    return int(text)


def _numbers(given: Arguments) -> tuple[int, ...]:
    """Raises ParseError."""
    return tuple(map(_revision, given.words))


def _history(call: Call) -> Exit:
    up_to = _numbers(call.arguments)
    changes = call.pap.changes(up_to[0] + 1 if up_to else None, _limit(call.arguments))
    if call.as_json:
        call.say_json({"changes": [_as_value(change) for change in changes]})
        return Exit.SUCCESS
    for change in changes:
        call.say(_line(change))
    return Exit.SUCCESS


def _line(change: Change) -> str:
    author, command = escape_controls(change.note.author), escape_controls(change.note.command)
    pap = "" if change.note.pap in (None, "default") else f"  (pap {change.note.pap})"
    return f"{change.revision}  {_moment(change)}  {author}  {command}{pap}"


def _moment(change: Change) -> str:
    return change.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_value(change: Change) -> dict[str, Any]:
    note = change.note
    return {
        "revision": change.revision,
        "made_at": _moment(change),
        "author": note.author,
        "command": note.command,
        "pap": note.pap,
    }


def _difference_as_value(difference: Difference) -> list[dict[str, Any]]:
    return [{"place": hunk.place, "lines": hunk.lines} for hunk in difference]


def _check_one(given: Arguments) -> None:
    if len(given.words) != 1:
        raise ParseError("Wrong number of arguments: specify the number of a change")
    if _numbers(given) == (0,):
        raise ParseError("the first change has the number 1")


def _show(call: Call) -> Exit:
    (revision,) = _numbers(call.arguments)
    found = [change for change in call.pap.changes(revision + 1, 1) if change.revision == revision]
    if not found:
        raise NoSuchChange(revision)
    difference = call.pap.difference(revision - 1, revision)
    if call.as_json:
        call.say_json(_as_value(found[0]) | {"difference": _difference_as_value(difference)})
        return Exit.SUCCESS
    call.say(_line(found[0]))
    call.tell(difference)
    return Exit.SUCCESS


def _check_two(given: Arguments) -> None:
    if len(given.words) != 2:
        raise ParseError("Wrong number of arguments: specify the numbers of two changes")
    _numbers(given)


def _diff(call: Call) -> Exit:
    older, newer = _numbers(call.arguments)
    difference = call.pap.difference(older, newer)
    if call.as_json:
        call.say_json({"difference": _difference_as_value(difference)})
    else:
        call.tell(difference)
    return Exit.SUCCESS


def _undo(call: Call) -> Exit:
    (revision,) = _numbers(call.arguments)
    difference = call.pap.undo(revision)
    if call.verbose:
        call.tell(difference)
    if not difference and not call.is_dry_run:
        call.say(f"Nothing was changed: what change {revision} did is not there any more.")
    return Exit.SUCCESS


COMMANDS = (
    Command(
        ("history",),
        "history [options] [<number>]",
        "List the changes, the newest first; with a number, from that change backwards.",
        (Option(("--limit",), f"how many, default {_USUAL_LIMIT}", "count"),),
        _history,
        _check_history,
        (("history", "who has changed what"), ("history --limit 100 --output json", "for a program")),
        tells=True,
    ),
    Command(
        ("show",),
        "show <number>",
        "Tell one change: who, when, by which command, and what is different since.",
        (),
        _show,
        _check_one,
        (("show 42", "what was change 42?"),),
        tells=True,
    ),
    Command(
        ("diff",),
        "diff <number> <number>",
        "Tell what differs between the states after two changes; 0 is the PAP before the first one.",
        (),
        _diff,
        _check_two,
        (("diff 40 42", "what changes 41 and 42 did together"),),
        tells=True,
    ),
    Command(
        ("undo",),
        "undo <number>",
        "Take back one change by a new one. Refused if something it changed was changed since.",
        (),
        _undo,
        _check_one,
        (("undo 42 --dry-run", "tell what would be put back"), ("undo 42 -v", "put it back, and tell")),
        changes=True,
    ),
)
