"""The REST interface of the PAP: one request per command of the administrator, one transaction per request.

Mounted below ``/pap/rest/v1``. Bodies are JSON, policies and listings are text. A refusal is JSON with ``error`` (the
name of the cause, for programs), ``message`` (for people) and ``problems`` (line, column, text) of a policy text.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope

from argus_py import __version__
from argus_py.errors import ArgusError, MalformedInput
from argus_py.model.response import Effect
from argus_py.pap import administration
from argus_py.pap.administration import Administration, NewRule, pair
from argus_py.pap.authorization import Admin
from argus_py.pap.editing import Beside, End, action_value, resource_value
from argus_py.pap.listing import ListingRequest
from argus_py.pap.paps import DEFAULT_ALIAS
from argus_py.spl.errors import SplError
from argus_py.spl.printer import Ids
from argus_py.web.answers import status_and_text
from argus_py.xacml.document import made_fit
from argus_py.xacml.policy import Policy, PolicySet

_log = logging.getLogger(__name__)

BODY_LIMIT: Final = 8 * 1024 * 1024  # a policy text of some 80,000 rules; read into memory before it is parsed


class NotUtf8(MalformedInput):
    """A policy text that is no UTF-8."""

    def __init__(self, error: UnicodeDecodeError) -> None:
        super().__init__(f"the policy text is not UTF-8: {error.reason} at octet {error.start}")


class AmbiguousPlace(MalformedInput):
    """More than one place is given, none where one is needed, or one that does not go with the rest."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AttributeBody(_Strict):
    """``name`` is an alias of the attribute mappings."""

    name: str
    value: str


class BanBody(_Strict):
    attribute: AttributeBody
    resource: str = administration.ANY
    action: str = administration.ANY
    private: bool = False


class RuleBody(_Strict):
    """For the action ``action_id``, or for the action and resource with these values, which are made if missing."""

    effect: Literal["permit", "deny"]
    attributes: Annotated[list[AttributeBody], Field(min_length=1)]
    resource: str | None = None
    action: str | None = None
    action_id: str | None = None
    before: str | None = None
    after: str | None = None
    bottom: bool = False
    obligation: str | None = None
    obligation_scope: Literal["resource", "action"] = "resource"


class RemovalBody(_Strict):
    ids: Annotated[list[str], Field(min_length=1)]


class MoveBody(_Strict):
    id: str
    before: str | None = None
    after: str | None = None


class ObligationBody(_Strict):
    id: str
    obligation: str


