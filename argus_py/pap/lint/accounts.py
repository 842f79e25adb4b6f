"""Permitted FQANs for which the map files of the PEP daemon have no line: a Permit that ends as an error."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DciSec, Glite
from argus_py.pap.conditions import Condition
from argus_py.pap.lint.findings import Check, Finding
from argus_py.pap.lint.readings import ReadRule
from argus_py.xacml.functions import FunctionUri
from argus_py.xacml.policy import AttributeDesignator

_ASKING_FOR_AN_ACCOUNT: Final = {Glite.LOCAL_ENVIRONMENT_MAP, DciSec.MAP_LOCAL_USER}


class Accounts(Protocol):
    """The map files. ``subject`` None: somebody whom no line names."""

    def has_account(self, subject: DistinguishedName | None, fqan: Fqan) -> bool: ...

    def has_group(self, subject: DistinguishedName | None, fqan: Fqan) -> bool: ...


def check_accounts(rules: Iterable[ReadRule], accounts: Accounts) -> Iterator[Finding]:
    """Of each FQAN once, at the first rule that permits it under an account.

    Of a VO only its own group is tried: which others there are and which roles is not known here.
    """
    seen: set[tuple[DistinguishedName | None, Fqan]] = set()
    for rule in rules:
        if not rule.permits or not _asks_for_an_account(rule):
            continue
        subject = _subject(rule.demand.conditions)
        for fqan in _primary_fqans(rule.demand.conditions):
            if (subject, fqan) in seen:
                continue
            seen.add((subject, fqan))
            if not accounts.has_account(subject, fqan):
                yield Finding(Check.NO_ACCOUNT, rule.place, f"the account map has no line for {fqan}")
            elif not accounts.has_group(subject, fqan):
                yield Finding(Check.NO_GROUP, rule.place, f"the group map has no line for {fqan}")


def _asks_for_an_account(rule: ReadRule) -> bool:
    of_resource = () if rule.resource is None else rule.resource.obligations
    return any(obligation.id in _ASKING_FOR_AN_ACCOUNT for obligation in (*of_resource, *rule.action.obligations))


def _primary_fqans(conditions: Iterable[Condition]) -> tuple[Fqan, ...]:
    """Of those whom a rule permits, as far as it tells: the primary FQAN, else any one, else the group of the VO."""
    found: dict[str, list[Fqan]] = {}
    for condition in conditions:
        designator, wanted = condition.match.designator, condition.wanted
        if not isinstance(designator, AttributeDesignator):
            continue
        if isinstance(wanted, Fqan):
            found.setdefault(designator.attribute_id, []).append(wanted)
        elif designator.attribute_id in (Glite.VIRTUAL_ORGANIZATION, DciSec.VIRTUAL_ORGANIZATION):
            found.setdefault(Glite.VIRTUAL_ORGANIZATION, []).extend(_group_of(str(wanted)))
    for attribute_id in (Glite.PRIMARY_FQAN, Glite.FQAN, Glite.VIRTUAL_ORGANIZATION):
        if attribute_id in found:
            return tuple(sorted(found[attribute_id], key=str))
    return ()


def _group_of(vo: str) -> tuple[Fqan, ...]:
    try:
        return (Fqan.parse(f"/{vo}"),)
    except MalformedInput:
        return ()


def _subject(conditions: Iterable[Condition]) -> DistinguishedName | None:
    for condition in conditions:
        match = condition.match
        if not isinstance(match.designator, AttributeDesignator) or match.function != FunctionUri.X500_NAME_EQUAL:
            continue
        if match.designator.attribute_id == AttributeId.SUBJECT_ID:
            return DistinguishedName.parse_rfc2253(match.value.text)
    return None
