"""The operations of the PAP's four management services: one table for the server, the client and the WSDL.

Parameters are told apart by their place. Texts may be null on the wire, a null alias is the pap "default"; what is not
written as nullable here is refused when it is null.

Source: argus-pap:src/main/wsdl/*.wsdl
"""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from argus_py.soap.rpc_types import (
    BOOLEAN,
    FLOAT,
    INT,
    NULLABLE_STRING,
    PAP,
    PAP_ACE,
    PAP_PRINCIPAL,
    POLICY,
    POLICY_SET,
    STRING,
    UNBAN_RESULT,
    Array,
    Nullable,
    WireType,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: WireType[Any]


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """``returns`` None: nothing. ``action``: its name in the SOAPAction header, where that is another one."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: WireType[T] | None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """``name`` is the last part of its URL, ``port_type`` and ``actions`` are those of the WSDL."""

    name: str
    port_type: str
    namespace: str  # of the elements of its operations
    actions: str  # what SOAPAction headers begin with
    operations: tuple[Operation[Any], ...]

    def operation(self, name: str) -> Operation[Any] | None:
        return next((operation for operation in self.operations if operation.name == name), None)

    def soap_action(self, operation: Operation[Any]) -> str:
        return f"{self.actions}/{operation.action or operation.name}"


def _text(name: str) -> Parameter:
    return Parameter(name, NULLABLE_STRING)


def _flag(name: str) -> Parameter:
    return Parameter(name, BOOLEAN)


_PAP_ALIAS: Final = _text("papAlias")
_PAP: Final = Parameter("pap", PAP)
_ALIAS: Final = _text("alias")
_INDEX: Final = Parameter("index", INT)
_POLICY: Final = Parameter("policy", POLICY)
_POLICY_SET: Final = Parameter("policySet", POLICY_SET)
_CONTEXT: Final = _text("context")
_PRINCIPAL: Final = Parameter("principal", PAP_PRINCIPAL)

# PAPManagementService
PING: Final = Operation("ping", (), STRING)
EXISTS: Final = Operation("exists", (_PAP_ALIAS,), BOOLEAN)
GET_PAP: Final = Operation("getPap", (_PAP_ALIAS,), PAP)
GET_ALL_PAPS: Final = Operation("getAllPaps", (), Array(PAP))
ADD_PAP: Final = Operation("addPap", (_PAP,), BOOLEAN)
UPDATE_PAP: Final = Operation("updatePap", (_PAP,), BOOLEAN)
REMOVE_PAP: Final = Operation("removePap", (_PAP_ALIAS,), BOOLEAN)
SET_ENABLED: Final[Operation[None]] = Operation("setEnabled", (_ALIAS, _flag("enabled")), None)
GET_ORDER: Final = Operation("getOrder", (), Array(STRING))
# COMPAT: the actions of this operation, of ban and of unban are those of others in the WSDL of the Java PAP.
SET_ORDER: Final = Operation(
    "setOrder", (Parameter("aliasArray", Nullable(Array(STRING, "stringItem"))),), BOOLEAN, "updatePap"
)
GET_POLLING_INTERVAL: Final = Operation("getPollingInterval", (), FLOAT)
SET_POLLING_INTERVAL: Final[Operation[None]] = Operation("setPollingInterval", (Parameter("seconds", FLOAT),), None)
REFRESH_CACHE: Final = Operation("refreshCache", (_PAP_ALIAS,), BOOLEAN)

# HighLevelPolicyManagementService
BAN: Final = Operation(
    "ban",
    (_ALIAS, _text("id"), _text("value"), _text("resource"), _text("action"), _flag("isPublic")),
    NULLABLE_STRING,
    "banDN",
)
UNBAN: Final = Operation(
    "unban", (_ALIAS, _text("id"), _text("value"), _text("resource"), _text("action")), UNBAN_RESULT, "unbanDN"
)
ADD_RULE: Final = Operation(
    "addRule",
    (
        _ALIAS,
        _flag("isPermit"),
        Parameter("attributeList", Array(STRING, "policyId")),
        _text("actionValue"),
        _text("resourceValue"),
        _text("actionIdentifier"),
        _text("ruleIdentifier"),
        _text("obligationValue"),
        _text("obligationScope"),
        _flag("moveAfter"),
    ),
    STRING,
)
PURGE: Final[Operation[None]] = Operation(
    "purge",
    (
        _ALIAS,
        _flag("purgeUnreferencedPolicies"),
        _flag("purgeEmptyPolicies"),
        _flag("purgeUnreferencedPolicySets"),
        _flag("purgeEmptyPolicySets"),
    ),
    None,
)
ERASE_REPOSITORY: Final[Operation[None]] = Operation("eraseRepository", (_ALIAS,), None)

# XACMLPolicyManagementService
ADD_POLICY_SET: Final = Operation("addPolicySet", (_ALIAS, _INDEX, _POLICY_SET), STRING)
ADD_POLICIES: Final = Operation(
    "addPolicies",
    (
        _ALIAS,
        _INDEX,
        _text("policySetId"),
        Parameter("policyIdPrefixArray", Array(STRING, "stringElement")),
        Parameter("policyArray", Array(POLICY)),
    ),
    Nullable(Array(STRING)),
)
ADD_POLICY: Final = Operation(
    "addPolicy", (_ALIAS, _INDEX, _text("policySetId"), _text("policyIdPrefix"), _POLICY), NULLABLE_STRING
)
STORE_POLICY: Final = Operation("storePolicy", (_ALIAS, _text("idPrefix"), _POLICY), STRING)
STORE_POLICY_SET: Final = Operation("storePolicySet", (_ALIAS, _text("idPrefix"), _POLICY_SET), STRING)
GET_POLICY: Final = Operation("getPolicy", (_ALIAS, _text("policyId")), POLICY)
GET_POLICY_SET: Final = Operation("getPolicySet", (_ALIAS, _text("policySetId")), POLICY_SET)
GET_ROOT_POLICY_SET: Final = Operation("getRootPolicySet", (_ALIAS,), POLICY_SET)
HAS_POLICY: Final = Operation("hasPolicy", (_ALIAS, _text("policyId")), BOOLEAN)
HAS_POLICY_SET: Final = Operation("hasPolicySet", (_ALIAS, _text("policySetId")), BOOLEAN)
LIST_POLICIES: Final = Operation("listPolicies", (_ALIAS,), Array(POLICY))
LIST_POLICY_SETS: Final = Operation("listPolicySets", (_ALIAS,), Array(POLICY_SET))
MOVE: Final[Operation[None]] = Operation("move", (_ALIAS, _text("id"), _text("pivotId"), _flag("moveAfter")), None)
UPDATE_POLICY: Final = Operation("updatePolicy", (_ALIAS, _text("version"), _POLICY), BOOLEAN)
UPDATE_POLICY_SET: Final = Operation("updatePolicySet", (_ALIAS, _text("version"), _POLICY_SET), BOOLEAN)
REMOVE_POLICY: Final = Operation("removePolicy", (_ALIAS, _text("policyId")), BOOLEAN)
REMOVE_POLICY_SET: Final = Operation("removePolicySet", (_ALIAS, _text("policySetId")), BOOLEAN)
REMOVE_OBJECT: Final = Operation("removeObjectByIdAndReferences", (_ALIAS, _text("id")), BOOLEAN)

# AuthorizationManagementService
GET_ACL: Final = Operation("getACL", (_CONTEXT,), Array(PAP_ACE))
SET_ACL: Final[Operation[None]] = Operation("setACL", (_CONTEXT, Parameter("acl", Array(PAP_ACE, "item"))), None)
ADD_ACE: Final[Operation[None]] = Operation(
    "addACE", (_CONTEXT, _PRINCIPAL, Parameter("permissions", Array(STRING, "item"))), None
)
REMOVE_ACE: Final[Operation[None]] = Operation("removeACE", (_CONTEXT, _PRINCIPAL), None)

_BASE: Final = "http://org.glite.authz/wsdl/pap/services"

PAP_MANAGEMENT: Final = Service(
    "PAPManagementService",
    "PAPManagement",
    f"{_BASE}/pap_management",
    f"{_BASE}/pap_management",
    (
        PING,
        EXISTS,
        GET_PAP,
        GET_ALL_PAPS,
        ADD_PAP,
        UPDATE_PAP,
        REMOVE_PAP,
        SET_ENABLED,
        GET_ORDER,
        SET_ORDER,
        GET_POLLING_INTERVAL,
        SET_POLLING_INTERVAL,
        REFRESH_CACHE,
    ),
)
HIGH_LEVEL_POLICY_MANAGEMENT: Final = Service(
    "HighLevelPolicyManagementService",
    "HighLevelPolicyManagement",
    f"{_BASE}/highlevel_policy_management",
    f"{_BASE}/highlevel_policy_management",
    (BAN, UNBAN, ADD_RULE, PURGE, ERASE_REPOSITORY),
)
XACML_POLICY_MANAGEMENT: Final = Service(
    "XACMLPolicyManagementService",
    "XACMLPolicyManagement",
    "",  # COMPAT: the WSDL of the Java PAP names none
    f"{_BASE}/xacml_policy_management",
    (
        ADD_POLICY_SET,
        ADD_POLICIES,
        ADD_POLICY,
        STORE_POLICY,
        STORE_POLICY_SET,
        GET_POLICY,
        GET_POLICY_SET,
        GET_ROOT_POLICY_SET,
        HAS_POLICY,
        HAS_POLICY_SET,
        LIST_POLICIES,
        LIST_POLICY_SETS,
        MOVE,
        UPDATE_POLICY,
        UPDATE_POLICY_SET,
        REMOVE_POLICY,
        REMOVE_POLICY_SET,
        REMOVE_OBJECT,
    ),
)
AUTHORIZATION_MANAGEMENT: Final = Service(
    "AuthorizationManagementService",
    "PAPAuthorizationManagement",
    f"{_BASE}/authz_management",
    f"{_BASE}/authz_management",
    (GET_ACL, SET_ACL, ADD_ACE, REMOVE_ACE),
)
SERVICES: Final = (
    PAP_MANAGEMENT,
    HIGH_LEVEL_POLICY_MANAGEMENT,
    XACML_POLICY_MANAGEMENT,
    AUTHORIZATION_MANAGEMENT,
)
