"""Several processes on one database that copy the same remote PAP at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier

import pytest

from argus_py.clients.pap import PapFailed
from argus_py.errors import ArgusError
from argus_py.model.policy_news import News
from argus_py.model.response import Effect
from argus_py.pap.federation import Element, UnusableAnswer
from argus_py.pap.history import Note
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote
from argus_py.pap.provisioning import Provisioning
from argus_py.run.federation import Mirror, Peer
from argus_py.store.sql.engine import open_policies
from argus_py.store.sql.repository import SqlPolicies
from argus_py.xacml.policy import Combining, Policy, PolicyIdReference, PolicySet, PolicySetIdReference, Rule

NOTE = Note("CN=Admin", "test")
DEFAULT = Pap("default-1", DEFAULT_ALIAS, enabled=True)
CENTRAL = Pap("central-1", "central", enabled=True, remote=Remote("central.example.org"))
PROCESSES = 3
Answer = tuple[Element, ...]


def answer(*banned: str) -> Answer:
    """Of the remote when these are banned."""
    bans = Policy("bans", Combining.RULES_FIRST_APPLICABLE, tuple(Rule(user, Effect.DENY) for user in banned))
    first = Combining.POLICIES_FIRST_APPLICABLE
    resource = PolicySet("everything", first, (PolicyIdReference(bans.id),))
    return PolicySet("root-x", first, (PolicySetIdReference(resource.id),)), resource, bans


@dataclass
class RemotePap:
    """Gives its answers, one to each process, when all have asked."""

    answers: list[Answer | ArgusError] = field(default_factory=list)
    all_have_asked: Barrier = field(default_factory=lambda: Barrier(PROCESSES))
    service: str = "https://central.example.org:8150/pap/services/ProvisioningService"

    def fetch(self) -> Answer:
        answer = self.answers[self.all_have_asked.wait(30)]
        if isinstance(answer, ArgusError):
            raise answer
        return answer

    def after(self, _known: str | None) -> News | None:
        raise NotImplementedError


class Processes:
    """Each with a repository and a mirror of its own."""

    def __init__(self, url: str) -> None:
        self.repositories = [open_policies(url) for _ in range(PROCESSES)]
        with self.repositories[0].change(NOTE) as writer:
            writer.add_pap(DEFAULT)
            writer.add_pap(CENTRAL)
        self.remote = RemotePap()
        self.mirrors = [self._mirror(repository) for repository in self.repositories]
        self._threads = ThreadPoolExecutor(PROCESSES)

    def _mirror(self, repository: SqlPolicies) -> Mirror:
        return Mirror(CENTRAL, Peer(self.remote, self.remote), repository, lambda: timedelta(hours=4))

    def refresh(self, *answers: Answer | ArgusError) -> list[BaseException | None]:
        """All of them at once: what each of them fails with. A single answer is given to all."""
        self.remote.answers = list(answers) * (PROCESSES // len(answers))
        return [each.exception(60) for each in [self._threads.submit(mirror.refresh) for mirror in self.mirrors]]

    def close(self) -> None:
        self._threads.shutdown()
        for repository in self.repositories:
            repository.close()


@pytest.fixture
def processes(database_url: str) -> Iterator[Processes]:
    made = Processes(database_url)
    yield made
    made.close()


def banned(repository: SqlPolicies) -> list[str]:
    with repository.read() as reader:
        (resource,) = reader.resources(CENTRAL)
    return [rule.id for policy in resource.policies() for rule in policy.rules]


def test_each_answer_is_one_change_whoever_is_first(processes: Processes) -> None:
    users = [f"u{number}" for number in range(8)]
    for number in range(1, len(users) + 1):
        assert processes.refresh(answer(*users[:number])) == [None] * PROCESSES
        assert [banned(repository) for repository in processes.repositories] == [users[:number]] * PROCESSES
    with processes.repositories[-1].read() as reader:
        assert [pap.version for pap in reader.paps()] == [0, len(users)]
    made = [change.note.command for change in processes.repositories[0].changes()]
    assert made == ["refresh-cache central"] * len(users) + ["test"]
    documents = {Provisioning(repository).document() for repository in processes.repositories}
    assert len(documents) == 1


def test_processes_that_got_different_answers_settle_on_one_of_them_whole(processes: Processes) -> None:
    """The remote changes between their questions; what it has in the end is what all have after the next refresh."""
    for round in range(4):
        answers = [[f"of-{process}", f"in-{round}"] for process in range(PROCESSES)]
        assert processes.refresh(*(answer(*users) for users in answers)) == [None] * PROCESSES
        first, *others = map(banned, processes.repositories)
        assert first in answers
        assert others == [first] * (PROCESSES - 1)
    assert processes.refresh(answer("u")) == [None] * PROCESSES
    assert [banned(repository) for repository in processes.repositories] == [["u"]] * PROCESSES


@pytest.mark.parametrize(
    ("failure", "quarantined"),
    [
        (PapFailed("https://central.example.org", "refused"), False),
        (UnusableAnswer("Rule", "x", "it is there twice"), True),
    ],
    ids=["unreachable", "unusable"],
)
def test_a_failure_costs_no_process_the_copy(processes: Processes, failure: ArgusError, quarantined: bool) -> None:
    processes.refresh(answer("u"))
    before = processes.repositories[0].revision()
    assert processes.refresh(failure) == [failure] * PROCESSES
    for repository in processes.repositories:
        assert (banned(repository), repository.revision()) == (["u"], before)
        state = repository.remote_states()[CENTRAL.id]
        assert (state.quarantined, state.reason) == (quarantined, str(failure))
        assert state.confirmed_at is not None
