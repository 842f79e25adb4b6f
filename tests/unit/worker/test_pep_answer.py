import pytest

from argus_py.model.identifiers import AuthzInterop, DciSec, Glite
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation, Response, Result, indeterminate
from argus_py.worker.pep_answer import NamedAccount, NoAccount, NumberedAccount, read_account

POSIX = Glite.LOCAL_ENVIRONMENT_MAP_POSIX


def obligation(id_: str, *pairs: tuple[str, str], fulfill_on: Effect = Effect.PERMIT) -> Obligation:
    return Obligation(id_, fulfill_on, tuple(AttributeAssignment(name, value) for name, value in pairs))


def permit(*obligations: Obligation) -> Response:
    return Response((Result(Decision.PERMIT, obligations=obligations),))


def test_account_and_groups_without_the_double_of_the_primary() -> None:
    found = obligation(
        POSIX,
        (Glite.USER_ID, "u"),
        (Glite.PRIMARY_GROUP_ID, "g"),
        (Glite.GROUP_ID, "g"),
        (Glite.GROUP_ID, "h"),
    )
    assert read_account(permit(found)) == NamedAccount("u", ("g", "h"))


def test_other_families_are_understood() -> None:
    dci = obligation(DciSec.MAP_LOCAL_USER_POSIX, (DciSec.USER_ID, "u"), (DciSec.PRIMARY_GROUP_ID, "g"))
    assert read_account(permit(dci)) == NamedAccount("u", ("g",))
    interop = obligation(AuthzInterop.UIDGID, (AuthzInterop.POSIX_UID, "7"), (AuthzInterop.POSIX_GID, "8"))
    more = obligation(AuthzInterop.SECONDARY_GIDS, (AuthzInterop.POSIX_GID, "9"))
    assert read_account(permit(interop, more)) == NumberedAccount(7, 8, (9,))


def test_groups_without_a_primary_one_are_none() -> None:
    assert read_account(permit(obligation(POSIX, (Glite.USER_ID, "u"), (Glite.GROUP_ID, "g")))) == NamedAccount("u", ())


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response((Result(Decision.DENY),)), "answers Deny"),
        (Response((Result(Decision.NOT_APPLICABLE),)), "answers NotApplicable"),
        (indeterminate("why\n not"), "answers Indeterminate: why"),
        (Response(()), "answers with 0 results"),
        (Response((Result(Decision.PERMIT), Result(Decision.PERMIT))), "answers with 2 results"),
        (permit(), "permits without mapping"),
        (permit(obligation(POSIX, (Glite.USER_ID, "u"), fulfill_on=Effect.DENY)), "permits without mapping"),
        (permit(obligation(Glite.LOCAL_ENVIRONMENT_MAP)), "permits without mapping"),
        (permit(obligation(POSIX)), "names no account"),
        (permit(obligation(POSIX, (Glite.USER_ID, ""))), "names no account"),
        (permit(obligation(POSIX, (Glite.USER_ID, "a"), (Glite.USER_ID, "b"))), "names several accounts"),
        (
            permit(
                obligation(POSIX, (Glite.USER_ID, "a"), (Glite.PRIMARY_GROUP_ID, "g"), (Glite.PRIMARY_GROUP_ID, "h"))
            ),
            "names several primary groups",
        ),
        (permit(obligation(AuthzInterop.UIDGID, (AuthzInterop.POSIX_UID, "1"))), "names no primary group"),
        (
            permit(obligation(AuthzInterop.UIDGID, (AuthzInterop.POSIX_UID, "-1"), (AuthzInterop.POSIX_GID, "1"))),
            "gives '-1' for a number",
        ),
        (
            permit(
                obligation(AuthzInterop.UIDGID, (AuthzInterop.POSIX_UID, "4294967295"), (AuthzInterop.POSIX_GID, "1"))
            ),
            "for a number",
        ),
    ],
)
def test_nothing_else_is_a_permit(response: Response, reason: str) -> None:
    with pytest.raises(NoAccount, match=reason):
        read_account(response)


def test_both_profiles_ask_with_certificates_alone() -> None:
    from argus_py.model.identifiers import AttributeId
    from argus_py.worker.pep_question import Profile, Question

    request = Question("wn", "execute", Profile.WORKER_NODE, "PAYLOAD", "PILOT").request()
    assert [(each.id, each.values) for each in request.subjects[0].attributes] == [(AttributeId.KEY_INFO, ("PAYLOAD",))]
    assert request.environment is not None
    assert [(each.id, each.values) for each in request.environment.attributes] == [
        (Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,)),
        (AttributeId.KEY_INFO, ("PILOT",)),
    ]
    interop = Question("wn", "execute", Profile.AUTHZ_INTEROP, "PAYLOAD", None).request()
    assert [each.id for each in interop.subjects[0].attributes] == [AuthzInterop.CERT_CHAIN]
    assert interop.environment is not None
    assert len(interop.environment.attributes) == 1
