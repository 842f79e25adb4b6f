"""``argus leases release`` and ``expire``: accounts go back to their pools, unless somebody may be using them.

Both decide by what they see, and then a lease is removed only if it still is what they saw: a daemon that uses it at
that moment wins.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from argus_py.cli.leases.command import Call, Exit
from argus_py.cli.leases.names import shown_time
from argus_py.model.dn import DistinguishedName
from argus_py.store.account_use import named_by_command, uids_with_files_since, uids_with_processes
from argus_py.store.lease_files import Contents, FileKind, LeaseFile, person_key, read_contents, read_lease_name
from argus_py.store.lease_removal import LEFTOVER_AGE, Removal, read_temporary, remove_lease

_UNKNOWN: Final = "this host does not know the account, and cannot tell whether it is in use"
_KEPT, _GONE, _STRANDED, _FAILED = "kept", "gone", "stranded", "failed"
_NOT_REMOVED: Final = {
    Removal.KEPT: (_KEPT, "it was used meanwhile"),
    Removal.ABSENT: (_GONE, "somebody else has removed it meanwhile"),
    Removal.STRANDED: (_STRANDED, "it was used meanwhile and also made anew; the old account stays occupied"),
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A lease, or what a dead process left of one, with its account if it has any."""

    directory: Path
    file: LeaseFile
    account: str | None


WhyKept = Callable[[_Candidate], str | None]
"""None: nothing stands against its removal."""


def release(call: Call) -> Exit:
    """Raises Unavailable: a directory cannot be read, or nobody can say which accounts have processes."""
    candidates = [each for directory in call.directories for each in _named(call, read_contents(directory))]
    found = {each.file.name for each in candidates}
    missing = [f"there is no lease {name}" for name in call.arguments.lease if name not in found]
    if not candidates and not missing:
        missing = ["there is no such lease"]
    for complaint in missing:
        call.warn(complaint)
    why_kept = _nothing if call.arguments.force or not candidates else _with_processes(call)
    exit_code = _exit_code(_remove(call, "released", candidates, why_kept), (_KEPT, _STRANDED))
    return max(exit_code, Exit.PROBLEMS if missing else Exit.FINE)


def expire(call: Call) -> Exit:
    """Raises Unavailable: a directory cannot be read, or nobody can say which accounts are in use."""
    limit = call.host.now() - call.arguments.older_than
    candidates = [each for directory in call.directories for each in _old(call, read_contents(directory), limit)]
    why_kept = _in_use(call, candidates, limit) if candidates else _nothing
    return _exit_code(_remove(call, "expired", candidates, why_kept), (_STRANDED,))


# --- Which


def _candidates(contents: Contents, kinds: Iterable[FileKind]) -> Iterator[_Candidate]:
    for kind in kinds:
        for file in contents.of_kind(kind):
            yield _Candidate(contents.directory, file, contents.account_of(file))


def _named(call: Call, contents: Contents) -> Iterator[_Candidate]:
    """Those that the arguments name: leases and temporary names by name, leases by subject or account."""
    names: frozenset[str] = frozenset(call.arguments.lease)
    subject: DistinguishedName | None = call.arguments.subject
    account: str | None = call.arguments.account
    person = None if subject is None else person_key(subject)
    for each in _candidates(contents, (FileKind.LEASE, FileKind.TEMPORARY)):
        if (
            each.file.name in names
            or (account is not None and each.account == account)
            or (person is not None and person_key(_dn(each.file)) == person)
        ):
            yield each


def _old(call: Call, contents: Contents, limit: datetime) -> Iterator[_Candidate]:
    """Leases in order, and left-over names that keep an account occupied, all unused since ``limit``."""
    for each in _candidates(contents, (FileKind.LEASE, FileKind.TEMPORARY)):
        if each.account is None or each.file.links != 2 or each.file.last_use >= limit:
            continue
        temporary = read_temporary(each.file.name)
        if temporary is None or temporary.is_older(LEFTOVER_AGE, call.host.now().timestamp()):
            yield each


# --- What stands against it


