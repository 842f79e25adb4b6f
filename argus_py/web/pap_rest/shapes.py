"""What requests and answers of several subjects have in common.

Texts are those that can be stored, and be sent again: without NUL and halves of surrogate pairs.
"""

from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field

from argus_py.pap.difference import hunks, text_of
from argus_py.pap.history import Change
from argus_py.pap.state import Difference
from argus_py.spl.attributes import AttributeMappings

T = TypeVar("T")
MAX_REVISION: Final = 2**53  # beyond it JSON has no exact numbers


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("there is a NUL in it")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("there is half a surrogate pair in it")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Several = Annotated[list[T], FailFast()]  # the first mistake is enough: a body has room for a million
Revision = Annotated[int, Field(ge=0, le=MAX_REVISION)]


class Strict(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Told(BaseModel):
    """The body of an answer, or a part of one."""

    model_config = ConfigDict(frozen=True)


class HunkBody(Told):
    """What differs at one ``place``; each line begins with ``-`` (before), ``+`` (after) or a blank (both)."""

    place: str
    lines: tuple[str, ...]


class DifferenceBody(Told):
    """``text``: like a unified diff, for people; ``hunks``: the same in its parts."""

    text: str
    hunks: tuple[HunkBody, ...]


class ChangeBody(Told, Generic[T]):
    """What came of a change. ``revision`` is that of the PAP now; ``changed`` false: it was so already, or a dry run.

    ``difference``: of dry runs and of what was undone; that of other changes can be read from the history.
    """

    revision: int
    changed: bool
    dry_run: bool
    result: T
    difference: DifferenceBody | None


class ChangeEntry(Told):
    """A line of the history; ``revision``: of the PAP after it. ``pap``: the alias of the one it was about, if one."""

    revision: int
    made_at: datetime
    author: str
    command: str
    pap: str | None


def change_entry(change: Change) -> ChangeEntry:
    note = change.note
    return ChangeEntry(
        revision=change.revision, made_at=change.made_at, author=note.author, command=note.command, pap=note.pap
    )


def difference_body(difference: Difference, mappings: AttributeMappings) -> DifferenceBody:
    told = hunks(difference, mappings)
    return DifferenceBody(
        text=text_of(told), hunks=tuple(HunkBody(place=each.place, lines=each.lines) for each in told)
    )
