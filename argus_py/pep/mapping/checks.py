"""What is suspicious about map files that can be read: lines without effect, names that nobody can have.

All of it is for the log and the status page; the files are used as they are.
"""

from collections.abc import Callable, Iterator

from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.pep.mapping.map_file import MapEntry, MapFile, MapProblem, MapTarget
from argus_py.pep.mapping.plan import ROOT


def shadowed_lines(accounts: MapFile) -> Iterator[MapProblem]:
    """Lines of an account map that never come to their turn; harmless ones, with the same target, are left out.

    Of a group map every line counts.
    """
    for first, entry in accounts.repeated_names():
        yield from _shadowed(accounts.file, first, entry)
    for entry in accounts.entries:
        if entry.pattern is not None:
            yield from _shadowed(accounts.file, _first_for_all(accounts, entry.pattern), entry)


def _first_for_all(accounts: MapFile, pattern: FqanPattern) -> MapEntry:
    """The first line that matches whatever the pattern matches."""
    candidates = accounts.of_fqan(Fqan(pattern.group, pattern.role))  # a role "*" is matched by the role "*" alone
    return next(entry for entry in candidates if entry.pattern and (entry.pattern.subgroups or not pattern.subgroups))


def _shadowed(file: str, first: MapEntry, entry: MapEntry) -> Iterator[MapProblem]:
    if first.targets[0] != entry.targets[0]:
        yield MapProblem(file, entry.line, f"has no effect: line {first.line} matches all that it matches")


def root_targets(map_file: MapFile) -> Iterator[MapProblem]:
    for target in _distinct(map_file):
        if target.name == ROOT:
            yield MapProblem(map_file.file, target.entry.line, f"leads to {ROOT}: whom it matches is refused")


def broken_lease_names(groups: MapFile) -> Iterator[MapProblem]:
    """Groups that no file name can contain, or that make two lists of groups look the same in one."""
    for target in _distinct(groups):
        if set(target.name) & set(":/\0"):
            reason = f"names the group {target.name!r}: with such a character it cannot be part of a lease name"
            yield MapProblem(groups.file, target.entry.line, reason)


def unknown_targets(map_file: MapFile, known: Callable[[str], bool]) -> Iterator[MapProblem]:
    """``known`` is asked once for every target; pools come with their dot."""
    for target in _distinct(map_file):
        if not known(target.name):
            yield MapProblem(map_file.file, target.entry.line, f"leads to {target.name!r}, which does not exist here")


def _distinct(map_file: MapFile) -> Iterator[MapTarget]:
    """Every target once, with the first line that names it."""
    seen: set[str] = set()
    for entry in map_file.entries:
        for name in entry.targets:
            if name not in seen:
                seen.add(name)
                yield MapTarget(name, entry)
