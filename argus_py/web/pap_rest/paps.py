"""The paps over REST: where their policies come from, in which order, and how often they are fetched."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from argus_py.pap.distribution import PapRecord
from argus_py.pap.paps import Pap, PapExists, PapNotFound, Remote, RemoteState
from argus_py.pap.request import Outcome
from argus_py.pap.use_cases import UseCases
from argus_py.web.pap_rest.asking import Answers, Changer, Reader
from argus_py.web.pap_rest.shapes import ChangeBody, Several, Strict, Text, Told

_SECOND: Final = timedelta(seconds=1)
_MOST_SECONDS: Final = 10**9  # what is too long is told by the use case, and this is enough to be


class RemoteBody(Strict):
    """Where a pap is copied from; ``dn``: the subject of the host certificate there, in slash form, if known."""

    hostname: Text
    port: int = 8150
    path: Text = "/pap/services/"
    protocol: Text = "https"
    dn: Text | None = None


class SettingsBody(Strict):
    """``enabled``: its policies go to PDPs. ``public``: they go to other PAPs. ``remote`` null: a local pap."""

    enabled: bool = False
    public: bool = False
    remote: RemoteBody | None = None


class NewPapBody(SettingsBody):
    alias: Text


class EnabledBody(Strict):
    enabled: bool


class RefreshBody(Strict):
    """``pap``: the alias of a remote one."""

    pap: Text


class OrderingBody(Strict):
    """The paps of these aliases come first, in this order; empty: no order is set."""

    aliases: Several[Text]


class IntervalBody(Strict):
    """Between two looks at remote paps."""

    seconds: Annotated[int, Field(ge=0, le=_MOST_SECONDS)]


class RemoteEntry(Told):
    hostname: str
    port: int
    path: str
    protocol: str
    dn: str | None


class PapEntry(Told):
    """``remote`` null: a local pap. ``modified_at``: when its policies were last changed."""

    alias: str
    id: str
    enabled: bool
    public: bool
    version: int
    modified_at: datetime | None
    remote: RemoteEntry | None


class PapsBody(Told):
    """In the order of evaluation."""

    paps: tuple[PapEntry, ...]


class CopyEntry(Told):
    """What came of the attempts to copy a remote pap; nothing but nulls: there were none yet.

    ``confirmed_at``: when the copy was last known to be right. ``quarantined``: what the remote has now is unusable.
    """

    alias: str
    confirmed_at: datetime | None
    failed_at: datetime | None
    reason: str | None
    quarantined: bool


class CopiesBody(Told):
    copies: tuple[CopyEntry, ...]


class OrderingEntry(Told):
    """Empty: no order is set."""

    aliases: tuple[str, ...]


class IntervalEntry(Told):
    seconds: int


class RefreshedBody(Told):
    """``revision``: of the PAP now."""

    revision: int


def paps_router(use_cases: UseCases, answers: Answers) -> APIRouter:
    router = APIRouter(tags=["paps"])
    paps = use_cases.distribution

    @router.get("/paps")
    def list_paps(asked: Reader) -> PapsBody:
        """All paps."""
        return PapsBody(paps=tuple(map(_entry, paps.all_paps(asked))))

    @router.post("/paps")
    def add_pap(asked: Changer, response: Response, body: NewPapBody) -> ChangeBody[None]:
        """Add a pap behind the others."""
        outcome = paps.add_pap(asked, _pap(body.alias, body))
        if not outcome.value:
            raise PapExists(body.alias)
        return answers.of(asked, response, outcome.giving(None))

    @router.get("/paps/{alias}")
    def get_pap(asked: Reader, alias: Text) -> PapEntry:
        """One pap."""
        return _entry(paps.get_pap(asked, alias))

    @router.put("/paps/{alias}")
    def update_pap(asked: Changer, response: Response, alias: Text, body: SettingsBody) -> ChangeBody[None]:
        """Give a pap other settings; it keeps its policies."""
        return answers.of(asked, response, _found(paps.update_pap(asked, _pap(alias, body)), alias))

    @router.delete("/paps/{alias}")
    def remove_pap(asked: Changer, response: Response, alias: Text) -> ChangeBody[None]:
        """Remove a pap with its policies."""
        return answers.of(asked, response, _found(paps.remove_pap(asked, alias), alias))

    @router.put("/paps/{alias}/enabled")
    def set_enabled(asked: Changer, response: Response, alias: Text, body: EnabledBody) -> ChangeBody[None]:
        """Let the policies of a pap go to PDPs, or not."""
        return answers.of(asked, response, paps.set_enabled(asked, alias, body.enabled))

    @router.get("/copies")
    def list_copies(asked: Reader, response: Response) -> CopiesBody:
        """How well the remote paps are copied, which is no matter of the revision."""
        response.headers["Cache-Control"] = "no-store"
        records = [record for record in paps.all_paps(asked) if not record.pap.is_local]
        return CopiesBody(copies=tuple(map(_copy, records)))

    @router.post("/refreshes")
    def refresh(asked: Reader, body: RefreshBody) -> RefreshedBody:
        """Fetch the policies of a remote pap now."""
        if not paps.refresh(asked, body.pap):
            raise PapNotFound(body.pap)
        return RefreshedBody(revision=paps.ping())

    @router.get("/ordering")
    def get_ordering(asked: Reader) -> OrderingEntry:
        """The order of the paps, as far as it was set."""
        return OrderingEntry(aliases=paps.ordering(asked))

    @router.put("/ordering")
    def set_ordering(asked: Changer, response: Response, body: OrderingBody) -> ChangeBody[None]:
        """Set the order of the paps."""
        return answers.of(asked, response, paps.set_ordering(asked, tuple(body.aliases)))

    @router.get("/polling-interval")
    def get_polling_interval(asked: Reader) -> IntervalEntry:
        """How often remote paps are looked at."""
        return IntervalEntry(seconds=paps.polling_interval(asked) // _SECOND)

    @router.put("/polling-interval")
    def set_polling_interval(asked: Changer, response: Response, body: IntervalBody) -> ChangeBody[None]:
        """Set how often remote paps are looked at."""
        return answers.of(asked, response, paps.set_polling_interval(asked, body.seconds * _SECOND))

    return router


def _pap(alias: str, body: SettingsBody) -> Pap:
    remote = None if body.remote is None else Remote(**body.remote.model_dump())
    return Pap("", alias, body.enabled, body.public, remote)  # without an id of its own it gets one


def _found(outcome: Outcome[bool], alias: str) -> Outcome[None]:
    if not outcome.value:
        raise PapNotFound(alias)
    return outcome.giving(None)


def _entry(record: PapRecord) -> PapEntry:
    pap, remote = record.pap, record.pap.remote
    return PapEntry(
        alias=pap.alias,
        id=pap.id,
        enabled=pap.enabled,
        public=pap.public,
        version=pap.version,
        modified_at=record.modified_at,
        remote=None if remote is None else _remote_entry(remote),
    )


def _remote_entry(remote: Remote) -> RemoteEntry:
    return RemoteEntry(
        hostname=remote.hostname, port=remote.port, path=remote.path, protocol=remote.protocol, dn=remote.dn
    )


def _copy(record: PapRecord) -> CopyEntry:
    state = record.remote_state or RemoteState()
    return CopyEntry(
        alias=record.pap.alias,
        confirmed_at=state.confirmed_at,
        failed_at=state.failed_at,
        reason=state.reason,
        quarantined=state.quarantined,
    )
