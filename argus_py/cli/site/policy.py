"""``argus site policy-from-groupmapfile``: the policy that permits whomever a map file knows; it is printed."""

import argparse
import sys
from pathlib import Path
from typing import Final

from argus_py.cli.site.command import Call, Exit
from argus_py.errors import ConfigurationError
from argus_py.spl.group_map import MAX_LENGTH, GroupMapError, PolicyFrame, classic, derive
from argus_py.store.ban_map import read_ban_map

_STDIN: Final = "-"
_DEFAULT: Final = "/etc/grid-security/groupmapfile"


class UnreadableMapFile(ConfigurationError):
    """The map file cannot be read."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default=_DEFAULT, help="groupmapfile or grid-mapfile, - is standard input"
    )
    parser.add_argument(
        "--classic", action="store_true", help="as the script of old, octet by octet; the result may be no policy"
    )
    ours = parser.add_argument_group("not with --classic")
    ours.add_argument("--skip-unsupported", action="store_true", help="warn of lines that no rule can say, and go on")
    ours.add_argument("--ban-file", type=Path, metavar="FILE", help="ban file of LCMAPS: who is in it is denied first")
    frame = PolicyFrame()
    for name in ("resource", "action", "obligation"):
        ours.add_argument(f"--{name}", default=getattr(frame, name), help="default %(default)s")


def policy_from_groupmapfile(call: Call) -> Exit:
    """Raises ConfigurationError: a file cannot be used; BanMapUnavailable; NobodyPermitted, SplError."""
    arguments = call.arguments
    text = _text_of(arguments.file)
    if arguments.classic:
        derived = classic(text, arguments.file)
    else:
        bans = read_ban_map(arguments.ban_file) if arguments.ban_file else ()
        frame = PolicyFrame(arguments.resource, arguments.action, arguments.obligation)
        try:
            derived = derive(
                text,
                arguments.file,
                frame,
                bans=[ban.pattern for ban in bans],
                skip_unsupported=arguments.skip_unsupported,
            )
        except GroupMapError as error:
            call.warn(str(error))
            return Exit.PROBLEMS
    for problem in derived.problems:
        call.warn(f"warning: {problem}")
    call.put(derived.text)
    return Exit.FINE


def _text_of(file: str) -> str:
    """What is not UTF-8 comes out of ``--classic`` as it went in. Raises UnreadableMapFile."""
    try:
        if file == _STDIN:
            octets = sys.stdin.buffer.read(MAX_LENGTH + 1)
        else:
            with Path(file).open("rb") as opened:
                octets = opened.read(MAX_LENGTH + 1)
    except OSError as error:
        raise UnreadableMapFile(file, error.strerror or str(error)) from error
    if len(octets) > MAX_LENGTH:
        raise UnreadableMapFile(file, f"it is longer than {MAX_LENGTH} octets")
    return octets.decode("utf-8", "surrogateescape")
