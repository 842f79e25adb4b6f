"""Values that hardly say what was meant: patterns that match more or less, stars that are none, contradictions."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final

from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.pap.conditions import Condition, may_meet, vo_of
from argus_py.pap.lint.findings import Check, Finding
from argus_py.pap.lint.readings import ReadRule, ReadTarget
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.functions import PATTERN_FUNCTIONS
from argus_py.xacml.policy import AttributeSelector, Match

# Names that were never anything else: nobody has a resource or an action that differs from one in its dots alone.
_WELL_KNOWN: Final = ("http://authz-interop.org/xacml/", "http://glite.org/xacml/")
_BRACKETS_OR_ESCAPE: Final = re.compile(r"\[[^\]]*\]|\\.")
_DOT: Final = re.compile(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z0-9])")
_STAR_OF_ONE: Final = re.compile(r"(?<![.\])}])\*")
_UNFINISHED: Final = ("/", ":", "=", "&")
_WITHOUT_WILDCARDS: Final = {
    Glite.VIRTUAL_ORGANIZATION,
    DciSec.VIRTUAL_ORGANIZATION,
    DciSec.GROUP,
    DciSec.PRIMARY_GROUP,
    DciSec.ROLE,
    DciSec.PRIMARY_ROLE,
}
_NAME_OF_ANY_HOST: Final = re.compile(r"=\*\.")  # certificates do have such names
# What a request of a PEP daemon has one value of.
_SINGLE: Final = (
    AttributeId.SUBJECT_ID,
    AttributeId.RESOURCE_ID,
    AttributeId.ACTION_ID,
    Glite.VIRTUAL_ORGANIZATION,
    Glite.PRIMARY_FQAN,
    Glite.X509_SUBJECT_ISSUER,
    DciSec.X509_SUBJECT_ISSUER,
    DciSec.PRIMARY_GROUP,
)


def check_values(target: ReadTarget, mappings: AttributeMappings) -> Iterator[Finding]:
    """Each match of a target by itself."""
    if not target.values_told:
        for match, reason in target.demand.unreadable:
            text = f"{told(match, mappings)} cannot be read, which is an error for whoever comes here: {reason}"
            yield Finding(Check.UNREADABLE, target.place, text)
    matches = (match for part in target.target.parts for alternative in part for match in alternative)
    for match in matches:
        check = _check_pattern if match.function in PATTERN_FUNCTIONS else _check_text
        for kind, text in check(match):
            yield Finding(kind, target.place, f"{told(match, mappings)} {text}")


def _check_pattern(match: Match) -> Iterator[tuple[Check, str]]:
    pattern = match.value.text
    bare = _BRACKETS_OR_ESCAPE.sub("", pattern)
    if _DOT.search(bare) and not pattern.startswith(_WELL_KNOWN):
        yield Check.LOOSE_DOT, "has dots that match any character; a dot alone is [.]"
    if _STAR_OF_ONE.search(pattern):
        yield Check.LOOSE_STAR, "has a star that repeats the character before it; anything is .*"
    if pattern.endswith(_UNFINISHED):
        yield Check.UNFINISHED_PATTERN, "matches nothing that goes on behind it; write .* there if that is meant"


def _check_text(match: Match) -> Iterator[tuple[Check, str]]:
    text = match.value.text
    if "*" not in text:
        return
    if match.value.datatype == DataType.X500_NAME:
        if not _NAME_OF_ANY_HOST.search(text):
            yield Check.LITERAL_STAR, "has a star, which stands for itself: names have no wildcards"
    elif match.function == Glite.FQAN_MATCH:
        yield (
            Check.LITERAL_STAR,
            "never matches: FQANs have no wildcards here; vo is for all of a VO",
        )
    elif not isinstance(match.designator, AttributeSelector) and match.designator.attribute_id in _WITHOUT_WILDCARDS:
        yield Check.LITERAL_STAR, "never matches: the star stands for itself"


def check_contradiction(rule: ReadRule, mappings: AttributeMappings) -> Iterator[Finding]:
    """One at most: a rule that cannot apply is wrong whatever else is."""
    found = _exclusive(rule.demand.conditions)
    if found is not None:
        one, other = sorted(told(each.match, mappings) for each in found)
        yield Finding(Check.CONTRADICTION, rule.place, f"it never applies: {one} excludes {other}")


def _exclusive(conditions: Iterable[Condition]) -> tuple[Condition, Condition] | None:
    by_attribute: dict[str, list[Condition]] = {}
    for each in sorted(conditions, key=lambda each: each.match.value.text):
        designator = each.match.designator
        if not isinstance(designator, AttributeSelector):
            by_attribute.setdefault(designator.attribute_id, []).append(each)
    for attribute_id in _SINGLE:
        for one, other in combinations(by_attribute.get(attribute_id, ()), 2):
            if not may_meet(one, other):
                return one, other
    for vo in by_attribute.get(Glite.VIRTUAL_ORGANIZATION, ()):
        for fqan in (*by_attribute.get(Glite.PRIMARY_FQAN, ()), *by_attribute.get(Glite.FQAN, ())):
            if isinstance(fqan.wanted, Fqan) and isinstance(vo.wanted, str) and vo_of(fqan.wanted) != vo.wanted:
                return vo, fqan
    return None


def told(match: Match, mappings: AttributeMappings) -> str:
    """As in the policy language."""
    return f'{told_attribute(match, mappings)}="{match.value.text}"'


def told_attribute(match: Match, mappings: AttributeMappings) -> str:
    """By its name in the policy language, if it has one."""
    designator = match.designator
    if isinstance(designator, AttributeSelector):
        return designator.path
    mapping = mappings.of_attribute(designator.attribute_id)
    return designator.attribute_id if mapping is None else mapping.name
