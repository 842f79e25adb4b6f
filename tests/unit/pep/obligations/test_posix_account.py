"""The obligations of an account, assignment by assignment, in the order clients read them."""

import pytest

from argus_py.model.identifiers import DciSec, Glite
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.pep.obligations.posix_account import PosixAccount

GLITE = "http://glite.org/xacml"
DCI_SEC = "http://dci-sec.org/xacml"


def posix(family: str, obligation: str, *values: tuple[str, str]) -> Obligation:
    assignments = (AttributeAssignment(f"{family}/attribute/{name}", value) for name, value in values)
    return Obligation(f"{family}/obligation/{obligation}/posix", Effect.PERMIT, tuple(assignments))


VALUES = (("user-id", "a"), ("group-id/primary", "g"), ("group-id", "g"), ("group-id", "h"), ("group-id", "g"))


def test_glite_is_answered_by_login_primary_group_and_all_groups() -> None:
    account = PosixAccount("a", ("g", "h", "g"))
    assert account.obligations(Glite.LOCAL_ENVIRONMENT_MAP) == (posix(GLITE, "local-environment-map", *VALUES),)


def test_common_profile_has_the_same_values_under_its_own_names() -> None:
    account = PosixAccount("a", ("g", "h", "g"))
    assert account.obligations(DciSec.MAP_LOCAL_USER) == (
        posix(DCI_SEC, "map-local-user", *VALUES),
        posix(GLITE, "local-environment-map", *VALUES),
    )


def test_account_without_groups_is_a_login_alone() -> None:
    expected = posix(GLITE, "local-environment-map", ("user-id", "a"))
    assert PosixAccount("a", ()).obligations("urn:of-the-site") == (expected,)


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        ((), "PosixAccount{user=a}"),
        (("g",), "PosixAccount{user=a group=g}"),
        (("g", "h", "g"), "PosixAccount{user=a group=g groups=h,g}"),
    ],
)
def test_account_is_logged_as_ever(groups: tuple[str, ...], text: str) -> None:
    assert str(PosixAccount("a", groups)) == text
