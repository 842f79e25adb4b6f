"""A mount namespace in which a worker node has files of its own under the names that programs know."""

import sys
from collections.abc import Mapping
from pathlib import Path


def enter_script(base: Path, mounts: Mapping[str, Path]) -> str:
    """A shell script that mounts files and folders over those of the machine, then becomes the command it is given.

    A name that the machine does not have stays missing. The interpreter may be root's own: then it is made visible,
    with nothing else of root's. ``base`` has a folder ``python`` for that.
    """
    lines = ["set -e", *(f"[ ! -e {name} ] || mount --rbind {file} {name}" for name, file in mounts.items())]
    interpreter = Path(sys.base_prefix)
    closed = next((each for each in reversed(interpreter.parents) if not each.stat().st_mode & 0o001), None)
    if closed is not None:
        lines += [
            f"mount --bind {interpreter} {base}/python",
            f"mount -t tmpfs -o mode=755 none {closed}",
            f"mkdir -p {interpreter}",
            f"mount --bind {base}/python {interpreter}",
        ]
    return "\n".join([*lines, f"cd {base}", 'exec "$@"', ""])
