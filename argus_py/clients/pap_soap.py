"""The remote side of a PAP's management services (SOAP), ours or the Java one, for command line tools.

A method per operation. Errors carry what the Java client prints: the class and message of the exception that the PAP
threw, or that Java would have thrown on the way.

Source: argus-pap:src/main/java/org/glite/authz/pap/client/impl/axis/*.java,
src/main/java/org/glite/authz/pap/ui/cli/ServiceCLI.java
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import httpx

from argus_py.errors import ArgusError, MalformedInput, Unavailable
from argus_py.soap import pap_operations as operations
from argus_py.soap import rpc
from argus_py.soap.java_exceptions import JavaException
from argus_py.soap.pap_beans import PAPACE, Pap, PAPPrincipal, UnbanResult
from argus_py.soap.pap_operations import (
    AUTHORIZATION_MANAGEMENT,
    HIGH_LEVEL_POLICY_MANAGEMENT,
    PAP_MANAGEMENT,
    XACML_POLICY_MANAGEMENT,
    Operation,
    Service,
)
from argus_py.xacml.policy import Policy, PolicySet

ROOT_PATH: Final = "/pap/services/"
END: Final = -1  # the index behind all that is there

_HEADERS: Final = {
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "application/soap+xml, application/dime, multipart/related, text/*",
    "Accept-Encoding": "identity",  # so that the limit on an answer is one on its octets
    "User-Agent": "argus-py",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
}

T = TypeVar("T")


class PapUnreachable(Unavailable):
    """No answer came from ``url``; ``cause`` is what Java throws then, the text what its client prints."""

    def __init__(self, url: str, prefix: str, cause: JavaException) -> None:
        super().__init__(f"{prefix}. Caused by {str(cause).removesuffix('.')}.")
        self.url = url
        self.cause = cause


class NotAPap(MalformedInput):
    """What came from ``url`` is not the answer of a PAP, or not one that can be worked with; ``reason`` says why."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{url} answers with HTTP status {status}, but not as a PAP does: {reason}")
        self.url = url
        self.status = status
        self.reason = reason


class SoapRefused(ArgusError):
    """The PAP answered with a fault; the text is ``java_class: message``, or the message alone if there is no class."""

    def __init__(self, java_class: str, message: str) -> None:
        super().__init__(str(JavaException(java_class, message)))
        self.java_class = java_class
        self.message = message


