"""What was changed, when, by whom and by which command."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Note:
    """``author``: a DN in its readable form, or the name of a part of the PAP that acts by itself.

    ``command``: in the words of pap-admin. ``pap``: the alias of the pap it was about, None for one about none.
    """

    author: str
    command: str
    pap: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """``revision``: of the store after it. What it changed is the difference to the state of the revision before."""

    revision: int
    made_at: datetime
    note: Note
