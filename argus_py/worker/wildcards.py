"""Wildcards of ``fnmatch(3)`` as LCMAPS has them in its map files: ``*`` and ``?`` match a slash too.

Classes as ``[[:alpha:]]`` and escapes in sets are known; a range that is none, as ``[z-a]``, matches nothing.

The pattern is turned into an automaton, so that no pattern makes a long name expensive.
"""

import re
from typing import Final

import re2

_SET: Final = re.compile(r"(?P<negated>[!^]?+)(?P<members>\]?+(?:\[:[a-z]+:\]|\\.|[^\]\\])*+)\]", re.DOTALL)
_MEMBER: Final = re.compile(r"(?P<kept>\[:[a-z]+:\]|-)|\\?(?P<literal>.)", re.DOTALL)
_QUIET: Final = re2.Options()
_QUIET.log_errors = False  # or the library writes to standard error
_SPECIAL: Final = frozenset("*?[\\")


def matches(pattern: str, text: str) -> bool:
    """Literally, or by the wildcards.

    >>> matches("/dteam/*", "/dteam/Role=pilot"), matches("/dteam/*", "/dteam")
    (True, False)
    """
    if pattern == text:
        return True
    if not _SPECIAL.intersection(pattern):
        return False
    try:
        return re2.fullmatch(_expression(pattern), text, _QUIET) is not None
    except re2.error:
        return False


def _expression(pattern: str) -> str:
    parts: list[str] = ["(?s)"]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            parts.append(".*")
        elif character == "?":
            parts.append(".")
        elif character == "[" and (found := _SET.match(pattern, position)) is not None:
            members = _MEMBER.sub(lambda m: m["kept"] or re2.escape(m["literal"]), found["members"])
            parts.append(f"[{'^' if found['negated'] else ''}{members}]")
            position = found.end()
        elif character == "\\" and position < len(pattern):
            parts.append(re2.escape(pattern[position]))
            position += 1
        else:
            parts.append(re2.escape(character))
    return "".join(parts)
