"""What a daemon has answered. Whatever is not exactly such an answer is unreadable, and so never a Permit."""

import json
from dataclasses import dataclass
from typing import Any, Final

from argus_py.errors import MalformedInput, NotPermitted, Unmapped
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation

MAX_ANSWER: Final = 1 << 20  # octets; an answer has one or two thousand
_NO_NUMBER: Final = (1 << 32) - 1  # what system calls take for "leave it as it is"


class UnreadableAnswer(MalformedInput):
    """The body is no answer of this interface."""


class NotAuthorized(NotPermitted):
    """The decision of ``authorization`` is not Permit."""

    def __init__(self, authorization: "Authorization") -> None:
        told = f": {authorization.message}" if authorization.message else ""
        super().__init__(f"{authorization.decision.value}{told} (request {authorization.request_id})")
        self.authorization = authorization


class NoAccount(Unmapped):
    """The decision of ``authorization`` is Permit, but no account came with it."""

    def __init__(self, authorization: "Authorization") -> None:
        super().__init__(f"permitted, but not mapped to an account (request {authorization.request_id})")
        self.authorization = authorization


@dataclass(frozen=True, slots=True)
class Group:
    """``gid``: on the host of the daemon, None where it is not known there."""

    name: str
    gid: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """``groups``: the primary one first. ``uid``: as the ``gid`` of a group."""

    name: str
    uid: int | None = None
    groups: tuple[Group, ...] = ()

    @property
    def gid(self) -> int | None:
        """Of the primary group."""
        return self.groups[0].gid if self.groups else None


@dataclass(frozen=True, slots=True)
class Authorization:
    """``request_id`` is in the logs of all daemons; ``endpoint`` is who answered.

    ``reason`` is a word for programs: permitted, denied, not-applicable, indeterminate, or unmapped, which says that
    there was no account for somebody whom the policy permits; ``message`` is for people. ``subject`` and ``fqans`` are
    what the daemon decided upon, as proven by the certificates.
    """

    decision: Decision
    reason: str
    request_id: str
    endpoint: str
    status: str
    message: str | None = None
    subject: str | None = None
    fqans: tuple[str, ...] = ()
    account: Account | None = None
    obligations: tuple[Obligation, ...] = ()

    @property
    def permitted(self) -> bool:
        return self.decision is Decision.PERMIT

    def mapped(self) -> Account:
        """Raises NotAuthorized, NoAccount."""
        if not self.permitted:
            raise NotAuthorized(self)
        if self.account is None:
            raise NoAccount(self)
        return self.account


def read_answer(body: bytes, endpoint: str) -> Authorization:
    """Fields that are not known are passed over. Raises UnreadableAnswer."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer("it is not JSON") from error
    if not isinstance(told, dict):
        raise UnreadableAnswer("it is no JSON object")
    try:
        return Authorization(
            decision=Decision(_text(told, "decision")),
            reason=_text(told, "reason"),
            request_id=_text(told, "request_id"),
            endpoint=endpoint,
            status=_text(told, "status"),
            message=_text_or_none(told, "message"),
            subject=_text_or_none(told, "subject"),
            fqans=tuple(_texts(told, "fqans")),
            account=_account(told),
            obligations=tuple(map(_obligation, _objects(told, "obligations"))),
        )
    except ValueError as error:
        raise UnreadableAnswer(str(error)) from error


def _account(told: dict[str, Any]) -> Account | None:
    name = _text_or_none(told, "account")
    groups = tuple(Group(_text(each, "name"), _number(each, "gid")) for each in _objects(told, "groups"))
    return None if name is None else Account(name, _number(told, "uid"), groups)


def _obligation(told: dict[str, Any]) -> Obligation:
    assignments = (
        AttributeAssignment(_text(each, "id"), _text_or_none(each, "value"), _text_or_none(each, "datatype"))
        for each in _objects(told, "assignments")
    )
    return Obligation(_text(told, "id"), Effect(_text(told, "fulfill_on")), tuple(assignments))


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"its {name} is no text")
    return value


def _text_or_none(told: dict[str, Any], name: str) -> str | None:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"its {name} is neither text nor null")
    return value or None


def _number(told: dict[str, Any], name: str) -> int | None:
    value = told.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < _NO_NUMBER:
        raise ValueError(f"its {name} is no number of an account or group")
    return value


def _texts(told: dict[str, Any], name: str) -> list[str]:
    values = told.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"its {name} are no list of texts")
    return values


def _objects(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = told.get(name)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError(f"its {name} are no list of objects")
    return values