def pap_rest(service: Administration, admin_of: Callable[[Scope], Admin]) -> APIRouter:
    """``admin_of`` says who is on the other side of a connection; it raises CredentialRejected for nobody."""
    router = APIRouter(route_class=_Route)

    @router.get("/ping")
    def ping() -> JSONResponse:
        return JSONResponse({"service": "Argus PAP", "version": __version__})

    @router.get("/policies", response_class=PlainTextResponse)
    def list_policies(
        request: Request,
        *,
        pap: Annotated[tuple[str, ...], Query()] = (DEFAULT_ALIAS,),
        every: bool = False,
        ids: Literal["none", "actions", "rules"] = "none",
        resource: str | None = None,
        action: str | None = None,
        xacml: bool = False,
    ) -> PlainTextResponse:
        wanted = ListingRequest(None if every else tuple(pap), Ids[ids.upper()], resource, action, xacml)
        return PlainTextResponse(service.listing(admin_of(request.scope), wanted))

    @router.get("/who-may")
    def who_may(request: Request, resource: str, action: str) -> JSONResponse:
        answer = service.who_may(admin_of(request.scope), resource, action)
        rules = [
            {
                "pap": rule.pap.alias,
                "resource_id": rule.resource_id,
                "action_id": rule.action_id,
                "rule_id": rule.rule.id,
                "rule": rule.text,
                "shadowed_by": rule.shadowed_by,
            }
            for rule in answer.rules
        ]
        return JSONResponse({"rules": rules, "ends": answer.ends})

    @router.post("/paps/{alias}/policies")
    def add_policies(
        request: Request,
        *,
        alias: str,
        text: Annotated[bytes, Body(media_type="text/plain")],
        before: str | None = None,
        after: str | None = None,
        resource_id: str | None = None,
    ) -> JSONResponse:
        place = _beside(before, after) or End.BOTTOM
        added = service.add_policies(admin_of(request.scope), alias, _decoded(text), place, resource_id)
        return JSONResponse([_described(element) for element in added], 201)

    @router.put("/paps/{alias}/policies/{id}")
    def update_policy(
        request: Request, *, alias: str, id: str, text: Annotated[bytes, Body(media_type="text/plain")]
    ) -> Response:
        service.update_policy(admin_of(request.scope), alias, id, _decoded(text))
        return Response(status_code=204)

    @router.delete("/paps/{alias}/policies")
    def remove_all(request: Request, alias: str) -> Response:
        service.remove_all(admin_of(request.scope), alias)
        return Response(status_code=204)

    @router.post("/paps/{alias}/removals")
    def remove(request: Request, alias: str, body: RemovalBody) -> Response:
        service.remove(admin_of(request.scope), alias, body.ids)
        return Response(status_code=204)

    @router.post("/paps/{alias}/rules")
    def add_rule(request: Request, alias: str, body: RuleBody) -> JSONResponse:
        admin, rule = admin_of(request.scope), _new_rule(body)
        beside = _beside(body.before, body.after)
        if body.bottom and beside:
            raise AmbiguousPlace("give one of before, after and bottom")
        end = End.BOTTOM if body.bottom else End.TOP
        if body.action_id is not None and body.resource is None and body.action is None:
            id = service.add_rule_to_action(admin, alias, rule, body.action_id, beside or end)
        elif body.resource is not None and body.action is not None and body.action_id is None and beside is None:
            id = service.add_rule(admin, alias, rule, administration.Scope(body.resource, body.action), end)
        else:
            raise AmbiguousPlace("give an action_id, with before or after, or a resource and an action")
        return JSONResponse({"id": id}, 201)

    @router.post("/paps/{alias}/bans")
    def ban(request: Request, alias: str, body: BanBody) -> JSONResponse:
        banned = pair(body.attribute.name, body.attribute.value)
        scope = administration.Scope(body.resource, body.action)
        changed = service.ban(admin_of(request.scope), alias, banned, scope, body.private)
        return JSONResponse({"changed": changed}, 201 if changed else 200)

    @router.delete("/paps/{alias}/bans")
    def unban(
        request: Request,
        *,
        alias: str,
        attribute: str,
        value: str,
        resource: str = administration.ANY,
        action: str = administration.ANY,
    ) -> Response:
        scope = administration.Scope(resource, action)
        service.unban(admin_of(request.scope), alias, pair(attribute, value), scope)
        return Response(status_code=204)

    @router.post("/paps/{alias}/moves")
    def move(request: Request, alias: str, body: MoveBody) -> Response:
        place = _beside(body.before, body.after)
        if place is None:
            raise AmbiguousPlace("give the id of an element, before or after which this one should stand")
        service.move(admin_of(request.scope), alias, body.id, place)
        return Response(status_code=204)

    @router.post("/paps/{alias}/obligations")
    def add_obligation(request: Request, alias: str, body: ObligationBody) -> Response:
        service.add_obligation(admin_of(request.scope), alias, body.id, body.obligation)
        return Response(status_code=201)

    @router.delete("/paps/{alias}/obligations")
    def remove_obligation(request: Request, alias: str, id: str, obligation: str) -> Response:
        service.remove_obligation(admin_of(request.scope), alias, id, obligation)
        return Response(status_code=204)

    return router


class _Route(APIRoute):
    """A route that reads no more than BODY_LIMIT and answers every failure of the kinds in ``errors``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(Request(request.scope, _limited(request.receive)))
            except RequestValidationError as error:
                return _refusal(400, "MalformedRequest", "; ".join(map(_validation_text, error.errors())))
            except HTTPException as error:
                return _refusal(error.status_code, "MalformedRequest", str(error.detail))
            except ArgusError as error:
                status, text = status_and_text(error)
                _log.warning("%s %s refused: %s", request.method, request.url.path, error)
                return _refusal(status, type(error).__name__, text, error)

        return answer


def _limited(receive: Receive) -> Receive:
    left = BODY_LIMIT

    async def receive_within_limit() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"the body is larger than {BODY_LIMIT} octets")
        return message

    return receive_within_limit


def _refusal(status: int, error: str, message: str, cause: ArgusError | None = None) -> JSONResponse:
    problems = cause.problems if isinstance(cause, SplError) else ()
    listed = [{"line": problem.line, "column": problem.column, "text": made_fit(problem.text)} for problem in problems]
    return JSONResponse({"error": error, "message": made_fit(message), "problems": listed}, status)


def _validation_text(error: dict[str, Any]) -> str:
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(error) from error


def _beside(before: str | None, after: str | None) -> Beside | None:
    if before is not None and after is not None:
        raise AmbiguousPlace("give one of before and after")
    if before is not None:
        return Beside(before)
    return Beside(after, after=True) if after is not None else None


def _new_rule(body: RuleBody) -> NewRule:
    return NewRule(
        Effect.PERMIT if body.effect == "permit" else Effect.DENY,
        tuple(pair(attribute.name, attribute.value) for attribute in body.attributes),
        body.obligation,
        obligation_on_action=body.obligation_scope == "action",
    )


def _described(element: PolicySet | Policy) -> dict[str, Any]:
    if isinstance(element, Policy):
        return {"action": action_value(element), "id": element.id}
    actions = [_described(policy) for policy in element.policies()]
    return {"resource": resource_value(element), "id": element.id, "actions": actions}
