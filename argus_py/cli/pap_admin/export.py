"""export-bans: who is banned, for programs that know nothing of policies.

A file is replaced at once and whole, and only by a list that was read without an error: else worker nodes would let in
who is banned. An empty list is believed if nothing is missing from it, a copy of a remote pap for instance.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command, Exit
from argus_py.cli.pap_admin.service import Impossible
from argus_py.errors import MalformedInput

if TYPE_CHECKING:
    from argus_py.pap.bans import Ban

_FORMATS = ("lcmaps", "spl", "json")
_READABLE = 0o644  # as the ban files of LCMAPS: worker nodes and web servers may read it


class PerhapsIncomplete(Impossible):
    """Nobody is banned, but the remote pap ``alias`` may never have been copied."""

    def __init__(self, alias: str) -> None:
        super().__init__(f"it is not replaced by an empty list: the pap {alias!r} may not have been copied yet")
        self.alias = alias


def _check(given: Arguments) -> None:
    if given.words:
        raise ParseError("Wrong number of arguments: the file is named by --output")
    if not given.has("format"):
        raise ParseError(f"--format is needed: {', '.join(_FORMATS)}")


def _export(call: Call) -> Exit:
    from argus_py.pap.bans import current_bans  # noqa: PLC0415 - start-up
    from argus_py.spl.attributes import DEFAULT_MAPPINGS  # noqa: PLC0415 - start-up

    given = call.arguments
    paps = [pap for pap in call.pap.paps() if pap.enabled]
    held = [(pap.alias, call.pap.policies(pap.alias)) for pap in paps]
    bans = current_bans(held, DEFAULT_MAPPINGS, given.get("resource"), given.get("action"))
    file = given.get("output")
    try:
        text, names_somebody = _written(bans, given.get("format"))
        if file is None:
            call.say(text, end="")
            return Exit.SUCCESS
        if not names_somebody:
            for pap, (_, resources) in zip(paps, held, strict=True):
                if not (pap.is_local or resources or call.pap.was_copied(pap)):
                    raise PerhapsIncomplete(pap.alias)
        _replace(Path(file), text)
    except (Impossible, MalformedInput, OSError) as error:
        call.complain(f"{file or 'export-bans'}: {error}")
        return Exit.FAILURE
    return Exit.SUCCESS


def _written(bans: "Sequence[Ban]", form: str | None) -> tuple[str, bool]:
    """The text, and whether it has anybody banned. Raises UnwritableBan."""
    from argus_py.pap.bans import as_spl, as_values, for_lcmaps  # noqa: PLC0415 - start-up
    from argus_py.store.ban_map import format_ban_map, literal_pattern  # noqa: PLC0415 - start-up

    if form == "json":
        return f"{json.dumps({'bans': as_values(bans)}, indent=2)}\n", bool(bans)
    if form == "spl":
        return as_spl(bans), bool(bans)
    listed = for_lcmaps(bans)
    patterns = [literal_pattern(entry) for entry in listed.entries]
    return format_ban_map(patterns, listed.comments), bool(patterns)


def _replace(path: Path, text: str) -> None:
    """Raises OSError: the file is what it was."""
    from argus_py.store.whole_file import replace_file  # noqa: PLC0415 - start-up

    replace_file(path, text.encode("utf-8", "surrogateescape"), _READABLE)


COMMANDS = (
    Command(
        ("export-bans",),
        "export-bans --format (lcmaps | spl | json) [--output <file>]",
        "Tell who is banned, for the ban plug-ins of LCMAPS, as a policy file, or as JSON.\n"
        "What is no certain ban, since a rule before it may permit, is told in comments.",
        (
            Option(("--format",), "what is written", "form", choices=_FORMATS),
            Option(("--output",), "this file instead of standard output; what fails leaves it as it is", "file"),
            Option(("-r", "--resource"), "for requests about this resource, as they name it", "value"),
            Option(("-a", "--action"), "for this action, as requests name it", "value"),
        ),
        _export,
        _check,
        (
            ("export-bans --format lcmaps --output /etc/lcmaps/ban_users.db", "for worker nodes, by cron"),
            ("export-bans --format json --resource wn --action execute", "who may not run jobs"),
        ),
    ),
)
