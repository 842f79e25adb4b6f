"""Pool accounts of a gridmapdir, by the code of the daemons; the names of leases are those of LCMAPS."""

import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from argus_py.model.dn import DistinguishedName
from argus_py.pep.mapping.lease_name import lease_name, other_spellings
from argus_py.store.gridmapdir import GridMapDir


def lease(
    gridmapdir: str, dn: DistinguishedName, groups: Sequence[str], pool: str, *, warn: Callable[[str], None]
) -> str:
    """The account; ``warn`` is told what the directory has that it should not have.

    Raises Unmapped, Unavailable, ConfigurationError.
    """
    logging.getLogger("argus_py").addHandler(_Handler(warn))
    directory = GridMapDir(Path(gridmapdir), random.SystemRandom())
    return directory.lease(lease_name(dn, groups), pool, other_spellings(dn, [groups])).account


class _Handler(logging.Handler):
    def __init__(self, warn: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._warn = warn

    def emit(self, record: logging.LogRecord) -> None:
        self._warn(record.getMessage())
