"""ASGI around the REST interface of a PAP: who is let in, with how much, and what answers carry.

All this is settled before the body of a request is read: that the caller is known and may do anything at all, how long
the body may be, and that it is declared as what is read here. A browser sends nothing of these kinds to another site
without asking there first, so that no page can use the certificate of its reader.

Answers to GET carry the revision of the store as their ETag, asked for before they are made: what is newer than its tag
is only sent once more than needed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from argus_py.errors import ArgusError, NotPermitted
from argus_py.model.trail import REQUEST_ID
from argus_py.pap.authorization import Act, Admin
from argus_py.web.pap_rest.problem import Cause, details, refusal
from argus_py.web.pap_services import Callers

_log = logging.getLogger(__name__)

TEXT_LIMIT: Final = 8 * 1024 * 1024  # octets: a policy text of some 80,000 rules; read into memory before it is parsed
BODY_LIMIT: Final = 1 << 20  # of anything else, and of those who may not add policies: ids of some 20,000 elements
JSON: Final = "application/json"
SPL: Final = "application/vnd.argus.spl"
OPEN_PATHS: Final = ("/ping", "/openapi.json")
_WITH_BODY: Final = ("POST", "PUT")
_OWN_COPY: Final = "private, no-cache"  # kept by the caller alone, and only used when we say that it is still right


class NothingPermitted(NotPermitted):
    """The ``admin`` may do nothing at all here."""

    def __init__(self, admin: Admin) -> None:
        super().__init__(f"Insufficient privileges: {admin.dn.readable()} has no permission on this PAP")
        self.admin = admin


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who has been let in, with how many octets, when the store was at which revision."""

    admin: Admin
    limit: int
    revision: int


class Admission:
    """``revision`` is that of the store; it raises Unavailable."""

    def __init__(self, app: ASGIApp, callers: Callers, revision: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._app = app
        self._callers = callers
        self._revision = revision
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id()
        REQUEST_ID.set(request_id)  # in the context of this request, which ends with it
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        if scope["path"].removeprefix(scope.get("root_path", "")) in OPEN_PATHS:
            await self._app(scope, receive, _answering(scope, send, None))
            return
        try:
            admitted = await anyio.to_thread.run_sync(self._admit, scope)
        except ArgusError as error:
            _log.warning("%s %s refused: %s", scope["method"], scope["path"], error)
            await refusal(error, request_id)(scope, receive, _answering(scope, send, None))
            return
        state["admin"] = admitted.admin
        problem = _unreadable(scope, admitted.limit, request_id)
        app = problem or self._app
        await app(scope, _limited(receive, admitted.limit), _answering(scope, send, admitted.revision))

    def _admit(self, scope: Scope) -> Admitted:
        """Raises CredentialRejected, NothingPermitted, Unavailable."""
        admin = self._callers.admin_of(scope)
        granted = self._callers.gate.permissions_of(admin)
        if not granted:
            raise NothingPermitted(admin)
        is_text = _media_type(Headers(scope=scope)) == SPL
        limit = TEXT_LIMIT if is_text and Act.ADD_POLICIES.needs in granted else BODY_LIMIT
        return Admitted(admin, limit, self._revision())


def _unreadable(scope: Scope, limit: int, request_id: str) -> Response | None:
    """What is wrong with a request as its head tells it."""
    headers = Headers(scope=scope)
    if scope["method"] in _WITH_BODY and _media_type(headers) not in (JSON, SPL):
        return details(415, Cause.WRONG_TYPE, f"the body must be of the type {JSON}, or {SPL}", request_id)
    if int(headers.get("content-length", "0")) > limit:
        return _too_large(limit, request_id)
    return None


def _too_large(limit: int, request_id: str) -> Response:
    return details(413, Cause.TOO_LARGE, f"the body is larger than {limit} octets", request_id, {"Connection": "close"})


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _limited(receive: Receive, limit: int) -> Receive:
    left = limit

    async def receive_within_limit() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"the body is larger than {limit} octets", {"Connection": "close"})
        return message

    return receive_within_limit


def etag(revision: int) -> str:
    return f'"{revision}"'


def _answering(scope: Scope, send: Send, revision: int | None) -> Send:
    """``revision`` None: the answer has nothing to do with it."""
    known = Headers(scope=scope).get("if-none-match", "")
    tag = None if revision is None or scope["method"] != "GET" else etag(revision)
    is_known = tag is not None and (known.strip() == "*" or tag in map(_strong, known.split(",")))
    silent = False

    async def send_answer(message: Message) -> None:
        nonlocal silent
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if tag is not None and message["status"] == 200 and "cache-control" not in headers:
                headers["ETag"] = tag
                headers["Cache-Control"] = _OWN_COPY
                silent = is_known
            headers.setdefault("Cache-Control", "no-store")
            if silent:
                message["status"] = 304
                del headers["content-length"], headers["content-type"]
        elif silent:
            message["body"] = b""
        await send(message)

    return send_answer


def _strong(tag: str) -> str:
    """Whether the octets are the same is all the same to a cache."""
    return tag.strip().removeprefix("W/")