def _nothing(_candidate: _Candidate) -> None:
    return None


def _with_processes(call: Call) -> WhyKept:
    uids = uids_with_processes(call.host.proc)

    def why_kept(candidate: _Candidate) -> str | None:
        if candidate.account is None:
            return None
        uid = call.host.uid_of(candidate.account)
        if uid is None:
            return f"{_UNKNOWN}; --force releases it"
        return "its account has processes on this host; --force releases it" if uid in uids else None

    return why_kept


def _in_use(call: Call, candidates: Iterable[_Candidate], limit: datetime) -> WhyKept:
    """Everything is asked once, before the first removal."""
    arguments = call.arguments
    asked_by_uid = arguments.processes or bool(arguments.files)
    with_processes = uids_with_processes(call.host.proc) if arguments.processes else frozenset()
    with_files = uids_with_files_since(arguments.files, limit)
    accounts = sorted({candidate.account for candidate in candidates if candidate.account is not None})
    busy = named_by_command(arguments.busy_command, accounts) if arguments.busy_command else frozenset()

    def why_kept(candidate: _Candidate) -> str | None:
        uid = None if candidate.account is None else call.host.uid_of(candidate.account)
        if candidate.account in busy:
            return "the busy command names its account"
        if uid is None:
            return f"{_UNKNOWN}; --no-processes if it never runs anything here" if asked_by_uid else None
        if uid in with_processes:
            return "its account has processes on this host"
        return "its account has files that are younger" if uid in with_files else None

    return why_kept


# --- Doing it


@dataclass(frozen=True, slots=True)
class _Report:
    candidate: _Candidate
    action: str
    reason: str | None = None


def _remove(call: Call, done: str, candidates: Iterable[_Candidate], why_kept: WhyKept) -> tuple[_Report, ...]:
    """Tells of each lease as it goes; ends at the first that the file system refuses."""
    reports: list[_Report] = []
    for candidate in candidates:
        report = _removed(call, done, candidate, why_kept(candidate))
        reports.append(report)
        if not call.wants_json:
            _say(call, report)
        if report.action == _FAILED:
            break
    if call.wants_json:
        call.say_json({"leases": list(map(_as_json, reports))})
    return tuple(reports)


def _removed(call: Call, done: str, candidate: _Candidate, why_kept: str | None) -> _Report:
    if why_kept is not None:
        return _Report(candidate, _KEPT, why_kept)
    if call.arguments.dry_run:
        return _Report(candidate, f"would be {done}")
    seen = candidate.file

    def keep(found: os.stat_result) -> bool:
        is_as_seen = found.st_ino == seen.inode and found.st_mtime_ns == seen.used_ns and found.st_nlink <= seen.links
        return not is_as_seen

    try:
        removal = remove_lease(candidate.directory, seen.name, keep, call.host.sleep)
    except OSError as error:
        return _Report(candidate, _FAILED, error.strerror)
    return _Report(candidate, done) if removal is Removal.REMOVED else _Report(candidate, *_NOT_REMOVED[removal])


def _exit_code(reports: Iterable[_Report], problems: Collection[str]) -> Exit:
    actions = {report.action for report in reports}
    if _FAILED in actions:
        return Exit.UNAVAILABLE
    return Exit.PROBLEMS if actions.intersection(problems) else Exit.FINE


def _say(call: Call, report: _Report) -> None:
    file, account = report.candidate.file, report.candidate.account
    reason = "" if report.reason is None else f": {report.reason}"
    of_account = "no account" if account is None else account
    call.say(f"{report.action} {file.name} ({of_account}, last used {shown_time(file.last_use)}){reason}")


def _as_json(report: _Report) -> dict[str, Any]:
    candidate = report.candidate
    return {
        "action": report.action,
        "reason": report.reason,
        "directory": str(candidate.directory),
        "lease": candidate.file.name,
        "account": candidate.account,
        "last_use": shown_time(candidate.file.last_use),
    }


def _dn(file: LeaseFile) -> str:
    temporary = read_temporary(file.name)
    return read_lease_name(file.name if temporary is None else temporary.lease or "").dn