class PapSoap:
    """All methods raise PapUnreachable, NotAPap and SoapRefused; NotXmlText for a text that XML cannot carry.

    An ``alias`` of None means the pap "default".
    """

    def __init__(self, http: httpx.Client) -> None:
        """``http`` has the URL of the services, with a slash at its end, as its base and knows who we are."""
        self._http = http

    @property
    def url(self) -> str:
        return str(self._http.base_url)

    def ping(self) -> str:
        """``PAP version: X``."""
        return self._call(PAP_MANAGEMENT, operations.PING)

    def exists(self, alias: str) -> bool:
        return self._call(PAP_MANAGEMENT, operations.EXISTS, alias)

    def get_pap(self, alias: str) -> Pap:
        return self._call(PAP_MANAGEMENT, operations.GET_PAP, alias)

    def get_all_paps(self) -> tuple[Pap, ...]:
        """In their order."""
        return self._call(PAP_MANAGEMENT, operations.GET_ALL_PAPS)

    def add_pap(self, pap: Pap) -> bool:
        """False if there is one of this alias."""
        return self._call(PAP_MANAGEMENT, operations.ADD_PAP, pap)

    def update_pap(self, pap: Pap) -> bool:
        """False if there is none of this alias."""
        return self._call(PAP_MANAGEMENT, operations.UPDATE_PAP, pap)

    def remove_pap(self, alias: str) -> bool:
        """False if there is none."""
        return self._call(PAP_MANAGEMENT, operations.REMOVE_PAP, alias)

    def set_enabled(self, alias: str, enabled: bool) -> None:
        self._call(PAP_MANAGEMENT, operations.SET_ENABLED, alias, enabled)

    def get_order(self) -> tuple[str, ...]:
        """Empty if none is defined."""
        return self._call(PAP_MANAGEMENT, operations.GET_ORDER)

    def set_order(self, aliases: Sequence[str]) -> None:
        """None at all: there is no order any more."""
        self._call(PAP_MANAGEMENT, operations.SET_ORDER, tuple(aliases))

    def get_polling_interval(self) -> timedelta:
        seconds = self._call(PAP_MANAGEMENT, operations.GET_POLLING_INTERVAL)
        try:
            return timedelta(seconds=seconds)
        except OverflowError as error:
            text = f"an interval of {seconds} seconds"
            raise NotAPap(self.url + PAP_MANAGEMENT.name, httpx.codes.OK, text) from error

    def set_polling_interval(self, interval: timedelta) -> None:
        self._call(PAP_MANAGEMENT, operations.SET_POLLING_INTERVAL, interval.total_seconds())

    def refresh_cache(self, alias: str) -> bool:
        """False if there is no such pap."""
        return self._call(PAP_MANAGEMENT, operations.REFRESH_CACHE, alias)

    def ban(
        self, alias: str | None, attribute: str, value: str, resource: str, action: str, *, public: bool
    ) -> str | None:
        """The id of the policy with the rule; None if it was there already. ``attribute``: its name in SPL."""
        return self._call(
            HIGH_LEVEL_POLICY_MANAGEMENT, operations.BAN, alias, attribute, value, resource, action, public
        )

    def unban(self, alias: str | None, attribute: str, value: str, resource: str, action: str) -> UnbanResult:
        return self._call(HIGH_LEVEL_POLICY_MANAGEMENT, operations.UNBAN, alias, attribute, value, resource, action)

    def add_rule(
        self,
        alias: str | None,
        attributes: Sequence[str],
        *,
        permit: bool,
        action: str | None = None,
        resource: str | None = None,
        action_id: str | None = None,
        rule_id: str | None = None,
        obligation: str | None = None,
        obligation_scope: str = "resource",
        move_after: bool = False,
    ) -> str:
        """The id of the new rule. ``attributes`` are written ``name=value``.

        Its place is the ``action`` of the ``resource``, or the action ``action_id``; there the top, the bottom for
        ``move_after``, or before or after the rule ``rule_id``.
        """
        return self._call(
            HIGH_LEVEL_POLICY_MANAGEMENT,
            operations.ADD_RULE,
            alias,
            permit,
            tuple(attributes),
            action,
            resource,
            action_id,
            rule_id,
            obligation,
            obligation_scope,
            move_after,
        )

    def purge(
        self,
        alias: str | None,
        *,
        unreferenced_policies: bool = False,
        empty_policies: bool = False,
        unreferenced_policy_sets: bool = False,
        empty_policy_sets: bool = False,
    ) -> None:
        chosen = unreferenced_policies, empty_policies, unreferenced_policy_sets, empty_policy_sets
        self._call(HIGH_LEVEL_POLICY_MANAGEMENT, operations.PURGE, alias, *chosen)

    def erase_repository(self, alias: str | None) -> None:
        self._call(HIGH_LEVEL_POLICY_MANAGEMENT, operations.ERASE_REPOSITORY, alias)

    def add_policy_set(self, alias: str | None, index: int, policy_set: PolicySet) -> str:
        """The id that it got."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.ADD_POLICY_SET, alias, index, policy_set)

    def add_policies(
        self, alias: str | None, index: int, policy_set_id: str, prefixes: Sequence[str], policies: Sequence[Policy]
    ) -> tuple[str, ...] | None:
        """The ids that they got, each beginning with its prefix; None if there is no such policy set."""
        arguments = alias, index, policy_set_id, tuple(prefixes), tuple(policies)
        return self._call(XACML_POLICY_MANAGEMENT, operations.ADD_POLICIES, *arguments)

    def add_policy(self, alias: str | None, index: int, policy_set_id: str, prefix: str, policy: Policy) -> str | None:
        """The id that it got; None if there is no such policy set."""
        arguments = alias, index, policy_set_id, prefix, policy
        return self._call(XACML_POLICY_MANAGEMENT, operations.ADD_POLICY, *arguments)

    def store_policy(self, alias: str | None, prefix: str | None, policy: Policy) -> str:
        """The id that it got."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.STORE_POLICY, alias, prefix, policy)

    def store_policy_set(self, alias: str | None, prefix: str | None, policy_set: PolicySet) -> str:
        """The id that it got."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.STORE_POLICY_SET, alias, prefix, policy_set)

    def get_policy(self, alias: str | None, id: str) -> Policy:
        return self._call(XACML_POLICY_MANAGEMENT, operations.GET_POLICY, alias, id)

    def get_policy_set(self, alias: str | None, id: str) -> PolicySet:
        return self._call(XACML_POLICY_MANAGEMENT, operations.GET_POLICY_SET, alias, id)

    def get_root_policy_set(self, alias: str | None) -> PolicySet:
        return self._call(XACML_POLICY_MANAGEMENT, operations.GET_ROOT_POLICY_SET, alias)

    def has_policy(self, alias: str | None, id: str) -> bool:
        return self._call(XACML_POLICY_MANAGEMENT, operations.HAS_POLICY, alias, id)

    def has_policy_set(self, alias: str | None, id: str) -> bool:
        return self._call(XACML_POLICY_MANAGEMENT, operations.HAS_POLICY_SET, alias, id)

    def list_policies(self, alias: str | None) -> tuple[Policy, ...]:
        """In no order."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.LIST_POLICIES, alias)

    def list_policy_sets(self, alias: str | None) -> tuple[PolicySet, ...]:
        """The root of the pap first, the others in no order."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.LIST_POLICY_SETS, alias)

    def move(self, alias: str | None, id: str, pivot_id: str, *, after: bool) -> None:
        self._call(XACML_POLICY_MANAGEMENT, operations.MOVE, alias, id, pivot_id, after)

    def update_policy(self, alias: str | None, version: str, policy: Policy) -> bool:
        """``version``: of the one that is replaced. False if there is none of this id."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.UPDATE_POLICY, alias, version, policy)

    def update_policy_set(self, alias: str | None, version: str, policy_set: PolicySet) -> bool:
        """``version``: of the one that is replaced. False if there is none of this id."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.UPDATE_POLICY_SET, alias, version, policy_set)

    def remove_policy(self, alias: str | None, id: str) -> bool:
        """False if there is none. References to it stay."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.REMOVE_POLICY, alias, id)

    def remove_policy_set(self, alias: str | None, id: str) -> bool:
        """False if there is none. References to it stay."""
        return self._call(XACML_POLICY_MANAGEMENT, operations.REMOVE_POLICY_SET, alias, id)

    def remove_object(self, alias: str | None, id: str) -> None:
        """A resource, action or rule, with the references to it and what is empty then."""
        self._call(XACML_POLICY_MANAGEMENT, operations.REMOVE_OBJECT, alias, id)

    def get_acl(self, context: str | None = None) -> tuple[PAPACE, ...]:
        return self._call(AUTHORIZATION_MANAGEMENT, operations.GET_ACL, context)

    def set_acl(self, entries: Sequence[PAPACE], context: str | None = None) -> None:
        """In place of all that there are."""
        self._call(AUTHORIZATION_MANAGEMENT, operations.SET_ACL, context, tuple(entries))

    def add_ace(self, principal: PAPPrincipal, permissions: Sequence[str], context: str | None = None) -> None:
        """In place of the entry of this principal, if there is one."""
        self._call(AUTHORIZATION_MANAGEMENT, operations.ADD_ACE, context, principal, tuple(permissions))

    def remove_ace(self, principal: PAPPrincipal, context: str | None = None) -> None:
        """Nothing happens if there is none."""
        self._call(AUTHORIZATION_MANAGEMENT, operations.REMOVE_ACE, context, principal)

    def _call(self, service: Service, operation: Operation[T], *arguments: Any) -> T:
        body = rpc.write_request(service, operation, arguments)
        status, answer = self._exchange(service, {"SOAPAction": f'"{service.soap_action(operation)}"'}, body)
        try:
            message = rpc.read_message(answer, rpc.MAX_ANSWER)
            fault = rpc.fault_in(message)
            if fault is not None:
                cause = JavaException.parse(fault.text)
                raise SoapRefused(cause.java_class, cause.message)
            if status == httpx.codes.OK:
                return rpc.read_value(operation, message)
        except MalformedInput as error:
            raise NotAPap(self.url + service.name, status, str(error)) from error
        raise NotAPap(self.url + service.name, status, "it is no fault")

    def _exchange(self, service: Service, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        url = self.url + service.name
        received = bytearray()
        try:
            with self._http.stream("POST", service.name, content=body, headers=_HEADERS | headers) as answer:
                for piece in answer.iter_raw():
                    received += piece
                    if len(received) > rpc.MAX_ANSWER:
                        raise NotAPap(url, answer.status_code, f"it is longer than {rpc.MAX_ANSWER} octets")
        except httpx.HTTPError as error:
            raise _unreachable(url, error) from error
        return answer.status_code, bytes(received)


_CONTACT: Final = "Error contacting the PAP service"  # COMPAT: the words of the Java client, by the kind of the cause
_AUTHENTICATION: Final = "SSL authentication error"
_OTHER: Final = "Error"


def _unreachable(url: str, error: httpx.HTTPError) -> PapUnreachable:
    if isinstance(error, httpx.TimeoutException):
        text = "connect timed out" if isinstance(error, httpx.ConnectTimeout) else "Read timed out"
        return PapUnreachable(url, _OTHER, JavaException("java.net.SocketTimeoutException", text))
    cause = next(_system_errors(error), None)
    text = str(cause.args[-1]) if cause is not None and cause.args else str(error)  # of two arguments, the one in words
    match cause:
        case ConnectionRefusedError():
            return PapUnreachable(url, _CONTACT, JavaException("java.net.ConnectException", text))
        case socket.gaierror():
            return PapUnreachable(url, _OTHER, JavaException("java.net.UnknownHostException", httpx.URL(url).host))
        case ssl.SSLCertVerificationError():
            return PapUnreachable(url, _AUTHENTICATION, JavaException("javax.net.ssl.SSLPeerUnverifiedException", text))
        case ssl.SSLError():
            return PapUnreachable(url, _OTHER, JavaException("javax.net.ssl.SSLException", text))
        case OSError():
            return PapUnreachable(url, _CONTACT, JavaException("java.net.SocketException", text))
        case _:
            return PapUnreachable(url, _OTHER, JavaException("java.io.IOException", text or type(error).__name__))


def _system_errors(error: BaseException | None) -> Iterator[OSError]:
    """Those that led to this one, the last first."""
    while error is not None:
        if isinstance(error, OSError):
            yield error
        error = error.__cause__ or error.__context__
