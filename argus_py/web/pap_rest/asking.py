"""Who asks, under which conditions; and what a change answers."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from argus_py.errors import MalformedInput
from argus_py.pap.request import Asked, Outcome
from argus_py.spl.attributes import AttributeMappings
from argus_py.web.pap_rest.admission import etag
from argus_py.web.pap_rest.shapes import ChangeBody, difference_body

T = TypeVar("T")
_TAG: Final = re.compile(r'"([0-9]{1,15})"')


class BadPrecondition(MalformedInput):
    """The ``text`` of If-Match is not one of our tags."""

    def __init__(self, text: str) -> None:
        super().__init__(f'If-Match must be "*" or one revision in double quotes, not {text[:100]!r}')
        self.text = text


async def _reader(request: Request) -> Asked:
    return Asked(request.state.admin)


async def _changer(
    request: Request,
    if_match: Annotated[
        str | None, Header(description='Change only what is at this revision, such as "42"; else 412.')
    ] = None,
    dry_run: Annotated[bool, Query(description="Change nothing, but tell what would be changed.")] = False,
) -> Asked:
    return Asked(request.state.admin, _expected(if_match), dry_run)


def _expected(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise BadPrecondition(if_match)
    return int(found[1])


Reader = Annotated[Asked, Depends(_reader)]
Changer = Annotated[Asked, Depends(_changer)]


@dataclass(frozen=True, slots=True)
class Answers:
    """Tells what came of changes."""

    mappings: AttributeMappings

    def of(
        self, asked: Asked, response: Response, outcome: Outcome[T], *, with_difference: bool = False
    ) -> ChangeBody[T]:
        """``response`` gets its headers."""
        revision = outcome.before if outcome.after is None else outcome.after
        response.headers["ETag"] = etag(revision)
        told = difference_body(outcome.difference, self.mappings) if asked.dry_run or with_difference else None
        return ChangeBody[T](
            revision=revision,
            changed=outcome.after is not None,
            dry_run=asked.dry_run,
            result=outcome.value,
            difference=told,
        )
