"""Which exception of the Java PAP stands for which error of ours, for all errors there are."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta

import pytest

import argus_py.pap
from argus_py.clients.pap import NoPolicy, PapFailed
from argus_py.errors import ArgusError, CredentialRejected
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.fqan import FqanSyntaxError
from argus_py.pap.access import NobodyCouldChangeIt
from argus_py.pap.authorization import Act, ActNotPermitted, Admin, BadAclEntry, Permission
from argus_py.pap.distribution import BadOrdering, BadPap, BadPollingInterval, DefaultPapIsFixed, PapIsLocal
from argus_py.pap.editing import Ambiguous, IdNotFound, PivotNotFound
from argus_py.pap.federation import UnusableAnswer
from argus_py.pap.forest import NestedTooDeeply, ReferencedTwice
from argus_py.pap.objects import (
    BadId,
    IdTaken,
    IndexOutOfRange,
    RootHoldsReferencesOnly,
    RootIsFixed,
    UnequalNumbers,
    WrongVersion,
)
from argus_py.pap.paps import PapNotFound, RemotePapIsReadOnly
from argus_py.pap.ports import RepeatedId, UnfitId
from argus_py.soap.java_exceptions import JavaClass, JavaException
from argus_py.web.pap_faults import exception_of, java_operation
from argus_py.xacml.policy import Combining, PolicySet
from argus_py.xacml.policy_elements import PolicySyntaxError

ADMIN = Admin(DistinguishedName.parse_slash("/CN=a"))
POLICY_SET = PolicySet("r", Combining.POLICIES_FIRST_APPLICABLE, ())

# One of each error that an operation can come to, and the exception that says so.
ERRORS: list[tuple[ArgusError, str]] = [
    (PapNotFound("x"), JavaClass.NOT_FOUND),
    (IdNotFound("x", "Id not found: x"), JavaClass.NOT_FOUND),
    (PivotNotFound("x", "ruleId not found: x"), JavaClass.XACML_SERVICE),
    (IdTaken("x"), JavaClass.ALREADY_EXISTS),
    (RepeatedId("default", "policy set x"), JavaClass.ALREADY_EXISTS),
    (WrongVersion(POLICY_SET, "1", "2"), JavaClass.INVALID_VERSION),
    (RootIsFixed(), JavaClass.REPOSITORY),
    (RootHoldsReferencesOnly(), JavaClass.REPOSITORY),
    (ReferencedTwice("x"), JavaClass.REPOSITORY),
    (NestedTooDeeply("x"), JavaClass.REPOSITORY),
    (IndexOutOfRange(7, 1), JavaClass.INDEX_OUT_OF_BOUNDS),
    (BadId(""), JavaClass.ILLEGAL_ARGUMENT),
    (UnfitId("x", "too long"), JavaClass.ILLEGAL_ARGUMENT),
    (UnequalNumbers(1, 2), JavaClass.ILLEGAL_ARGUMENT),
    (Ambiguous("More than one action with the same value"), JavaClass.HIGH_LEVEL_SERVICE),
    (RemotePapIsReadOnly("far"), JavaClass.XACML_SERVICE),
    (DefaultPapIsFixed("Forbidden alias: default"), JavaClass.PAP_MANAGER),
    (BadPap("no host"), JavaClass.PAP_MANAGER),
    (PapIsLocal("x"), JavaClass.PAP),
    (UnusableAnswer("PolicySet", "x", "too large"), JavaClass.PAP),
    (BadOrdering("x", 'unknown alias "x"'), JavaClass.DISTRIBUTION),
    (BadPollingInterval(timedelta()), JavaClass.DISTRIBUTION),
    (BadAclEntry("Unknown permission"), JavaClass.NOT_AUTHORIZED),
    (NobodyCouldChangeIt(), JavaClass.NOT_AUTHORIZED),
    (ActNotPermitted(ADMIN, Act.BAN, Permission.POLICY_WRITE), JavaClass.NOT_AUTHORIZED),
]
NOT_OF_SOAP = {
    "BanNotFound": "a value of the answer",
    "PapExists": "a value of the answer",
    "RevisionChanged": "no operation has a revision to expect",
    "RevisionNotFound": "no operation looks at the history",
    "UndoConflict": "no operation undoes",
    "ObligationExists": "clients of SOAP write obligations into objects",
    "MixedElements": "clients of SOAP send no SPL",
    "SeveralElements": "clients of SOAP send no SPL",
    "ResourceIdMissing": "clients of SOAP send no SPL",
    "ResourceIdNotAllowed": "clients of SOAP send no SPL",
    "AclSyntaxError": "of a file",
    "YamlError": "of a file",
    "PolicyTestsError": "of a file",
}


def errors_of_pap() -> Iterator[str]:
    for found in pkgutil.walk_packages(argus_py.pap.__path__, "argus_py.pap."):
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, type) and issubclass(value, ArgusError) and value.__module__ == found.name:
                yield name


def test_for_every_error_it_is_decided_what_clients_of_java_are_told() -> None:
    assert set(errors_of_pap()) == {type(error).__name__ for error, _ in ERRORS} | set(NOT_OF_SOAP)


@pytest.mark.parametrize(("error", "java_class"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
def test_an_error_has_the_class_that_java_would_throw(error: ArgusError, java_class: str) -> None:
    assert exception_of(error, "updatePolicySet").java_class == java_class


@pytest.mark.parametrize(
    "error",
    [
        DnSyntaxError("x", "no"),
        FqanSyntaxError("x", "no"),
        PolicySyntaxError("no"),
        NoPolicy([PapFailed("https://pap", "no answer")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_from_elsewhere_are_told_in_their_own_words(error: ArgusError) -> None:
    assert exception_of(error, "refreshCache") == JavaException(JavaClass.PAP, str(error))


def test_what_has_no_place_in_the_table_tells_nothing_of_itself() -> None:
    class Odd(ArgusError):
        pass

    assert exception_of(Odd("secret"), "ping") == JavaException(JavaClass.REPOSITORY, "internal error")
    rejected = CredentialRejected("no client certificate")
    assert exception_of(rejected, "ping") == JavaException(JavaClass.REPOSITORY, "no client certificate")


@pytest.mark.parametrize(
    ("operation", "java_class", "text"),
    [
        ("ban", JavaClass.XACML_SERVICE, "Forbidden operation for a remote PAP"),
        ("updatePolicy", JavaClass.XACML_SERVICE, "Forbidden operation for a remote PAP"),
        ("addRule", JavaClass.XACML_SERVICE, "You cannot add rules to a remote PAP!"),
        ("move", JavaClass.XACML_SERVICE, "Forbidden operation for a remote pap"),
        ("purge", JavaClass.HIGH_LEVEL_SERVICE, "Forbidden operation for a remote PAP"),
    ],
)
def test_a_remote_pap_is_refused_in_the_words_of_each_operation(operation: str, java_class: str, text: str) -> None:
    assert exception_of(RemotePapIsReadOnly("far"), operation) == JavaException(java_class, text)


def test_what_a_move_does_not_find_is_of_the_repository() -> None:
    for error in (IdNotFound("x", "Id not found or not a rule-id: x"), PivotNotFound("x", "Id not found: x")):
        assert exception_of(error, "move") == JavaException(JavaClass.REPOSITORY, str(error))


# Of all operations of the Java PAP that ask for a permission.
JAVA_OPERATIONS = """
    PapExistsOperation GetPapOperation ListPapsOperation GetOrderOperation GetPollingIntervalOperation AddPapOperation
    SetEnabledOperation SetOrderOperation SetPollingIntervalOperation UpdatePapOperation RemovePapOperation
    RefreshPolicyCacheOperation BanOperation UnbanOperation AddRuleOperation PurgeOperation EraseRepositoryOperation
    AddPoliciesOperation AddPolicySetOperation StorePolicyOperation StorePolicySetOperation RemovePolicyOperation
    RemovePolicySetOperation RemoveObjectByIdAndReferencesOperation MoveOperation UpdatePolicyOperation
    UpdatePolicySetOperation ListLocalPoliciesOperation ListLocalPolicySetOperation GetLocalPolicyOperation
    GetLocalPolicySetOperation GetLocalRootPolicySetOperation HasLocalPolicyOperation HasLocalPolicySetOperation
    ListRemotePoliciesOperation ListRemotePolicySetOperation GetRemotePolicyOperation GetRemotePolicySetOperation
    GetRemoteRootPolicySetOperation HasRemotePolicyOperation HasRemotePolicySetOperation GetACLOperation
    SetACLOperation AddACEOperation RemoveACEOperation GetPoliciesForPDPOperation GetPoliciesForPAPOperation
"""
OURS = {Act.CHANGE_OBLIGATIONS, Act.ASK_WHO_MAY, Act.READ_HISTORY, Act.UNDO_POLICIES, Act.UNDO_CONFIGURATION}


def test_acts_have_the_names_of_the_java_operations() -> None:
    assert {java_operation(act) for act in Act if act not in OURS} == set(JAVA_OPERATIONS.split())


def test_the_operation_for_one_policy_has_its_own_name() -> None:
    refused = ActNotPermitted(ADMIN, Act.ADD_POLICIES, Permission.POLICY_WRITE)
    assert exception_of(refused, "addPolicy").message.endswith("'AddPolicyOperation'.")
    assert exception_of(refused, "addPolicies").message.endswith("'AddPoliciesOperation'.")
