"""A worker node that exists on paper alone, and payloads for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.errors import ConfigurationError
from argus_py.model.dn import DistinguishedName
from argus_py.model.response import Response
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust
from argus_py.worker.lcmaps_db import parse_lcmaps_db
from argus_py.worker.payload_proxy import read_payload_proxy
from argus_py.worker.pep_question import Question, Wire
from argus_py.worker.plugins.known import load_plugins
from argus_py.worker.plugins.plugin import Plugin
from argus_py.worker.ports import PepTls, User
from argus_py.worker.state import State

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # as that of the recorded grid
CERTIFICATES, VOMSDIR = str(GRID / "certificates"), str(GRID / "vomsdir")
LoadPlugin = Callable[[str], Plugin]


@dataclass
class PaperNode:
    """A Node whose files, names and answers are what a test gives it; remembers what it is asked."""

    files: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    answer: Response | Exception | None = None
    pilot: str | None = None
    account: str | Exception = "dteam001"
    changes_identity: bool = True
    now: datetime = NOW
    asked: list[tuple[Sequence[str], Question, PepTls, Wire]] = field(default_factory=list)
    leased: list[tuple[str, DistinguishedName, tuple[str, ...], str]] = field(default_factory=list)

    def user(self, name: str) -> User | None:
        return self.users.get(name)

    def group(self, name: str) -> int | None:
        return self.groups.get(name)

    def group_name(self, gid: int) -> str | None:
        return next((name for name, number in self.groups.items() if number == gid), None)

    def text(self, path: str) -> str:
        if path not in self.files:
            raise ConfigurationError(f"{path} is missing")
        return self.files[path]

    def trust(self, directory: str, links: Sequence[Certificate]) -> TrustAnchors:
        return load_trust_anchors(Path(directory))

    def voms_trust(self, directory: str) -> VomsTrust:
        return load_voms_trust(Path(directory))

    def lease(self, gridmapdir: str, dn: DistinguishedName, groups: Sequence[str], pool: str) -> str:
        self.leased.append((gridmapdir, dn, tuple(groups), pool))
        if isinstance(self.account, Exception):
            raise self.account
        return self.account

    def pilot_certificates(self) -> str | None:
        return self.pilot

    def ask(self, endpoints: Sequence[str], question: Question, tls: PepTls, wire: Wire) -> Response:
        self.asked.append((endpoints, question, tls, wire))
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


@pytest.fixture
def node() -> PaperNode:
    groups = {"dteam": 30000, "dteampilot": 30001, "nobody": 65534, "root": 0}
    users = {
        "dteam001": User("dteam001", 41001, 30000, (30000,), "/home/dteam001"),
        "nobody": User("nobody", 65534, 65534, (65534,), "/nonexistent"),
    }
    return PaperNode(users=users, groups=groups)


@pytest.fixture
def state_of() -> Callable[[str], State]:
    """The state with which a policy begins, for a proxy of the recorded grid."""

    def state(name: str) -> State:
        file = GRID / "proxies" / f"{name}.pem"
        proxy = read_payload_proxy(file.read_bytes(), str(file), NOW, key_may_be_missing=True)
        return State(proxy)

    return state


@pytest.fixture
def load(node: PaperNode) -> LoadPlugin:
    """A plug-in from the line of a policy file; CERTIFICATES and VOMSDIR stand for those of the recorded grid."""

    def plugin(line: str) -> Plugin:
        line = line.replace("CERTIFICATES", CERTIFICATES).replace("VOMSDIR", VOMSDIR)
        file = parse_lcmaps_db(f'x = "{line}"\np:\nx\n', "lcmaps.db")
        return load_plugins(file, file.policies["p"], node)["x"]

    return plugin
