"""The policy folder of a Java PAP: one XML file per PolicySet and Policy in a folder per pap, read and written.

What no reference leads to is told and left out, as the Java daemon deletes it at its next start. Nothing of a pap is
given if a part of it cannot be used: what is missing could be a ban.

Source: argus-pap:src/main/java/org/glite/authz/pap/repository/dao/filesystem/*.java
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.pap.editing import version_number
from argus_py.pap.forest import MAX_DEPTH, by_references, root_of, within
from argus_py.pap.paps import Pap
from argus_py.xacml.policy import Policy, PolicyIdReference, PolicySet, PolicySetIdReference
from argus_py.xacml.policy_xml import (
    PolicySetChild,
    policy_set_to_element,
    policy_to_element,
    read_policy,
    read_policy_set,
)

_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")  # ids are parts of file names there
_FILE: Final = re.compile(r"(?:PolicySet|Policy)_(?P<id>.+)\.xml")
_FILE_LIMIT: Final = 64 << 20  # octets; the largest action of a real site has some thousand rules of 1 KiB
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>'
_INDENT: Final = "    "

Element = TypeVar("Element", PolicySet, Policy)


class BadRepository(MalformedInput):
    """The ``problems`` of a policy folder, each a sentence that names the file."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class StoredPolicies:
    """``version`` of the root; ``left_out``: files that nothing leads to, by name."""

    version: int
    resources: tuple[PolicySet, ...]
    left_out: tuple[str, ...]


def read_policies(repository: Path, pap: Pap) -> StoredPolicies:
    """The policies of one pap. Raises BadRepository: with everything that is wrong."""
    reading = _Reading(repository / _part_of_path(pap.id))
    root = reading.read("PolicySet", pap.id, read_policy_set, "the root of the pap")
    resources = tuple(reading.resources(root)) if root else ()
    if root is None or reading.problems:
        raise BadRepository(tuple(reading.problems))
    # COMPAT: a Version that is no integer starts again at 1.
    version = 0 if root.version == "0" else version_number(root.version) or 1
    return StoredPolicies(version, resources, reading.left_out())


def write_policies(repository: Path, pap: Pap, resources: tuple[PolicySet, ...]) -> None:
    """Make the folder of a pap, which must not be there. Raises OSError; BadRepository: an id cannot be a file name."""
    folder = repository / _part_of_path(pap.id)
    folder.mkdir(mode=0o750)
    for element in (root_of(pap, resources), *(part for resource in resources for part in within(resource))):
        if isinstance(element, Policy):
            _write(folder / f"Policy_{_part_of_path(element.id)}.xml", policy_to_element(element))
        else:
            document = policy_set_to_element(by_references(element))
            _write(folder / f"PolicySet_{_part_of_path(element.id)}.xml", document)


class _Reading:
    """One pass over the folder of a pap; remembers what it met."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[str] = []
        self._folder = folder
        self._met: set[str] = set()

    def resources(self, root: PolicySet) -> Iterator[PolicySet]:
        for child in root.children:
            if not isinstance(child, PolicySetIdReference):
                self.problems.append(f"{self._folder}: the root holds something else than references to policy sets")
                continue
            resource = self._resolved(child, root.id, 1)
            if isinstance(resource, PolicySet):
                yield resource

    def read(self, kind: str, id: str, parse: Callable[[bytes], Element], wanted: str) -> Element | None:
        """None: with what is wrong among the problems."""
        file = self._folder / f"{kind}_{_part_of_path(id)}.xml"
        if file.name in self._met:
            self.problems.append(f"{file}: {wanted}, and by another reference")
            return None
        self._met.add(file.name)
        try:
            if file.stat().st_size > _FILE_LIMIT:
                self.problems.append(f"{file}: larger than {_FILE_LIMIT} octets")
                return None
            element = parse(file.read_bytes())
        except OSError as error:
            self.problems.append(f"{file}: {wanted}: {error.strerror}")
        except MalformedInput as error:
            self.problems.append(f"{file}: {error}")
        else:
            if element.id == id:
                return element
            self.problems.append(f"{file}: holds {element.id!r}")
        return None

    def left_out(self) -> tuple[str, ...]:
        there = (entry.name for entry in self._folder.iterdir())
        return tuple(sorted(name for name in there if _FILE.fullmatch(name) and name not in self._met))

    def _resolved(self, child: PolicySetChild, owner: str, depth: int) -> PolicySetChild:
        """What a reference in the set ``owner`` leads to; what cannot be read stays a reference."""
        wanted = f"named by {owner}"
        if isinstance(child, PolicyIdReference):
            return self.read("Policy", child.id, read_policy, wanted) or child
        if not isinstance(child, PolicySetIdReference):
            return child
        if depth > MAX_DEPTH:
            self.problems.append(f"{self._folder}: {child.id} is nested in more than {MAX_DEPTH} policy sets")
            return child
        policy_set = self.read("PolicySet", child.id, read_policy_set, wanted)
        if policy_set is None:
            return child
        children = tuple(self._resolved(each, policy_set.id, depth + 1) for each in policy_set.children)
        return replace(policy_set, children=children)


def _part_of_path(id: str) -> str:
    """Raises BadRepository: what an id says could lead out of the folder."""
    if _ID.fullmatch(id) is None:
        raise BadRepository((f"the id {id!r} cannot be part of a file name",))
    return id


def _write(file: Path, element: etree._Element) -> None:
    etree.indent(element, _INDENT)
    # COMPAT: the element stands right behind the declaration.
    file.write_bytes(_DECLARATION + etree.tostring(element, encoding="UTF-8", xml_declaration=False) + b"\n")
