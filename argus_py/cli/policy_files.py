"""Policies from files, in whichever language they are written: XACML documents, or texts for pap-admin."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.spl.places import lines_by_id
from argus_py.xacml.policy import Combining, Policy, PolicySet
from argus_py.xacml.policy_xml import MAX_BYTES, read_policy_document
from argus_py.xacml.references import resolve

_MARKUP: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*<")  # no policy text begins with one


class FileRefused(MalformedInput):
    """What is in a ``file`` cannot be used; the cause says why."""

    def __init__(self, file: Path, cause: MalformedInput) -> None:
        super().__init__(f"{file}: {cause}")
        self.file = file


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """``lines`` are those of a policy text, by the ids that its elements were given."""

    root: PolicySet | Policy
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GivenPolicies:
    """``root`` has what it refers to in the place of the references, ``broken`` tells which of them cannot be followed.

    ``lines`` as of PolicyFile, if the root is a text.
    """

    root: PolicySet | Policy
    broken: tuple[str, ...]
    lines: Mapping[str, int]


def read_policies(files: Iterable[Path]) -> GivenPolicies:
    """The first file has the root, the others what it may refer to, besides what is in it.

    Raises FileRefused, PolicyTooLarge; OSError: a file cannot be read.
    """
    first, *others = map(read_policy_file, files)
    if isinstance(first.root, Policy):
        return GivenPolicies(first.root, (), first.lines)
    resolved = resolve(first.root, (other.root for other in others))
    broken = tuple(f"{' of '.join(reversed(each.path))}: {each.reason}" for each in resolved.broken)
    return GivenPolicies(resolved.root, broken, first.lines)


def read_policy_file(file: Path) -> PolicyFile:
    """Raises FileRefused; OSError: it cannot be read."""
    octets = read_bounded(file, MAX_BYTES)
    try:
        return PolicyFile(read_policy_document(octets)) if _MARKUP.match(octets) else _of_text(file.name, octets)
    except MalformedInput as error:
        raise FileRefused(file, error) from error


def read_bounded(file: Path, limit: int) -> bytes:
    """One octet more than the limit tells the parser that the file is too long. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(limit + 1)


def _of_text(name: str, octets: bytes) -> PolicyFile:
    """As a pap with nothing else in it would hand it to a PDP."""
    elements = parse(octets.decode("utf-8-sig", "replace"))
    lowered = lower(elements, DEFAULT_MAPPINGS, _numbers().__next__)
    root = PolicySet(name, Combining.POLICIES_FIRST_APPLICABLE, lowered)
    return PolicyFile(root, lines_by_id(elements, lowered))


def _numbers() -> Iterator[str]:
    return map(str, count(1))
