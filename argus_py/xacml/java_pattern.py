r"""Java regular expressions, matched by RE2 in linear time: patterns come from policies, values from clients.

A pattern is translated construct by construct, so that RE2 accepts the same texts as ``String.matches``; whatever has
no equal in RE2 (back references, look-around, possessive quantifiers, class intersection ...) is refused, never
approximated: a pattern that matches a little more or less than its author meant permits or misses a ban.

Source: JDK java.util.regex.Pattern
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol, cast

import re2

from argus_py.errors import MalformedInput

MAX_LENGTH: Final = 4096  # characters of a pattern; a URI is hardly ever longer than 2000
_CACHED_PATTERNS: Final = 1024  # a site uses few different ones, over and over
_MEMORY: Final = 1 << 20  # octets that RE2 may use for a pattern; "[^/]{1,1000}" takes a quarter of it
SET_MEMORY: Final = 32 << 20  # and for a set of patterns; 10,000 URLs of computing elements take 10 MiB
_WHATEVER: Final = "(?s:.*)"

_ANY_CHARACTER: Final = r"[^\n\r\x{85}\x{2028}\x{2029}]"  # "." stops at all five line ends of Java
_SPACE: Final = r"\t\n\x0b\f\r "  # RE2's \s lacks U+000B
_HORIZONTAL_SPACE: Final = r" \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"
# What a backslash and a letter stand for: inside brackets this, outside the same in brackets.
_CLASSES: Final = {"d": "0-9", "w": "0-9A-Za-z_", "s": _SPACE, "h": _HORIZONTAL_SPACE}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_POSIX: Final = {
    name.capitalize(): f"[:{name}:]"
    for name in ("lower", "upper", "alpha", "digit", "alnum", "punct", "graph", "print", "blank", "cntrl", "space")
} | {"ASCII": "[:ascii:]", "XDigit": "[:xdigit:]"}
_GENERAL_CATEGORY: Final = re.compile(r"L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfo]?")

_LEADING_FLAGS: Final = re.compile(r"\(\?([is]+)\)")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})")
_PROPERTY: Final = re.compile(r"\{([A-Za-z]+)\}|([LMNPSZC])")
_CODE_POINT: Final = re.compile(r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_GROUP: Final = re.compile(r"\((?:\?:|\?<[A-Za-z][A-Za-z0-9]*>|(?!\?))")


class PatternSyntaxError(MalformedInput):
    """No Java pattern, or one that RE2 has no equal for; carries ``pattern`` and ``reason``."""

    def __init__(self, pattern: str, reason: str) -> None:
        super().__init__(f"the pattern {pattern[:200]!r} is not supported: {reason}")
        self.pattern = pattern
        self.reason = reason


class PatternsTooLarge(MalformedInput):
    """So many patterns are too many for one set."""

    def __init__(self) -> None:
        super().__init__("the patterns are too large to be matched in one pass")


class _Compiled(Protocol):
    def fullmatch(self, text: str) -> object: ...


@dataclass(frozen=True, slots=True)
class JavaPattern:
    """``literal`` is the only text that matches, if there is just one."""

    text: str
    literal: str | None = field(compare=False)
    _translated: str = field(compare=False, repr=False)
    _compiled: _Compiled = field(compare=False, repr=False)

    @classmethod
    def compile(cls, text: str) -> "JavaPattern":
        """Raises PatternSyntaxError."""
        return _compile(text)

    def matches(self, value: str) -> bool:
        """If the pattern stands for the whole value."""
        return self._compiled.fullmatch(value) is not None


class PatternSet:
    """Many patterns that are matched in one pass."""

    def __init__(self, patterns: Sequence[JavaPattern], memory: int = SET_MEMORY) -> None:
        """``memory``: octets that RE2 may use. Raises PatternsTooLarge."""
        self._size = len(patterns)
        self._compiled = re2.Set.FullMatchSet(_options(memory))
        try:
            for pattern in patterns:
                self._compiled.Add(pattern._translated)
            self._compiled.Add(_WHATEVER)
            self._compiled.Compile()
        except re2.error as error:
            raise PatternsTooLarge from error

    def matching(self, value: str) -> tuple[int, ...] | None:
        """Which of the patterns match, in no order; None if it cannot be said.

        INVARIANT: RE2 tells of no match when it runs out of memory, so one pattern that matches whatever comes is
        added: without it there is no answer.
        """
        found = self._compiled.Match(value)
        return None if not found or self._size not in found else tuple(n for n in found if n != self._size)


@lru_cache(_CACHED_PATTERNS)
def _compile(text: str) -> JavaPattern:
    if len(text) > MAX_LENGTH:
        raise PatternSyntaxError(text, f"longer than {MAX_LENGTH} characters")
    translation = _Translation(text)
    translated = translation.translate()
    try:
        compiled = cast(_Compiled, re2.compile(translated, _options(_MEMORY)))
    except re2.error as error:
        raise PatternSyntaxError(text, _words(error)) from error
    except UnicodeEncodeError:
        raise PatternSyntaxError(text, "half a surrogate pair") from None
    return JavaPattern(text, translation.literal(), translated, compiled)


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    return options


def _words(error: Exception) -> str:
    message = error.args[0]
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)


class _Translation:
    """One pass over a pattern; ``_outline`` keeps the characters that stand for themselves outside all groups."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._ignore_case = False
        self._any_character = _ANY_CHARACTER
        self._outline: list[str | None] = []  # None: anything, maybe nothing
        self._alternatives = False

    def literal(self) -> str | None:
        characters = [character for character in self._outline if character is not None]
        return None if self._alternatives or len(characters) < len(self._outline) else "".join(characters)

    def translate(self) -> str:
        self._leading_flags()
        pieces = []
        while self._at < len(self._pattern):
            pieces.append(self._piece())
        return "".join(pieces)

    def _leading_flags(self) -> None:
        flags = _LEADING_FLAGS.match(self._pattern)
        if flags:
            self._at = flags.end()
            self._ignore_case = "i" in flags[1]
            if "s" in flags[1]:
                self._any_character = r"(?s:.)"

    def _piece(self) -> str:
        character = self._pattern[self._at]
        if character in "*+?{":
            return self._quantifier()
        if character == "(":
            return self._group()
        if character == "[":
            self._note(None)
            return self._bracket()
        if character == "\\":
            return self._escape()
        self._at += 1
        if character == ".":
            self._note(None)
            return self._any_character
        if character == ")":
            self._depth -= 1
            self._note(None)
            return character
        if character == "|":
            self._alternatives = self._alternatives or self._depth == 0
            return character
        if character == "^":
            return character
        if character == "$":
            # Java's "$" also stands before a last line end, which only matters if something follows it.
            if self._pattern[self._at : self._at + 1] not in ("", ")", "|"):
                raise self._refusal("'$' is not at an end")
            return character
        return self._literal(character)

    def _quantifier(self) -> str:
        quantifier = _QUANTIFIER.match(self._pattern, self._at)
        if not quantifier or self._at == 0 or self._pattern[self._at - 1] in "^$":
            raise self._refusal("a quantifier is malformed or stands after nothing")
        self._at = quantifier.end()
        if self._depth == 0 and self._outline:
            self._outline[-1] = None
        if self._pattern.startswith("?", self._at):
            self._at += 1
            return quantifier[0] + "?"
        if self._pattern.startswith("+", self._at):
            raise self._refusal("a possessive quantifier")
        return quantifier[0]

    def _group(self) -> str:
        group = _GROUP.match(self._pattern, self._at)
        if not group:
            raise self._refusal("only plain, named and (?: ) groups are known, and (?i), (?s) at the start")
        self._at = group.end()
        self._depth += 1
        return "(?:"  # nobody asks what a group took

    def _escape(self) -> str:
        """Outside brackets."""
        letter = self._escaped_character()
        if letter == "Q":
            end = self._pattern.find("\\E", self._at)
            quoted = self._pattern[self._at : end if end >= 0 else None]
            self._at = end + 2 if end >= 0 else len(self._pattern)
            return "".join(map(self._literal, quoted))
        if letter in ("A", "z"):
            return f"\\{letter}"
        if letter in _CLASSES:
            self._note(None)
            return f"[{_CLASSES[letter]}]"
        if letter.lower() in _CLASSES:
            self._note(None)
            return f"[^{_CLASSES[letter.lower()]}]"
        if letter in ("p", "P"):
            self._note(None)
            return f"[{'^' if letter == 'P' else ''}{self._property()}]"
        return self._literal(self._character(letter))

    def _bracket(self) -> str:
        self._at += 1
        negated = self._pattern.startswith("^", self._at)
        if negated:
            self._at += 1
        if self._pattern.startswith("]", self._at):
            raise self._refusal("a bracket is empty or starts with ']'")
        members = []
        while not self._pattern.startswith("]", self._at):
            members.append(self._member())
        self._at += 1
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self) -> str:
        """One character, range or class inside brackets."""
        if self._at >= len(self._pattern):
            raise self._refusal("a bracket is not closed")
        if self._pattern.startswith("&&", self._at) or self._pattern[self._at] == "[":
            raise self._refusal("brackets within brackets, or their intersection")
        if self._pattern[self._at] == "\\":
            letter = self._escaped_character()
            if letter in _CLASSES:
                return _CLASSES[letter]
            if letter == "p":
                return self._property()
            low = self._character(letter)
        else:
            low = self._next()
        if self._pattern[self._at : self._at + 1] != "-" or self._pattern[self._at + 1 : self._at + 2] in ("]", ""):
            return self._range(low, low)
        self._at += 1
        high = self._next()
        if high == "[" or (high == "&" and self._pattern.startswith("&", self._at)):
            raise self._refusal("brackets within brackets, or their intersection")
        return self._range(low, self._character(self._next()) if high == "\\" else high)

    def _range(self, low: str, high: str) -> str:
        plain = _code_point(low) if low == high else f"{_code_point(low)}-{_code_point(high)}"
        if not self._ignore_case:
            return plain
        same_case = (low.isupper() and high.isupper()) or (low.islower() and high.islower())
        if low.isascii() and high.isascii() and low.isalpha() and high.isalpha() and same_case:
            return f"{plain}{_code_point(low.swapcase())}-{_code_point(high.swapcase())}"
        if low != high and low <= "z" and high >= "A":
            raise self._refusal("a range across letters together with (?i)")
        return plain

    def _property(self) -> str:
        r"""What follows ``\p``, as it stands inside brackets."""
        name = _PROPERTY.match(self._pattern, self._at)
        if not name or self._ignore_case:
            raise self._refusal("an unknown class of characters, or one together with (?i)")
        self._at = name.end()
        category = name[1] or name[2]
        if category in _POSIX:
            return _POSIX[category]
        if _GENERAL_CATEGORY.fullmatch(category):
            return f"\\p{{{category}}}"
        raise self._refusal(f"the class of characters {category!r} is unknown")

    def _escaped_character(self) -> str:
        self._at += 1
        return self._next()

    def _character(self, letter: str) -> str:
        """The single character that a backslash and ``letter`` (already taken) stand for."""
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        code = _CODE_POINT.match(self._pattern, self._at - 1) if letter in "xu" else None
        if code:
            self._at = code.end()
            number = int(code[1] or code[2] or code[3], 16)
            if number > 0x10FFFF:
                raise self._refusal("a code point beyond Unicode")
            return chr(number)
        if letter.isascii() and letter.isalnum():
            raise self._refusal(f"the escape '\\{letter}'")
        return letter

    def _literal(self, character: str) -> str:
        if self._ignore_case and character.isascii() and character.isalpha():
            self._note(None)
            return f"[{character.lower()}{character.upper()}]"
        self._note(character)
        return _code_point(character)

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise self._refusal("it ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def _note(self, character: str | None) -> None:
        if self._depth == 0:
            self._outline.append(character)

    def _refusal(self, reason: str) -> PatternSyntaxError:
        return PatternSyntaxError(self._pattern, f"{reason} (at character {self._at + 1})")


def _code_point(character: str) -> str:
    r"""One character for RE2, inside brackets and outside; a surrogate half stays and fails to encode."""
    if character.isascii() and not character.isalnum():
        return f"\\x{ord(character):02x}"
    return character
