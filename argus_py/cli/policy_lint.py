"""What lint needs of files: policy texts, and the map files of a PEP daemon."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argus_py.cli.policy_files import read_bounded
from argus_py.errors import Unmapped
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.lint.findings import Check, Finding, Place
from argus_py.pap.lint.readings import PolicySource
from argus_py.pap.lint.sources import source_of_text
from argus_py.pep.mapping.accounts import account_indicator
from argus_py.pep.mapping.groups import group_targets
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.map_file import MAX_SIZE, MapFile, MapFileError, parse_map_file
from argus_py.spl.ast import Position
from argus_py.spl.attributes import AttributeMappings
from argus_py.spl.lexer import MAX_LENGTH

_LONGEST_CHARACTER: Final = 4  # octets, in UTF-8
MAX_OCTETS: Final = MAX_LENGTH * _LONGEST_CHARACTER  # of a policy file
_NOBODY: Final = DistinguishedName(())


@dataclass(frozen=True, slots=True)
class MapFiles:
    """Those of an account mapping. ``groups`` None: groups do not matter."""

    accounts: MapFile
    groups: MapFile | None = None

    @classmethod
    def load(cls, accounts: Path, groups: Path | None) -> "MapFiles":
        """Raises MapFileError; OSError: a file cannot be read."""
        return cls(_load(accounts), None if groups is None else _load(groups))

    def has_account(self, subject: DistinguishedName | None, fqan: Fqan) -> bool:
        try:
            account_indicator(self.accounts, _identity(subject, fqan), prefer_dn=True)
        except Unmapped:
            return False
        return True

    def has_group(self, subject: DistinguishedName | None, fqan: Fqan) -> bool:
        return self.groups is None or bool(group_targets(self.groups, _identity(subject, fqan), prefer_dn=True))


def _load(file: Path) -> MapFile:
    octets = read_bounded(file, MAX_SIZE)
    if len(octets) > MAX_SIZE:
        raise MapFileError(str(file), 1, f"the file is larger than {MAX_SIZE} octets")
    return parse_map_file(octets.decode("utf-8-sig", "surrogateescape"), str(file))


def _identity(subject: DistinguishedName | None, fqan: Fqan) -> GridIdentity:
    return GridIdentity(subject or _NOBODY, fqan, (fqan,))


def source_of_file(file: str, octets: bytes, mappings: AttributeMappings) -> PolicySource:
    """``octets``: one more than MAX_OCTETS tells that the file is too long."""
    try:
        return source_of_text(file, octets.decode(), mappings)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        problem = Finding(Check.SYNTAX, Place(file, Position(line, 1)), "this line is not UTF-8")
        return PolicySource(file, (), findings=(problem,))
