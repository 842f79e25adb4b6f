"""``argus leases check``: what is wrong with the gridmapdir; ``--repair`` mends what can be mended without harm.

A lease whose account is gone is removed, and what a dead process left half done is ended or undone. All else may be
somebody's account, or somebody's file: the administrator is told which command to run once he knows.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argus_py.cli.leases.command import Call, Exit
from argus_py.cli.leases.maps import misplaced_leases
from argus_py.store.lease_files import read_contents
from argus_py.store.lease_problems import Problem, ProblemKind, lasting, problems, unknown_accounts
from argus_py.store.lease_removal import LEFTOVER_AGE, Removal, clean_up, remove_unless_leased

_BETWEEN_LOOKS: Final = 1.0  # seconds; a daemon has made or withdrawn a lease within a tenth
_MENDABLE: Final = frozenset({ProblemKind.LONE_LEASE, ProblemKind.TEMPORARY})
_WITHOUT_LONE_LEASE: Final = {
    Removal.REMOVED: (True, "removed"),
    Removal.ABSENT: (True, "gone already"),
    Removal.KEPT: (True, "left: it has an account by now"),
    Removal.STRANDED: (False, "left: it has an account by now, and another lease of its name has one too"),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """``outcome``: what was done about it; None: nothing was to be done by us."""

    directory: Path
    problem: Problem
    is_mended: bool = False
    outcome: str | None = None

    @property
    def to_do(self) -> str | None:
        return None if self.is_mended else advice(self.problem, self.directory)


def check(call: Call) -> Exit:
    """Raises Unavailable: a directory cannot be read; ConfigurationError: a map file cannot be used."""
    found = [each for directory in call.directories for each in _check(call, directory)]
    if call.wants_json:
        call.say_json({"problems": list(map(_as_json, found))})
    else:
        for each in found:
            _say(call, each)
    return Exit.FINE if all(each.is_mended for each in found) else Exit.PROBLEMS


def _check(call: Call, directory: Path) -> Iterator[_Found]:
    first = _problems(call, directory)
    if not first:
        return
    call.host.sleep(_BETWEEN_LOOKS)
    for problem in lasting(first, _problems(call, directory)):
        is_ours = call.arguments.repair and problem.kind in _MENDABLE
        yield _mended(call, directory, problem) if is_ours else _Found(directory, problem)


def _problems(call: Call, directory: Path) -> list[Problem]:
    contents = read_contents(directory)
    found = [*problems(contents), *misplaced_leases(contents, call.maps_of(directory))]
    if not call.arguments.no_nss:
        found += unknown_accounts(contents, lambda account: call.host.uid_of(account) is not None)
    return found


def _mended(call: Call, directory: Path, problem: Problem) -> _Found:
    [name] = problem.files
    try:
        if problem.kind is ProblemKind.LONE_LEASE:
            is_mended, outcome = _WITHOUT_LONE_LEASE[remove_unless_leased(directory, name)]
            return _Found(directory, problem, is_mended, outcome)
        leftovers = clean_up(directory, problem.files, LEFTOVER_AGE, call.host.now().timestamp())
    except OSError as error:
        return _Found(directory, problem, False, f"left: {error.strerror}")
    if not leftovers:
        return _Found(directory, problem, False, "left: whoever made it may be at work")
    return _Found(directory, problem, leftovers[0].mended, leftovers[0].outcome)


def _say(call: Call, found: _Found) -> None:
    files = " ".join(map(shlex.quote, found.problem.files))
    call.say(f"{found.problem.kind.value}: {files or found.directory}: {found.problem.reason}")
    if found.outcome is not None:
        call.say(f"    {found.outcome}")
    if found.to_do is not None:
        call.say(f"    to do: {found.to_do}")


def _as_json(found: _Found) -> dict[str, Any]:
    return {
        "problem": found.problem.kind.value,
        "directory": str(found.directory),
        "files": found.problem.files,
        "reason": found.problem.reason,
        "mended": found.is_mended,
        "outcome": found.outcome,
        "to_do": found.to_do,
    }


def advice(problem: Problem, directory: Path) -> str:
    """What the administrator can do about it."""

    def command(action: str, *names: str) -> str:
        return f"argus leases {action} --gridmapdir {shlex.join((str(directory), *names))}"

    match problem.kind:
        case ProblemKind.LONE_LEASE:
            return command("check --repair")
        case ProblemKind.TEMPORARY:
            return (
                f"{command('check --repair')}; what that leaves keeps an account occupied until 'argus leases expire'"
            )
        case ProblemKind.SHARED_ACCOUNT:
            return f"stop the jobs of the account, then {command('release', *problem.files)}"
        case ProblemKind.LEASE_WITHOUT_ACCOUNT:
            return f"make its account anew, or {command('release', *problem.files)}"
        case ProblemKind.ACCOUNT_TWICE:
            return "remove the names that are no accounts, or make each anew as an empty file of its own"
        case ProblemKind.LINKED_ELSEWHERE:
            return (
                "find the other names with find DEVICE -xdev -samefile, such as a backup by hard links, and remove them"
            )
        case ProblemKind.FOREIGN_FILE:
            return "remove it if nobody needs it"
        case ProblemKind.TWO_SPELLINGS:
            return (
                "have Argus and LCMAPS make the same names (docs/leases.md), "
                f"then {command('release', 'LEASE')} for the one that is not used any more"
            )
        case ProblemKind.LETTER_CASE:
            return "none, if they are meant; else release the lease, or remove the account, that is not"
        case ProblemKind.LONG_NAME:
            return "map the subject by shorter group names, or set useSecondaryGroupNamesForMapping = false"
        case ProblemKind.WRONG_POOL:
            return f"once the account is idle: {command('release', *problem.files)}"
        case ProblemKind.UNKNOWN_ACCOUNT:
            return (
                "make the account on this host, or remove its file; --no-nss if the accounts are on other hosts alone"
            )
