"""``argus import-pap`` and ``argus export-pap``: from a Java PAP to ours, and back.

What is imported is listed by pap-admin as it was before: same ids, versions, order, permissions and paps. The paps are
those that the configuration names, as the Java daemon has them after its next start. Nothing is written if any part
cannot be used. What a site should look at, because it means something else here or never meant what it says, is
told.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from argus_py.config.commons_ini import quoted
from argus_py.config.files import read_text
from argus_py.config.pap_info import FILE_NAME, StoredPap, format_pap_info, load_pap_info
from argus_py.errors import Conflict, MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.pap.authorization import ANYONE, Acl, AclSyntaxError, Permission, format_acl, parse_acl
from argus_py.pap.history import Note
from argus_py.pap.lint.findings import Check, Severity
from argus_py.pap.lint.linter import lint
from argus_py.pap.lint.sources import source_of_pap
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, default_pap
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.state import Held, State, write_state
from argus_py.pap.take_up import (
    AUTHORIZATION_FILE,
    CONFIGURATION_FILE,
    DEFAULT_POLL_INTERVAL,
    take_up_acl,
    take_up_paps,
)
from argus_py.run.pap import MAPPINGS_FILE, PapFiles, new_id
from argus_py.spl.attributes import AttributeMappings
from argus_py.store.java_repository import read_policies, write_policies
from argus_py.store.sql.engine import open_policies

_SECTION: Final = re.compile(r"\s*\[(?P<name>.*)\]\s*")
_FROM_THE_STORE: Final = ("paps", "paps:properties")  # sections that an export writes anew
_WRITE: Final = Permission.POLICY_WRITE | Permission.CONFIGURATION_WRITE


class NotEmpty(Conflict):
    """The database or folder ``target`` holds something already."""

    def __init__(self, target: str, advice: str) -> None:
        super().__init__(f"{target} is not empty{advice}")
        self.target = target


class NotForJava(MalformedInput):
    """Something that a Java PAP could not read back."""


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """``run`` of what is parsed does it."""
    as_configured = "default as configured"
    importing = "take over the policies, paps and permissions of a Java PAP"
    parser = commands.add_parser("import-pap", help=importing, description=importing)
    parser.add_argument("config_dir", type=Path, help="with its ini files: /etc/argus/pap")
    parser.add_argument("repository", type=Path, help="with its policies: /var/lib/argus/pap/repository")
    parser.add_argument("--database", metavar="URL", help=f"where to, {as_configured}")
    parser.add_argument("--replace", action="store_true", help="remove what the database holds")
    parser.add_argument("--dry-run", action="store_true", help="read and check all files, do not touch the database")
    parser.set_defaults(run=_import)

    exporting = "write the configuration and repository of a Java PAP that does the same"
    parser = commands.add_parser("export-pap", help=exporting, description=exporting)
    parser.add_argument("target", type=Path, help="folder to be made, with conf/ and repository/ in it")
    parser.add_argument("--config-dir", type=Path, default="/etc/argus/pap", help="of our PAP, default %(default)s")
    parser.add_argument("--database", metavar="URL", help=f"where from, {as_configured}")
    parser.set_defaults(run=_export)


def _import(arguments: argparse.Namespace) -> int:
    files = PapFiles.load(arguments.config_dir / CONFIGURATION_FILE)
    state, told = java_state(files, arguments.repository)
    for sentence in (*told, *_about_permissions(files.acl)):
        print(f"warning: {sentence}", file=sys.stderr)
    all_of_it = f"{len(state.held)} paps with {sum(map(_rules, state.held))} rules"
    if arguments.dry_run:
        print(f"{all_of_it} would be imported")
        return 0
    policies = open_policies(arguments.database or files.settings.database)
    try:
        import_state(policies, files, state, replacing=arguments.replace)
    finally:
        policies.close()
    print(f"{all_of_it} imported")
    return 0


def java_state(files: PapFiles, repository: Path) -> tuple[State, tuple[str, ...]]:
    """What a Java PAP with this configuration and repository has in force, and sentences about what is left out.

    Raises ConfigurationError, BadRepository.
    """
    told: list[str] = []
    # COMPAT: paps of the configuration that the repository does not know, or knows otherwise, are made anew.
    missing = {pap.alias: pap.created(new_id) for pap in files.settings.paps.paps}
    missing |= {DEFAULT_ALIAS: default_pap(new_id)}
    held: list[Held] = []
    for stored in load_pap_info(repository):
        pap = stored.pap
        wanted = missing.get(pap.alias)
        if wanted is None:
            told.append(f"the pap {pap.alias!r} is left out: {CONFIGURATION_FILE} does not name it")
            continue
        if not pap.is_default and (wanted.public, wanted.remote) != (pap.public, pap.remote):
            otherwise = f"{CONFIGURATION_FILE} says something else about it"
            told.append(f"the policies of the pap {pap.alias!r} are left out: {otherwise}")
            continue
        del missing[pap.alias]
        policies = read_policies(repository, pap)
        told += (f"{repository / pap.id / name} is left out: nothing refers to it" for name in policies.left_out)
        held.append(Held(replace(pap, version=policies.version), policies.resources))
        told += _about_policies(held[-1], files.mappings)
    paps = files.settings.paps
    held += map(Held, missing.values())
    return State(tuple(held), paps.ordering, files.acl, paps.poll_interval), tuple(told)


def import_state(repository: PolicyRepository, files: PapFiles, state: State, *, replacing: bool = False) -> None:
    """Make ``state`` what the repository holds. Raises NotEmpty: it holds policies or paps, and may not lose them."""
    with repository.change(Note("argus import-pap", "import-pap")) as writer:
        before = State.read(writer)
        if not replacing and any(held.resources or held.loose or not held.pap.is_default for held in before.held):
            raise NotEmpty("the policy database", ": --replace removes what it holds")
        write_state(writer, before, state)
    take_up_paps(repository, files.settings.paps, new_id)
    take_up_acl(repository, files.acl)


def _about_policies(held: Held, mappings: AttributeMappings) -> Iterator[str]:
    source = source_of_pap(held.pap.alias, held.resources)
    for finding in lint((source,), mappings):
        if finding.severity is Severity.ERROR or finding.check is Check.NOT_PRIVATE:
            yield f"pap {held.pap.alias!r}, {finding.place}: {finding.text}"


def _about_permissions(acl: Acl) -> Iterator[str]:
    for principal, permissions in acl.entries:
        if principal == ANYONE:
            if permissions & _WRITE:
                yield f"ANYONE has {permissions}: every certificate of a known CA may change policies or permissions"
        elif not isinstance(principal, DistinguishedName):
            yield f"the entry of {principal} had no effect in the Java PAP, and has here: {permissions}"


def _rules(held: Held) -> int:
    return sum(len(policy.rules) for resource in held.resources for policy in resource.policies())


def _export(arguments: argparse.Namespace) -> int:
    files = PapFiles.load(arguments.config_dir / CONFIGURATION_FILE)
    policies = open_policies(arguments.database or files.settings.database)
    try:
        told = export(policies, arguments.config_dir, arguments.target)
    finally:
        policies.close()
    for sentence in told:
        print(f"warning: {sentence}", file=sys.stderr)
    print(f"written to {arguments.target}: conf/ is for /etc/argus/pap, repository/ for the folder that it names")
    return 0


def export(policies: PolicyRepository, config_dir: Path, target: Path) -> tuple[str, ...]:
    """Make ``target``, and return sentences about what a Java PAP will not know.

    Raises ConfigurationError, Unavailable, NotEmpty, NotForJava, BadRepository, OSError.
    """
    with policies.read() as reader:
        state = State.read(reader)
        stored = tuple(StoredPap(held.pap, reader.modified_at(held.pap)) for held in state.held)
    authorization = _authorization(state.acl or Acl())
    configuration = java_configuration(read_text(config_dir / CONFIGURATION_FILE), state)
    if target.exists() and any(target.iterdir()):
        raise NotEmpty(str(target), "")
    conf, repository = target / "conf", target / "repository"
    for folder in (conf, repository):
        folder.mkdir(mode=0o750, parents=True)
    _write(conf / CONFIGURATION_FILE, configuration.encode())
    _write(conf / AUTHORIZATION_FILE, authorization.encode())
    if (config_dir / MAPPINGS_FILE).exists():
        _write(conf / MAPPINGS_FILE, (config_dir / MAPPINGS_FILE).read_bytes())
    for held in state.held:
        write_policies(repository, held.pap, held.resources)
    _write(repository / FILE_NAME, format_pap_info(stored).encode())
    return tuple(
        f"{len(held.loose)} stored objects of the pap {held.pap.alias!r} that nothing refers to are left out"
        for held in state.held
        if held.loose
    )


def _write(file: Path, data: bytes) -> None:
    """For its owner and group: a configuration has secrets in it."""
    file.touch(mode=0o640)
    file.write_bytes(data)


def _authorization(acl: Acl) -> str:
    text = format_acl(acl)
    with suppress(AclSyntaxError):
        if parse_acl(text, AUTHORIZATION_FILE) == acl:
            return text
    raise NotForJava("a name in the permissions is such that the file of a Java PAP cannot carry it")


def java_configuration(text: str, state: State) -> str:
    """The configuration file of a site with the paps of the store in it."""
    kept: list[str] = []
    section = ""
    for line in text.splitlines():
        header = _SECTION.fullmatch(line)
        section = header["name"] if header else section
        if section not in _FROM_THE_STORE:
            kept.append(line)
    lines = [*kept, "", "[paps:properties]"]
    lines.append(f"poll_interval = {(state.poll_interval or DEFAULT_POLL_INTERVAL) // timedelta(seconds=1)}")
    lines += (f"ordering = {alias}" for alias in state.ordering)
    lines += ["", "[paps]"]
    for held in state.held:
        lines += (f"{held.pap.alias}.{key} = {quoted(value)}" for key, value in _keys(held.pap))
    return "\n".join([*lines, ""])


def _keys(pap: Pap) -> list[tuple[str, str]]:
    """COMPAT: nothing is said of the pap ``default``."""
    if pap.is_default:
        return []
    keys = [
        ("type", "local" if pap.is_local else "remote"),
        ("public", str(pap.public).lower()),
        ("enabled", str(pap.enabled).lower()),
    ]
    if pap.remote is not None:
        remote = pap.remote
        keys += [
            ("hostname", remote.hostname),
            ("port", str(remote.port)),
            ("path", remote.path),
            ("protocol", remote.protocol),
        ]
        keys += [("dn", remote.dn)] if remote.dn is not None else []
    return keys
