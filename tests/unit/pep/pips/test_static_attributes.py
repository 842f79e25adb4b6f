from dataclasses import replace
from datetime import UTC, datetime

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.pips.static_attributes import StaticAttributes
from argus_py.pep.ports import PipError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SITE, CLAIM, OTHER = Attribute("site", ("here",)), Attribute("site", ("elsewhere",), "other"), Attribute("b", ("2",))
EVERYWHERE = StaticAttributes((SITE,), (SITE,), (SITE,), (SITE,))


def test_attributes_are_added_to_every_part_and_parts_are_made_for_them() -> None:
    assert EVERYWHERE.enrich(Request(), NOW) == Request(
        (Subject((SITE,)),), (Resource((SITE,)),), Action((SITE,)), Environment((SITE,))
    )
    assert StaticAttributes().enrich(Request(), NOW) == Request()


def test_what_a_client_says_by_the_same_identifier_gives_way() -> None:
    sent = Request(
        (Subject((CLAIM, OTHER), "c"),), (Resource((CLAIM,), "text"),), Action((OTHER, CLAIM)), Environment((CLAIM,))
    )
    assert EVERYWHERE.enrich(sent, NOW) == Request(
        (Subject((OTHER, SITE), "c"),), (Resource((SITE,), "text"),), Action((OTHER, SITE)), Environment((SITE,))
    )


def test_several_values_of_the_site_itself_stay_together() -> None:
    twice = (SITE, Attribute("site", ("there",), issuer="me"))
    assert StaticAttributes(environment=twice).enrich(Request(), NOW).environment == Environment(twice)


@pytest.mark.parametrize("shared", [AttributeId.SUBJECT_ID, AttributeId.KEY_INFO, Glite.FQAN])
def test_what_certificates_prove_is_added_to(shared: str) -> None:
    proven, own = Attribute(shared, ("proven",), DataType.X500_NAME), Attribute(shared, ("site",))
    enriched = StaticAttributes(subject=(own,)).enrich(Request((Subject((proven,)),)), NOW)
    assert enriched.subjects == (Subject((proven, own)),)


def test_what_is_asked_for_is_added_to() -> None:
    resource, action = Attribute(AttributeId.RESOURCE_ID, ("ce",)), Attribute(AttributeId.ACTION_ID, ("submit",))
    own = replace(resource, values=("site",)), replace(action, values=("any",))
    enriched = StaticAttributes(resource=own[:1], action=own[1:]).enrich(
        Request(resources=(Resource((resource,)),), action=Action((action,))), NOW
    )
    assert enriched == Request(resources=(Resource((resource, own[0])),), action=Action((action, own[1])))


def test_of_several_subjects_or_resources_all_are_added_to_or_the_request_is_refused() -> None:
    subjects, resources = Request((Subject(), Subject())), Request(resources=(Resource(), Resource()))
    for sent, part in ((subjects, "Subject"), (resources, "Resource")):
        with pytest.raises(PipError) as refusal:
            EVERYWHERE.enrich(sent, NOW)
        assert str(refusal.value) == (
            f"More than one {part} present in request and PIP configured to only add attribues to a single {part}"
        )
    every = replace(EVERYWHERE, every_subject=True, every_resource=True)
    assert every.enrich(subjects, NOW).subjects == (Subject((SITE,)), Subject((SITE,)))
    assert every.enrich(resources, NOW).resources == (Resource((SITE,)), Resource((SITE,)))
    assert StaticAttributes(action=(SITE,)).enrich(subjects, NOW).subjects == subjects.subjects
