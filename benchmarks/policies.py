"""The two policies that are measured, in the language administrators write them, and requests about them.

``thousand_resources``: 500 computing elements that permit and 500 that deny, each for one VO group and with an account
mapping. ``ten_thousand_bans``: that many banned subjects in front of 100 computing elements.
"""

import itertools

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.history import Note
from argus_py.pap.paps import DEFAULT_ALIAS, by_alias
from argus_py.pap.provisioning import root
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import PolicySet

GROUP = "/dteam"
ACTION = "submit"
SUBJECT = "CN=Load User 1,DC=argus-demo,DC=org"

_RESOURCE = """\
resource "{name}" {{
    obligation "http://glite.org/xacml/obligation/local-environment-map" {{ }}
    action "submit" {{ rule {effect} {{ pfqan="/dteam" }} }}
}}
"""
_BANS = """\
resource "{resource}" {{
    action ".*" {{
{rules}
    }}
}}
"""


def thousand_resources() -> str:
    """``ce1_000`` to ``ce1_499`` permit, ``ce2_000`` to ``ce2_499`` deny."""
    return _resources("ce1", "permit", 500) + _resources("ce2", "deny", 500)


def ten_thousand_bans() -> str:
    """Nobody with a number as common name, on whatever; then ``ce1_000`` to ``ce1_099`` permit."""
    return bans(10_000) + _resources("ce1", "permit", 100)


def bans(count: int) -> str:
    """In one action, on whatever."""
    return _BANS.format(resource=".*", rules=_deny(range(count)))


def spread_bans(count: int) -> str:
    """Ten in each of the actions, with one action in each resource."""
    numbers = range(0, count, 10)
    return "".join(_BANS.format(resource=f"ce_{first}", rules=_deny(range(first, first + 10))) for first in numbers)


def _deny(numbers: range) -> str:
    return "\n".join(f'        rule deny {{ subject="{banned(number)}" }}' for number in numbers)


def banned(number: int) -> str:
    return f"CN={number},OU=Banned,O=Example,C=CH"


def _resources(prefix: str, effect: str, count: int) -> str:
    return "".join(_RESOURCE.format(name=f"{prefix}_{number:03d}", effect=effect) for number in range(count))


def policy_tree(text: str) -> PolicySet:
    """What a PDP gets from a PAP with this policy file."""
    numbers = itertools.count()

    def new_id() -> str:
        return f"{next(numbers):036d}"  # as long as a UUID, and the same in every run

    repository = MemoryPolicies()
    ensure_default_pap(repository, new_id)
    resources = [each for each in lower(parse(text), DEFAULT_MAPPINGS, new_id) if isinstance(each, PolicySet)]
    with repository.change(Note("benchmark", "add-policies-from-file")) as writer:
        writer.store(by_alias(writer.paps(), DEFAULT_ALIAS), tuple(resources))
    with repository.read() as reader:
        return root(reader)


def request(resource: str, subject: str = SUBJECT) -> Request:
    """As the PEP daemon asks after it has verified proxy and attribute certificate."""
    attributes = (
        Attribute(AttributeId.SUBJECT_ID, (subject,), DataType.X500_NAME),
        Attribute(Glite.VIRTUAL_ORGANIZATION, ("dteam",)),
        Attribute(Glite.PRIMARY_FQAN, (GROUP,), DataType.FQAN),
        Attribute(Glite.FQAN, (GROUP, f"{GROUP}/analysis"), DataType.FQAN),
    )
    return Request(
        (Subject(attributes),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (ACTION,)),)),
    )


def pilot_request(resource: str, action: str, subject: str, vo: str, fqans: tuple[str, ...]) -> Request:
    """All that the profile point for gLite services adds: issuers, and the profile, too."""
    issuers = ("CN=Example Grid CA,O=Example,C=CH", "CN=Example Root CA,O=Example,C=CH")
    attributes = (
        Attribute(AttributeId.SUBJECT_ID, (subject,), DataType.X500_NAME),
        Attribute(Glite.SUBJECT_ISSUER, issuers, DataType.X500_NAME),
        Attribute(Glite.X509_SUBJECT_ISSUER, issuers[:1], DataType.X500_NAME),
        Attribute(Glite.VIRTUAL_ORGANIZATION, (vo,)),
        Attribute(Glite.PRIMARY_FQAN, fqans[:1], DataType.FQAN),
        Attribute(Glite.FQAN, fqans, DataType.FQAN),
    )
    profile = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_COMPUTE_ELEMENT,), DataType.ANY_URI)
    return Request(
        (Subject(attributes),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (action,)),)),
        Environment((profile,)),
    )
