"""The history of a PAP over REST: what was changed, by whom, how it differs, and taking it back."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from argus_py.pap.ports import RevisionNotFound
from argus_py.pap.use_cases import UseCases
from argus_py.web.pap_rest.asking import Answers, Changer, Reader
from argus_py.web.pap_rest.shapes import (
    MAX_REVISION,
    ChangeBody,
    ChangeEntry,
    DifferenceBody,
    Revision,
    Strict,
    Told,
    change_entry,
    difference_body,
)

_USUAL_PAGE: Final = 50
_LONGEST_PAGE: Final = 1000


class UndoBody(Strict):
    """``revision``: of the change that is to be taken back."""

    revision: Revision


class ChangesBody(Told):
    """The newest first. ``next``: what to give for before to get the next ones, null: there are none."""

    changes: tuple[ChangeEntry, ...]
    next: int | None


class ToldChange(ChangeEntry):
    difference: DifferenceBody


def history_router(use_cases: UseCases, answers: Answers) -> APIRouter:
    router = APIRouter(tags=["history"])
    chronicle, mappings = use_cases.chronicle, answers.mappings

    @router.get("/changes")
    def list_changes(
        asked: Reader,
        before: Annotated[Revision | None, Query(description="Only changes with a lower revision.")] = None,
        limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = _USUAL_PAGE,
    ) -> ChangesBody:
        """Who has changed what."""
        found = chronicle.changes(asked, before, limit + 1)
        listed = tuple(map(change_entry, found[:limit]))
        return ChangesBody(changes=listed, next=listed[-1].revision if len(found) > limit else None)

    @router.get("/changes/{revision}")
    def get_change(asked: Reader, revision: Annotated[int, Path(ge=1, le=MAX_REVISION)]) -> ToldChange:
        """One change, and what it made different."""
        for change in chronicle.changes(asked, revision + 1, 1):
            if change.revision == revision:
                difference = chronicle.difference(asked, revision - 1, revision)
                return ToldChange(**dict(change_entry(change)), difference=difference_body(difference, mappings))
        raise RevisionNotFound(revision)

    @router.get("/differences")
    def get_difference(
        asked: Reader, older: Annotated[Revision, Query(alias="from")], newer: Annotated[Revision, Query(alias="to")]
    ) -> DifferenceBody:
        """What differs between the states after two changes; 0 is the state before the first one."""
        return difference_body(chronicle.difference(asked, older, newer), mappings)

    @router.post("/undos")
    def undo(asked: Changer, response: Response, body: UndoBody) -> ChangeBody[None]:
        """Take a change back by a new one; refused if what it changed has been changed again since."""
        return answers.of(asked, response, chronicle.undo(asked, body.revision), with_difference=True)

    return router
