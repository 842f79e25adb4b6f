"""The policy that a PDP decides by: where it comes from, how old it is, who is told, and what is kept for bad times."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from argus_py.errors import ArgusError
from argus_py.pdp.ports import PolicyTooOld
from argus_py.run.parts import now
from argus_py.snapshot import Snapshot, Version
from argus_py.store.policy_file import PolicyFile, PolicyNotKept
from argus_py.web.changes import ChangeFeed
from argus_py.web.pdp import policy_lines
from argus_py.web.status import java_time
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.rule_octets import PolicyWriter

_log = logging.getLogger(__name__)

FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _InForce:
    """What there is to say of one version; ``source``: who gave it, ``confirmed_at``: or said that it still has it."""

    number: int
    digest: str
    source: str
    confirmed_at: datetime


class PolicyRefresh:
    """Fetches the policy, and says what came of it in the words that operators look for; a lasting failure once.

    Safe to be called from many threads, of which one fetches at a time.
    """

    def __init__(
        self,
        policy: Snapshot[CompiledPolicy],
        source: Callable[[], str] = lambda: "this process",
        file: PolicyFile | None = None,
        clock: Callable[[], datetime] = now,
        digest: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``source``: who gave what was fetched last, ``digest``: of its octets, if there were any.

        ``file``: where a good policy is kept.
        """
        self.policy = policy
        self.feed = ChangeFeed(time.monotonic)
        self._source = source
        self._file = file
        self._clock = clock
        self._digest = digest
        self._one_at_a_time = threading.Lock()
        self._writer = PolicyWriter()
        self._in_force: _InForce | None = None
        self._told = ""
        self._not_kept: PolicyNotKept | None = None
        self._pause = FIRST_RETRY

    def __call__(self, made: float | None = None) -> bool:
        """False: it failed, and ``last_error`` of the snapshot says why.

        ``made``: the monotonic time of the change that is to be taken up, for those who follow us.
        """
        with self._one_at_a_time:
            self.policy.refresh()
            failure = self.policy.last_error
            if failure is None:
                self._take_note(made)
                self._pause = FIRST_RETRY
            self._tell(str(failure or ""))
            return failure is None

    def retry(self) -> timedelta:
        """Fetches it if the last attempt failed; returns the time until the next attempt, which grows."""
        if self.policy.last_error is None or self():
            return FIRST_RETRY
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_RETRY)
        return pause

    def restore(self) -> None:
        """Decide by the kept policy, if there is no other. One that cannot be used is told."""
        if self._file is None or self.policy.ready:
            return
        try:
            kept = self._file.read()
            if kept is None:
                return
            compiled = compile_policy(kept.root)
        except ArgusError as error:
            _log.error("%s", error)
            return
        confirmed_at = min(kept.confirmed_at, self._clock())  # clocks step back, and it must grow old from now on
        self.policy.adopt(compiled, confirmed_at)
        self._announce(kept.digest, kept.source, confirmed_at, None)
        _log.warning(
            "no PAP has answered: policy %s, which %s had at %s, is used",
            kept.root.id,
            kept.source,
            java_time(confirmed_at),
        )

    def confirm(self, source: str) -> None:
        """``source`` says that its policy has not changed."""
        with self._one_at_a_time:
            known = self._in_force
            if known is not None and known.source == source and self.policy.last_error is None:
                self._in_force = _InForce(known.number, known.digest, source, self._clock())
                self._keep_time()

    @property
    def age(self) -> timedelta | None:
        """Since the policy in force was last known to be the one of its source."""
        known = self._in_force
        return max(self._clock() - known.confirmed_at, timedelta()) if known else None

    def told(self) -> str:
        """Fetches it, and returns what came of it: the answer to the operator, for whom Java has none."""
        if not self():
            return f"Policy NOT reloaded: {self.policy.last_error}\n"
        current = self.policy.current
        return f"Policy reloaded: {current.value.root.id}, in force since {java_time(current.loaded_at)}\n"

    def lines(self) -> list[tuple[str, str]]:
        """For the status page."""
        lines, known, age = policy_lines(self.policy), self._in_force, self.age
        if known is not None and age is not None:
            lines += [
                ("PolicyDigest", known.digest),
                ("PolicySource", known.source),
                ("PolicyAgeSeconds", f"{age.total_seconds():.0f}"),
            ]
        if self._not_kept is not None:
            lines.append(("Problem", str(self._not_kept)))
        return lines

    def _take_note(self, made: float | None) -> None:
        version, known = self.policy.current, self._in_force
        if known is not None and known.number == version.number:
            self._announce(self._digest() or known.digest, self._source(), self._clock(), made)
            self._keep_time()
            return
        root = version.value.root
        _log.info("Loaded version %s of policy %s", root.version, root.id)
        for defect in version.value.defects:
            _log.warning("%s", defect)
        digest = self._digest() or hashlib.sha256(self._writer.write((root,))).hexdigest()
        self._announce(digest, self._source(), self._clock(), made)
        self._keep()

    def _announce(self, digest: str, source: str, confirmed_at: datetime, made: float | None) -> None:
        self._in_force = _InForce(self.policy.current.number, digest, source, confirmed_at)
        self.feed.announce(digest, made)

    def _keep_time(self) -> None:
        """INVARIANT: what is in the file is not made younger unless it is what is in force."""
        if self._file is None or self._in_force is None:
            return
        try:
            if self._not_kept is None:
                self._file.confirm(self._in_force.confirmed_at)
                return
        except PolicyNotKept as error:
            _log.info("%s", error)
        self._keep()

    def _keep(self) -> None:
        if self._file is None or self._in_force is None:
            return
        try:
            document = self._writer.write((self.policy.current.value.root,))
            known = self._in_force
            self._file.write(document, known.digest, known.source, known.confirmed_at)
            self._not_kept = None
        except PolicyNotKept as error:
            if self._not_kept is None:
                _log.error("%s", error)
            self._not_kept = error

    def _tell(self, failure: str) -> None:
        if failure and failure != self._told:
            _log.error("Error refreshing policy from remote PAP, continuing to use existing policy. %s", failure)
        self._told = failure


class LimitedAge:
    """The policy in force, as long as it is not older than it may be."""

    def __init__(self, refresh: PolicyRefresh, longest: timedelta | None) -> None:
        """``longest`` None: any age will do."""
        self._refresh = refresh
        self._longest = longest

    @property
    def current(self) -> Version[CompiledPolicy]:
        """Raises Unavailable: there is none, or it is too old."""
        version = self._refresh.policy.current
        if self._longest is not None and (age := self._refresh.age) is not None and age > self._longest:
            raise PolicyTooOld(age, self._longest)
        return version
