"""Policies over REST: listings, pages, bans, findings, and questions."""

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect, Obligation
from argus_py.pap.bans import as_spl, as_values, for_lcmaps
from argus_py.pap.editing import action_value, is_private, resource_value
from argus_py.pap.lint import report
from argus_py.pap.listing import ListingRequest, rule_text
from argus_py.pap.paps import DEFAULT_ALIAS
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.printer import Ids
from argus_py.web.pap_rest.asking import Reader
from argus_py.web.pap_rest.shapes import Text, Told
from argus_py.xacml.policy import Policy, PolicySet

_USUAL_PAGE: Final = 500
_LONGEST_PAGE: Final = 5000  # pieces: some megabytes of JSON
_CURSOR: Final = re.compile(r"([0-9]{1,15})-([0-9]{1,9})")


class BadCursor(MalformedInput):
    """A ``text`` that no page has given for its next one."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:100]!r} is not the cursor of a page")
        self.text = text


class RuleEntry(Told):
    """``text``: in the policy language, as far as that has words for it."""

    id: str
    effect: Literal["permit", "deny"]
    text: str


class ActionEntry(Told):
    """``action`` null: the policy language has no words for its target. ``obligations``: their ids."""

    id: str
    version: str
    action: str | None
    private: bool
    description: str | None
    obligations: tuple[str, ...]
    rules: tuple[RuleEntry, ...]


class ResourceEntry(Told):
    """As an action. ``others``: the ids of what it holds besides actions."""

    id: str
    version: str
    resource: str | None
    description: str | None
    obligations: tuple[str, ...]
    actions: tuple[ActionEntry, ...]
    others: tuple[str, ...]


class PolicyPage(Told):
    """Policies of a pap at one ``revision``; elements that are longer than a page go on in the next one.

    ``total`` counts rules and elements without any; ``next`` is the cursor of the next page, null: this is the last.
    """

    revision: int
    resources: tuple[ResourceEntry, ...]
    total: int
    next: str | None


class ApplicableRule(Told):
    """``shadowed_by``: the id of a rule that is tried before and always wins."""

    pap: str
    resource_id: str
    action_id: str
    rule_id: str
    rule: str
    shadowed_by: str | None


class WhoMayBody(Told):
    """``rules`` in the order in which they are tried; ``ends``: why none is tried after them."""

    rules: tuple[ApplicableRule, ...]
    ends: str | None


class BanEntry(Told):
    """``resource`` and ``action`` are the patterns it is for. ``condition`` null: it is certain."""

    pap: str
    attribute: str
    value: str
    resource: str | None
    action: str | None
    private: bool
    certain: bool
    condition: str | None


class BansBody(Told):
    """In the order of evaluation."""

    bans: tuple[BanEntry, ...]


class LcmapsBans(Told):
    """``entries``: DNs and FQANs that are banned for certain, as LCMAPS meets them; ``comments`` tell of the others."""

    entries: tuple[str, ...]
    comments: tuple[str, ...]


class FindingEntry(Told):
    """``id``: of the element it is about; ``place``: the way to it."""

    source: str
    line: int | None
    column: int | None
    id: str | None
    place: str | None
    severity: Literal["information", "warning", "error"]
    check: str
    text: str


class FindingsBody(Told):
    findings: tuple[FindingEntry, ...]


def reading_router(use_cases: UseCases, mappings: AttributeMappings) -> APIRouter:
    router = APIRouter(tags=["policies"])
    policies, overview = use_cases.administration, use_cases.overview

    @router.get("/listing", response_class=PlainTextResponse)
    def list_policies(
        asked: Reader,
        *,
        pap: Annotated[tuple[Text, ...], Query()] = (DEFAULT_ALIAS,),
        every: bool = False,
        ids: Literal["none", "actions", "rules"] = "none",
        resource: Text | None = None,
        action: Text | None = None,
        xacml: bool = False,
    ) -> str:
        """The text of ``pap-admin list-policies``, of some paps or of every one."""
        wanted = ListingRequest(None if every else tuple(pap), Ids[ids.upper()], resource, action, xacml)
        return policies.listing(asked, wanted)

    @router.get("/paps/{alias}/policies")
    def get_policies(
        asked: Reader,
        alias: Text,
        cursor: Annotated[str | None, Query(description="What the page before has for next.")] = None,
        limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = _USUAL_PAGE,
    ) -> PolicyPage:
        """The policies of a pap as a tree, in pages of at most ``limit`` rules."""
        revision, start = _place_of(cursor)
        page = overview.page(asked, alias, start, limit, revision)
        end = start + limit
        return PolicyPage(
            revision=page.revision,
            resources=tuple(_resource_entry(each, mappings) for each in page.resources),
            total=page.total,
            next=f"{page.revision}-{end}" if end < page.total else None,
        )

    @router.get("/who-may")
    def who_may(asked: Reader, resource: Text, action: Text) -> WhoMayBody:
        """Which rules can decide a request for these values."""
        answer = policies.who_may(asked, resource, action)
        rules = tuple(
            ApplicableRule(
                pap=each.pap.alias,
                resource_id=each.resource_id,
                action_id=each.action_id,
                rule_id=each.rule.id,
                rule=each.text,
                shadowed_by=each.shadowed_by,
            )
            for each in answer.rules
        )
        return WhoMayBody(rules=rules, ends=answer.ends)

    @router.get("/bans")
    def list_bans(asked: Reader, resource: Text | None = None, action: Text | None = None) -> BansBody:
        """Who is banned, in all enabled paps, from requests for these values; from all without them."""
        return BansBody.model_validate({"bans": as_values(overview.bans(asked, resource, action))})

    @router.get("/bans/spl", response_class=PlainTextResponse)
    def export_bans(asked: Reader, resource: Text | None = None, action: Text | None = None) -> str:
        """The same as a policy file."""
        return as_spl(overview.bans(asked, resource, action))

    @router.get("/bans/lcmaps")
    def export_bans_for_lcmaps(asked: Reader, resource: Text | None = None, action: Text | None = None) -> LcmapsBans:
        """What a ban file of LCMAPS can say of it."""
        listed = for_lcmaps(overview.bans(asked, resource, action))
        return LcmapsBans(entries=listed.entries, comments=listed.comments)

    @router.get("/lint")
    def lint(asked: Reader, pap: Annotated[tuple[Text, ...] | None, Query()] = None) -> FindingsBody:
        """What is suspicious about the policies of some paps, or of the enabled ones."""
        return FindingsBody.model_validate({"findings": report.as_values(overview.lint(asked, pap))})

    return router


def _place_of(cursor: str | None) -> tuple[int | None, int]:
    """Revision and start of a page. Raises BadCursor."""
    if cursor is None:
        return None, 0
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursor(cursor)
    return int(found[1]), int(found[2])


def _resource_entry(policy_set: PolicySet, mappings: AttributeMappings) -> ResourceEntry:
    return ResourceEntry(
        id=policy_set.id,
        version=policy_set.version,
        resource=resource_value(policy_set),
        description=policy_set.description,
        obligations=_ids(policy_set.obligations),
        actions=tuple(_action_entry(policy, mappings) for policy in policy_set.policies()),
        others=tuple(child.id for child in policy_set.children if not isinstance(child, Policy)),
    )


def _action_entry(policy: Policy, mappings: AttributeMappings) -> ActionEntry:
    return ActionEntry(
        id=policy.id,
        version=policy.version,
        action=action_value(policy),
        private=is_private(policy),
        description=policy.description,
        obligations=_ids(policy.obligations),
        rules=tuple(
            RuleEntry(
                id=rule.id,
                effect="permit" if rule.effect is Effect.PERMIT else "deny",
                text=rule_text(rule, mappings),
            )
            for rule in policy.rules
        ),
    )


def _ids(obligations: Sequence[Obligation]) -> tuple[str, ...]:
    return tuple(obligation.id for obligation in obligations)
