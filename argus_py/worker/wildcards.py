"""Wildcards of ``fnmatch(3)`` as LCMAPS has them in its map files: ``*`` and ``?`` match a slash too.

The pattern is turned into an automaton, so that no pattern makes a long name expensive.
"""

from typing import Final

import re2

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
        return re2.fullmatch(_expression(pattern), text) is not None
    except re2.error:
        return False  # a range that is none, as [z-a], matches nothing


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
        elif character == "[" and (end := _end_of_set(pattern, position)) is not None:
            parts.append(_set(pattern[position:end]))
            position = end + 1
        elif character == "\\" and position < len(pattern):
            parts.append(re2.escape(pattern[position]))
            position += 1
        else:
            parts.append(re2.escape(character))
    return "".join(parts)


def _end_of_set(pattern: str, begin: int) -> int | None:
    """Where the "]" is; one at the very beginning stands for itself."""
    first = begin + (pattern[begin : begin + 1] in ("!", "^"))
    end = pattern.find("]", first + 1)
    return None if end < 0 else end


def _set(content: str) -> str:
    negated = content[:1] in ("!", "^")
    members = content[1:] if negated else content
    escaped = members.replace("\\", "\\\\").replace("]", "\\]").replace("[", "\\[").replace("^", "\\^")
    return f"[{'^' if negated else ''}{escaped}]"
