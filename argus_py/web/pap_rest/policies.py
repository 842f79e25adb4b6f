"""Policies over REST: every change of what a local pap holds."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect
from argus_py.pap.administration import ANY, NewRule, Scope, pair
from argus_py.pap.editing import Beside, End, action_value, resource_value
from argus_py.pap.use_cases import UseCases
from argus_py.web.pap_rest.admission import SPL
from argus_py.web.pap_rest.asking import Answers, Changer
from argus_py.web.pap_rest.shapes import ChangeBody, Several, Strict, Text, Told
from argus_py.xacml.policy import Policy, PolicySet


class NotUtf8(MalformedInput):
    """A policy text that is no UTF-8."""

    def __init__(self, error: UnicodeDecodeError) -> None:
        super().__init__(f"the policy text is not UTF-8: {error.reason} at octet {error.start}")


class AmbiguousPlace(MalformedInput):
    """More than one place is given, none where one is needed, or one that does not go with the rest."""


class AttributeBody(Strict):
    """``name`` is an alias of the attribute mappings."""

    name: Text
    value: Text


class BanBody(Strict):
    attribute: AttributeBody
    resource: Text = ANY
    action: Text = ANY
    private: bool = False


class RuleBody(Strict):
    """For the action ``action_id``, or for the action and resource with these values, which are made if missing.

    It comes before the others, at the ``bottom``, or beside another one of the action ``action_id``.
    """

    effect: Literal["permit", "deny"]
    attributes: Annotated[Several[AttributeBody], Field(min_length=1)]
    resource: Text | None = None
    action: Text | None = None
    action_id: Text | None = None
    before: Text | None = None
    after: Text | None = None
    bottom: bool = False
    obligation: Text | None = None
    obligation_scope: Literal["resource", "action"] = "resource"


class RemovalBody(Strict):
    """All are removed, or none."""

    ids: Annotated[Several[Text], Field(min_length=1)]


class MoveBody(Strict):
    """Where the element ``id`` is to stand: either ``before`` or ``after`` one of the same kind."""

    id: Text
    before: Text | None = None
    after: Text | None = None


class ObligationBody(Strict):
    """For the resource or action ``id``."""

    id: Text
    obligation: Text


async def _policy_text(request: Request) -> str:
    if not request.headers["content-type"].lower().startswith(SPL):
        raise HTTPException(415, f"a policy text must be of the type {SPL}")
    text = await request.body()
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(error) from error


PolicyText = Annotated[str, Depends(_policy_text)]
_TAKES_SPL: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {SPL: {"schema": {"type": "string"}}}},
}


class AddedAction(Told):
    action: str | None
    id: str


class AddedResource(Told):
    resource: str | None
    id: str
    actions: tuple[AddedAction, ...]


Added = tuple[AddedResource, ...] | tuple[AddedAction, ...]


def policies_router(use_cases: UseCases, answers: Answers) -> APIRouter:
    """All of ``/paps/{alias}``."""
    router = APIRouter(prefix="/paps/{alias}", tags=["policies"])
    policies = use_cases.administration

    @router.post("/policies", openapi_extra=_TAKES_SPL)
    def add_policies(  # noqa: PLR0917 - FastAPI gives them by name
        asked: Changer,
        response: Response,
        alias: Text,
        text: PolicyText,
        before: Text | None = None,
        after: Text | None = None,
        resource_id: Text | None = None,
    ) -> ChangeBody[Added]:
        """Add the resources of a policy text, or its actions to the resource ``resource_id``."""
        place = _beside(before, after) or End.BOTTOM
        outcome = policies.add_policies(asked, alias, text, place, resource_id)
        return answers.of(asked, response, outcome.giving(_added(outcome.value)))

    @router.put("/policies", openapi_extra=_TAKES_SPL)
    def update_policy(asked: Changer, response: Response, alias: Text, id: Text, text: PolicyText) -> ChangeBody[None]:
        """Replace the resource or action ``id`` by the only element of a policy text."""
        return answers.of(asked, response, policies.update_policy(asked, alias, id, text))

    @router.delete("/policies")
    def remove_all(asked: Changer, response: Response, alias: Text) -> ChangeBody[None]:
        """Remove all policies of a pap."""
        return answers.of(asked, response, policies.remove_all(asked, alias))

    @router.post("/removals")
    def remove(asked: Changer, response: Response, alias: Text, body: RemovalBody) -> ChangeBody[None]:
        """Remove resources, actions and rules by their ids."""
        return answers.of(asked, response, policies.remove(asked, alias, body.ids))

    @router.post("/rules")
    def add_rule(asked: Changer, response: Response, alias: Text, body: RuleBody) -> ChangeBody[str]:
        """Add a rule; the result is its id."""
        rule, beside = _new_rule(body), _beside(body.before, body.after)
        if body.bottom and beside:
            raise AmbiguousPlace("give one of before, after and bottom")
        end = End.BOTTOM if body.bottom else End.TOP
        if body.action_id is not None and body.resource is None and body.action is None:
            outcome = policies.add_rule_to_action(asked, alias, rule, body.action_id, beside or end)
        elif body.resource is not None and body.action is not None and body.action_id is None and beside is None:
            outcome = policies.add_rule(asked, alias, rule, Scope(body.resource, body.action), end)
        else:
            raise AmbiguousPlace("give an action_id, with before or after, or a resource and an action")
        return answers.of(asked, response, outcome)

    @router.post("/bans")
    def ban(asked: Changer, response: Response, alias: Text, body: BanBody) -> ChangeBody[str | None]:
        """Deny everybody with an attribute; the result is the id of the action that holds the rule, null: as before."""
        banned = pair(body.attribute.name, body.attribute.value)
        outcome = policies.ban(asked, alias, banned, Scope(body.resource, body.action), body.private)
        return answers.of(asked, response, outcome)

    @router.delete("/bans")
    def unban(  # noqa: PLR0917 - FastAPI gives them by name
        asked: Changer,
        response: Response,
        alias: Text,
        attribute: Text,
        value: Text,
        resource: Text = ANY,
        action: Text = ANY,
    ) -> ChangeBody[None]:
        """Lift a ban."""
        outcome = policies.unban(asked, alias, pair(attribute, value), Scope(resource, action))
        return answers.of(asked, response, outcome)

    @router.post("/moves")
    def move(asked: Changer, response: Response, alias: Text, body: MoveBody) -> ChangeBody[None]:
        """Put a resource, an action or a rule before or after another one."""
        place = _beside(body.before, body.after)
        if place is None:
            raise AmbiguousPlace("give the id of an element, before or after which this one should stand")
        return answers.of(asked, response, policies.move(asked, alias, body.id, place))

    @router.post("/obligations")
    def add_obligation(asked: Changer, response: Response, alias: Text, body: ObligationBody) -> ChangeBody[None]:
        """Add an obligation to a resource or an action."""
        return answers.of(asked, response, policies.add_obligation(asked, alias, body.id, body.obligation))

    @router.delete("/obligations")
    def remove_obligation(
        asked: Changer, response: Response, alias: Text, id: Text, obligation: Text
    ) -> ChangeBody[None]:
        """Remove an obligation from a resource or an action."""
        return answers.of(asked, response, policies.remove_obligation(asked, alias, id, obligation))

    return router


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


def _added(elements: Sequence[PolicySet] | Sequence[Policy]) -> Added:
    actions = tuple(_added_action(each) for each in elements if isinstance(each, Policy))
    return actions or tuple(
        AddedResource(resource=resource_value(each), id=each.id, actions=tuple(map(_added_action, each.policies())))
        for each in elements
        if isinstance(each, PolicySet)
    )


def _added_action(policy: Policy) -> AddedAction:
    return AddedAction(action=action_value(policy), id=policy.id)
