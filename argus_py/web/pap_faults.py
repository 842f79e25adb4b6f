"""What the management services say when an operation fails: the exceptions of the Java PAP, and its texts.

Clients print them, and test suites of sites look for parts of them.

Source: argus-pap:src/main/java/org/glite/authz/pap/**/exceptions/*.java
"""

import re
from typing import Final

from argus_py.errors import ArgusError, MalformedInput, Unavailable
from argus_py.pap.access import NobodyCouldChangeIt
from argus_py.pap.authorization import Act, ActNotPermitted, BadAclEntry
from argus_py.pap.distribution import BadOrdering, BadPap, BadPollingInterval, DefaultPapIsFixed, PapIsLocal
from argus_py.pap.editing import Ambiguous, IdNotFound, PivotNotFound
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
from argus_py.spl.errors import SplMeaningError
from argus_py.web.answers import status_and_text
from argus_py.web.pap_management import BadScope, NoActionNamed, NoPair, NothingNamed, UnknownContext

_CLASSES: Final[tuple[tuple[type[ArgusError], str], ...]] = (
    (PapNotFound, JavaClass.NOT_FOUND),
    (IdNotFound, JavaClass.NOT_FOUND),
    (IdTaken, JavaClass.ALREADY_EXISTS),
    (RepeatedId, JavaClass.ALREADY_EXISTS),
    (WrongVersion, JavaClass.INVALID_VERSION),
    (RootIsFixed, JavaClass.REPOSITORY),
    (RootHoldsReferencesOnly, JavaClass.REPOSITORY),
    (ReferencedTwice, JavaClass.REPOSITORY),
    (NestedTooDeeply, JavaClass.REPOSITORY),
    (DefaultPapIsFixed, JavaClass.PAP_MANAGER),
    (BadPap, JavaClass.PAP_MANAGER),
    (BadOrdering, JavaClass.DISTRIBUTION),
    (BadPollingInterval, JavaClass.DISTRIBUTION),
    (PapIsLocal, JavaClass.PAP),
    (NoActionNamed, JavaClass.XACML_SERVICE),
    (PivotNotFound, JavaClass.XACML_SERVICE),
    (Ambiguous, JavaClass.HIGH_LEVEL_SERVICE),
    (SplMeaningError, JavaClass.UNSUPPORTED_ATTRIBUTE),
    (NoPair, JavaClass.UNSUPPORTED_ATTRIBUTE),
    (IndexOutOfRange, JavaClass.INDEX_OUT_OF_BOUNDS),
    (BadScope, JavaClass.ILLEGAL_ARGUMENT),
    (BadId, JavaClass.ILLEGAL_ARGUMENT),
    (UnfitId, JavaClass.ILLEGAL_ARGUMENT),
    (UnequalNumbers, JavaClass.ILLEGAL_ARGUMENT),
    (NothingNamed, JavaClass.NULL_POINTER),
    (UnknownContext, JavaClass.NOT_AUTHORIZED),
    (BadAclEntry, JavaClass.NOT_AUTHORIZED),
    (NobodyCouldChangeIt, JavaClass.NOT_AUTHORIZED),
    (MalformedInput, JavaClass.PAP),
    (Unavailable, JavaClass.PAP),
)
_READ_ONLY: Final = JavaException(JavaClass.XACML_SERVICE, "Forbidden operation for a remote PAP")
_READ_ONLY_BY_OPERATION: Final = {
    "addRule": JavaException(JavaClass.XACML_SERVICE, "You cannot add rules to a remote PAP!"),
    "move": JavaException(JavaClass.XACML_SERVICE, "Forbidden operation for a remote pap"),
    "purge": JavaException(JavaClass.HIGH_LEVEL_SERVICE, "Forbidden operation for a remote PAP"),
}
_OF_MOVE: Final = (IdNotFound, PivotNotFound)
_WRITTEN_BY_OPERATION: Final = {"addPolicy": "AddPolicyOperation"}  # which has no Act of its own
_UPPER: Final = {"ACL", "ACE"}
_FETCHING: Final = {Act.FETCH_AS_PDP: "GetPoliciesForPDPOperation", Act.FETCH_AS_PAP: "GetPoliciesForPAPOperation"}
_UNKNOWN_ATTRIBUTE: Final = re.compile(r'unknown attribute "(?P<name>.*)"', re.DOTALL)


def exception_of(error: ArgusError, operation: str) -> JavaException:
    """What the Java PAP would throw. What is nobody's business has a text that says nothing."""
    if isinstance(error, ActNotPermitted):
        name = _WRITTEN_BY_OPERATION.get(operation) or java_operation(error.act)
        return not_permitted(name)
    if isinstance(error, RemotePapIsReadOnly):
        return _READ_ONLY_BY_OPERATION.get(operation, _READ_ONLY)
    if operation == "move" and isinstance(error, _OF_MOVE):
        return JavaException(JavaClass.REPOSITORY, str(error))
    for kind, java_class in _CLASSES:
        if isinstance(error, kind):
            return JavaException(java_class, _text(error))
    return JavaException(JavaClass.REPOSITORY, status_and_text(error)[1])


def not_permitted(java_operation: str) -> JavaException:
    return JavaException(JavaClass.NOT_AUTHORIZED, f"Insufficient privileges to perform operation '{java_operation}'.")


def java_operation(act: Act) -> str:
    """The name of the class that does it."""
    if act in _FETCHING:
        return _FETCHING[act]
    words = (word if word in _UPPER else word.capitalize() for word in act.name.split("_"))
    return f"{''.join(words)}Operation"


def _text(error: ArgusError) -> str:
    if isinstance(error, SplMeaningError):
        unknown = _UNKNOWN_ATTRIBUTE.fullmatch(str(error))
        return f"id={unknown['name']}" if unknown else str(error)
    return str(error)
