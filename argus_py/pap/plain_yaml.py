"""Plain YAML with the places of everything: one document of mappings, lists and texts, whatever the texts look like.

No anchors, aliases and tags: a short text cannot become a large value, and ``no`` is a word.
"""

import re
from dataclasses import dataclass
from typing import Final

import yaml

from argus_py.errors import MalformedInput

MAX_LENGTH: Final = 1024 * 1024  # characters; five thousand tests of policies
MAX_DEPTH: Final = 8  # policy tests need five

_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")  # what no output can hold


class YamlError(MalformedInput):
    """Not such a text; carries ``line`` and ``column``, counted from 1, and ``reason``."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.line = line
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Text:
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class List:
    line: int
    column: int
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Map:
    line: int
    column: int
    entries: "tuple[tuple[Text, Node], ...]"


Node = Text | List | Map


def read_yaml(text: str) -> Node:
    """Raises YamlError."""
    if len(text) > MAX_LENGTH:
        raise YamlError(1, 1, f"the text is longer than {MAX_LENGTH} characters")
    try:
        return _Building(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        raise YamlError(line, column, f"no YAML: {error.problem or error.context}") from error
    except (ValueError, OverflowError) as error:  # of chr(), for "\\U" and what no character has for a number
        raise YamlError(1, 1, "no YAML: there is an escape that stands for no character") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reason = f"no YAML: the character U+{error.character:04X} may not stand there"
        raise YamlError(line, 1, reason) from error


class _Building:
    """Goes through the events of the parser of YAML, which know their places."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Node:
        next(self._events)  # the stream starts
        event = next(self._events)
        if not isinstance(event, yaml.DocumentStartEvent):
            raise _refused(event, "the text is empty")
        node = self._node(next(self._events), 0)
        next(self._events)  # the document ends
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refused(event, "there is a second document")
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused(event, "anchors and aliases are not read here")
        if getattr(event, "tag", None) is not None:
            raise _refused(event, "tags are not read here")
        if depth > MAX_DEPTH:
            raise _refused(event, f"it is nested in more than {MAX_DEPTH} levels")
        line, column = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            if _HALF_CHARACTER.search(event.value):
                raise _refused(event, "an escape stands for half a character")
            return Text(line, column, event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(item, depth + 1))
            return List(line, column, tuple(items))
        entries: dict[str, tuple[Text, Node]] = {}
        while not isinstance(start := next(self._events), yaml.MappingEndEvent):
            key = self._node(start, depth + 1)
            if not isinstance(key, Text):
                raise _refused(start, "a key is a text")
            if key.text in entries:
                raise _refused(start, f"the key {key.text!r} is there twice")
            entries[key.text] = key, self._node(next(self._events), depth + 1)
        return Map(line, column, tuple(entries.values()))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None  # events of a text have one
    return mark.line + 1, mark.column + 1


def _refused(event: yaml.Event, reason: str) -> YamlError:
    return YamlError(*_place(event), reason)
