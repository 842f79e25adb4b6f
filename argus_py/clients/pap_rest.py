"""The remote side of the REST interface of a PAP, for command line tools."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from argus_py.errors import ArgusError, MalformedInput, Unavailable

BASE_PATH: Final = "/pap/rest/v1/"
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8"}


class PapUnreachable(Unavailable):
    """No answer came from ``url``; ``reason`` says what went wrong on the way."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Error contacting the PAP service at {url}: {reason}")
        self.url = url
        self.reason = reason


class NotAPap(MalformedInput):
    """What came from ``url`` is not the answer of a PAP."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answers with HTTP status {status}, but not as a PAP does")
        self.url = url
        self.status = status


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)  # what a newer PAP says in addition is ignored


class Problem(_Answer):
    """Of a policy text, at a line and column counted from 1."""

    line: int
    column: int
    text: str


class AddedAction(_Answer):
    action: str
    id: str


class AddedResource(_Answer):
    resource: str
    id: str
    actions: tuple[AddedAction, ...]


class ApplicableRule(_Answer):
    """``rule`` is its text; ``shadowed_by`` the id of a rule because of which it is never reached."""

    pap: str
    rule_id: str
    rule: str
    shadowed_by: str | None


class WhoMay(_Answer):
    """``rules`` in the order in which they are tried; ``ends``: why none is tried after them."""

    rules: tuple[ApplicableRule, ...]
    ends: str | None


class _Pong(_Answer):
    version: str


class _Ban(_Answer):
    changed: bool


class _Refusal(_Answer):
    error: str
    message: str
    problems: tuple[Problem, ...]


class Refused(ArgusError):
    """The PAP said no: ``error`` names the cause for programs; a policy text is refused for its ``problems``."""

    def __init__(self, error: str, message: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(message)
        self.error = error
        self.problems = problems


Added = tuple[AddedResource, ...] | tuple[AddedAction, ...]
Shape = TypeVar("Shape", bound=BaseModel)


class _Added(RootModel[Added]):
    pass


class PapRest:
    """One method per request of the interface. All raise PapUnreachable, NotAPap and Refused."""

    def __init__(self, http: httpx.Client) -> None:
        """``http`` has the URL of the interface, with a slash at its end, as its base and knows who we are."""
        self._http = http

    @property
    def url(self) -> str:
        return str(self._http.base_url)

    def ping(self) -> str:
        """The version of the PAP."""
        return self._read(_Pong, "GET", "ping").version

    def listing(self, paps: Sequence[str] | None, options: Mapping[str, str | bool | None]) -> str:
        """The policies of some paps, None: of all, as text; ``options`` are those of the interface."""
        chosen: dict[str, Any] = {"every": True} if paps is None else {"pap": list(paps)}
        return self._send("GET", "policies", params=chosen | _given(options)).text

    def who_may(self, resource: str, action: str) -> WhoMay:
        return self._read(WhoMay, "GET", "who-may", params={"resource": resource, "action": action})

    def add_policies(self, pap: str, text: str, options: Mapping[str, str | None]) -> Added:
        """What was added, in the order of the text."""
        return self._read(
            _Added,
            "POST",
            f"{_pap(pap)}/policies",
            params=_given(options),
            content=text.encode(),
            headers=_TEXT,
        ).root

    def update_policy(self, pap: str, id: str, text: str) -> None:
        path = f"{_pap(pap)}/policies/{quote(id, safe='')}"
        self._send("PUT", path, content=text.encode(), headers=_TEXT)

    def add_rule(self, pap: str, rule: Mapping[str, Any]) -> None:
        self._send("POST", f"{_pap(pap)}/rules", json=rule)

    def ban(self, pap: str, ban: Mapping[str, Any]) -> bool:
        """False if it was there already."""
        return self._read(_Ban, "POST", f"{_pap(pap)}/bans", json=ban).changed

    def unban(self, pap: str, attribute: str, value: str, resource: str, action: str) -> None:
        ban = {"attribute": attribute, "value": value, "resource": resource, "action": action}
        self._send("DELETE", f"{_pap(pap)}/bans", params=ban)

    def remove(self, pap: str, ids: Sequence[str]) -> None:
        self._send("POST", f"{_pap(pap)}/removals", json={"ids": list(ids)})

    def remove_all(self, pap: str) -> None:
        self._send("DELETE", f"{_pap(pap)}/policies")

    def move(self, pap: str, id: str, before: str | None, after: str | None) -> None:
        self._send("POST", f"{_pap(pap)}/moves", json=_given({"id": id, "before": before, "after": after}))

    def add_obligation(self, pap: str, id: str, obligation: str) -> None:
        self._send("POST", f"{_pap(pap)}/obligations", json={"id": id, "obligation": obligation})

    def remove_obligation(self, pap: str, id: str, obligation: str) -> None:
        self._send("DELETE", f"{_pap(pap)}/obligations", params={"id": id, "obligation": obligation})

    def _read(self, shape: type[Shape], method: str, path: str, **request: Any) -> Shape:
        answer = self._send(method, path, **request)
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            raise NotAPap(self.url, answer.status_code) from error

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise PapUnreachable(self.url, str(error) or type(error).__name__) from error
        if answer.is_success:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: httpx.Response) -> ArgusError:
        try:
            refusal = _Refusal.model_validate_json(answer.content)
        except ValidationError:
            return NotAPap(self.url, answer.status_code)
        return Refused(refusal.error, refusal.message, refusal.problems)


def _pap(alias: str) -> str:
    return f"paps/{quote(alias, safe='')}"


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
