"""Files that a command of ``argus site`` makes: all of them or none is refused before the first is written.

A file that has the content already is left alone, and so is one that differs in the password alone, which is made anew
each time.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argus_py.cli.site.command import Call
from argus_py.errors import Conflict
from argus_py.store.whole_file import replace_file

_PASSWORD = re.compile(r"(?m)^((?:adminPassword|shutdown_command)\s*=).*")
_LONGEST: Final = 1024 * 1024  # characters of a file that are compared for people


class FilesExist(Conflict):
    """``paths`` are there and differ from what would be written."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        listed = ", ".join(map(str, self.paths))
        super().__init__(f"nothing was written: {listed} would be replaced; --dry-run shows how, --force does it")


class NoFile(Conflict):
    """Something else than a file is at ``path``."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"nothing was written: {path} is there and is no regular file")
        self.path = path


@dataclass(frozen=True, slots=True)
class NewFile:
    """``owner``: uid and gid, None: those of the process."""

    path: Path
    text: str
    mode: int = 0o644
    owner: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class NewFolder:
    path: Path
    mode: int = 0o755
    owner: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class PoolAccounts:
    """Files to be added to a gridmapdir. Those that are there may have leases and are not touched."""

    folder: NewFolder
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """``folders`` before their files, outer ones before inner ones."""

    files: tuple[NewFile, ...]
    folders: tuple[NewFolder, ...] = ()
    pool_accounts: PoolAccounts | None = None


def carry_out(call: Call, plan: Plan) -> None:
    """By ``--force`` and ``--dry-run``. Raises FilesExist, NoFile: nothing was written; OSError."""
    changed = [file for file in plan.files if not _is_there(file)]
    if call.arguments.dry_run:
        for line in _announced(plan, changed):
            call.say(line)
        return
    if not call.arguments.force and (in_the_way := [file.path for file in changed if file.path.exists()]):
        raise FilesExist(in_the_way)
    for folder in plan.folders:
        _make(folder)
    for file in changed:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file.path, file.text.encode(), file.mode, file.owner)
    for file in plan.files:
        call.say(f"{'written' if file in changed else 'unchanged'}: {file.path}")
    if plan.pool_accounts is not None:
        added = _add_accounts(plan.pool_accounts)
        call.say(
            f"{plan.pool_accounts.folder.path}: {added} pool accounts added, {len(plan.pool_accounts.names)} wanted"
        )


def _is_there(file: NewFile) -> bool:
    """Raises NoFile."""
    if file.path.exists() and not file.path.is_file():
        raise NoFile(file.path)
    return file.path.exists() and _masked(_old_text(file.path)) == _masked(file.text)


def _old_text(path: Path) -> str:
    return path.read_text(errors="backslashreplace")


def _masked(text: str) -> str:
    return _PASSWORD.sub(r"\1 ********", text)


def _announced(plan: Plan, changed: Sequence[NewFile]) -> Iterator[str]:
    for folder in plan.folders:
        if not folder.path.exists():
            yield f"would make the folder {folder.path} with the mode {folder.mode:04o}"
    for file in plan.files:
        if file not in changed:
            yield f"would leave {file.path} as it is"
        elif file.path.exists():
            yield f"would replace {file.path}, with --force:"
            yield from _difference(file)
        else:
            yield f"would write {file.path} with the mode {file.mode:04o}:"
            yield from (f"    {line}".rstrip() for line in _masked(file.text).splitlines())
    if plan.pool_accounts is not None:
        gridmapdir = plan.pool_accounts.folder.path
        missing = [name for name in plan.pool_accounts.names if not (gridmapdir / name).exists()]
        yield f"would add {len(missing)} pool accounts to {gridmapdir}"


def _difference(file: NewFile) -> Iterator[str]:
    old = _old_text(file.path)
    if max(len(old), len(file.text)) > _LONGEST:
        yield "    (too long to be compared here)"
        return
    lines = difflib.unified_diff(
        _masked(old).splitlines(), _masked(file.text).splitlines(), "is", "would be", lineterm=""
    )
    yield from (f"    {line}" for line in lines)


def _make(folder: NewFolder) -> None:
    """One that is there keeps its mode and owner."""
    if folder.path.is_dir():
        return
    folder.path.parent.mkdir(parents=True, exist_ok=True)
    folder.path.mkdir(folder.mode)
    folder.path.chmod(folder.mode)  # whatever the umask takes away
    if folder.owner is not None:
        os.chown(folder.path, *folder.owner)


def _add_accounts(accounts: PoolAccounts) -> int:
    _make(accounts.folder)
    added = 0
    for name in accounts.names:
        try:
            opened = os.open(accounts.folder.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        except FileExistsError:
            continue
        try:
            if accounts.folder.owner is not None:
                os.fchown(opened, *accounts.folder.owner)
        finally:
            os.close(opened)
        added += 1
    return added
