"""Files that readers see whole: the old content or the new one, never a part, also after a power cut."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, data: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """As ``replacing`` with this content. Raises OSError: the old file stays."""
    with replacing(path, mode, owner) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, mode: int, owner: tuple[int, int] | None = None) -> Iterator[BinaryIO]:
    """A new file that takes the place of what is there when the block ends; an exception leaves the old one.

    A link there is replaced, not followed. Until then the file can be read by its maker alone. ``owner``: uid and gid.

    Raises OSError: the old file stays.
    """
    opened, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with open(opened, "wb") as file:
            yield file
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:  # also of the block, and of whoever presses Ctrl-C
        with suppress(OSError):
            os.unlink(name)
        raise
    _to_disk(path.parent)


def _to_disk(directory: Path) -> None:
    """The name too, which is an entry of the directory."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
