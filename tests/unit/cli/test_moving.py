"""From a Java PAP to ours and back, on folders in the layout of Java."""

import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from argus_py.cli.argus import main
from argus_py.cli.moving import NotEmpty, NotForJava, export, import_state, java_state
from argus_py.config.pap_info import load_pap_info
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Permission
from argus_py.pap.editing import Resources
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.state import Held, State, write_state
from argus_py.run.pap import PapFiles, new_id, take_up
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.store.java_repository import BadRepository
from argus_py.store.memory import MemoryPolicies
from argus_py.xacml.policy import PolicySet

BANS = 'resource ".*" { action ".*" { rule deny { subject="CN=Eve,DC=org" } rule deny { fqan="/vo" } } }'
SITE = """resource "wn" { obligation "o" {}
    action "run" { rule permit { vo="ops" } }
    action "b" { rule permit { vo="x" } } }"""
CONFIGURATION = """# Our PAP.
[paps:properties]
poll_interval = 60
ordering = old
[paps]
old.type = local
old.public = true
[standalone-service]
hostname = pap.example.org  # the alias
"""
ADMIN = DistinguishedName.parse_slash("/DC=org/CN=Admin")


def resources(spl: str) -> Resources:
    ids = count(1)
    lowered = lower(parse(spl), DEFAULT_MAPPINGS, lambda: f"id-{next(ids)}")
    return tuple(element for element in lowered if isinstance(element, PolicySet))


CENTRAL = Remote("central.example.org", 8151, "/p/", "http", "CN=c,DC=org")
STATE = State(
    (
        Held(
            Pap(
                "central-2", "central", True, True, Remote("central.example.org", 8151, "/p/", "http", "CN=c,DC=org"), 7
            ),
            resources(BANS),
        ),
        Held(Pap("default-1", "default", True, True, version=3), resources(SITE)),
        Held(Pap("mine-3", "mine"), ()),
    ),
    ("central", "default"),
    Acl(((ADMIN, Permission.ALL), (ANYONE, Permission.POLICY_READ_LOCAL), (Fqan.parse("/vo"), Permission.ALL))),
    timedelta(minutes=10),
)


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "pap_configuration.ini").write_text(CONFIGURATION)
    (folder / "pap_authorization.ini").write_text("[dn]\nANYONE : ALL\n")
    return folder


def store(state: State) -> MemoryPolicies:
    repository = MemoryPolicies(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with repository.change(Note("test", "fill")) as writer:
        write_state(writer, State.read(writer), state)
    return repository


def held_by(repository: MemoryPolicies) -> State:
    with repository.read() as reader:
        return State.read(reader)


def exported(config_dir: Path, state: State = STATE) -> Path:
    target = config_dir.parent / "java"
    assert export(store(state), config_dir, target) == ()
    return target


def read(target: Path) -> tuple[PapFiles, State, tuple[str, ...]]:
    files = PapFiles.load(target / "conf" / "pap_configuration.ini")
    return files, *java_state(files, target / "repository")


def imported(target: Path) -> MemoryPolicies:
    files, state, _ = read(target)
    repository = MemoryPolicies()
    import_state(repository, files, state)
    return repository


def test_what_is_exported_is_imported_again_whole(config_dir: Path) -> None:
    assert held_by(imported(exported(config_dir))) == STATE


def test_after_an_import_the_files_have_been_taken_up(config_dir: Path) -> None:
    target = exported(config_dir)
    repository = imported(target)
    files = PapFiles.load(target / "conf" / "pap_configuration.ini")
    revision = repository.revision()
    import_state(repository, files, held_by(repository), replacing=True)
    assert repository.revision() == revision


def test_the_configuration_of_the_site_is_kept_but_for_the_paps(config_dir: Path) -> None:
    text = (exported(config_dir) / "conf" / "pap_configuration.ini").read_text()
    assert text == (
        "# Our PAP.\n[standalone-service]\nhostname = pap.example.org  # the alias\n\n[paps:properties]\n"
        "poll_interval = 600\nordering = central\nordering = default\n\n[paps]\n"
        "central.type = remote\ncentral.public = true\ncentral.enabled = true\ncentral.hostname = central.example.org\n"
        "central.port = 8151\ncentral.path = /p/\ncentral.protocol = http\ncentral.dn = CN=c\\,DC=org\n"
        "mine.type = local\nmine.public = false\nmine.enabled = false\n"
    )


def test_times_of_change_go_back_to_java(config_dir: Path) -> None:
    stored = load_pap_info(exported(config_dir) / "repository")
    assert [pap.modified_at for pap in stored] == [datetime(2026, 1, 1, tzinfo=UTC)] * 2 + [None]


def test_a_folder_with_something_in_it_is_left_alone(config_dir: Path) -> None:
    with pytest.raises(NotEmpty):
        export(store(STATE), config_dir, config_dir)


def test_objects_that_nothing_refers_to_are_told_and_left_out(config_dir: Path) -> None:
    (default,) = (held for held in STATE.held if held.pap.is_default)
    loose = STATE.holding(replace(default, loose=default.resources[:1], resources=()))
    assert export(store(loose), config_dir, config_dir.parent / "java") == (
        "1 stored objects of the pap 'default' that nothing refers to are left out",
    )


def test_a_name_that_the_file_of_java_cannot_carry_is_refused(config_dir: Path) -> None:
    odd = replace(STATE, acl=Acl(((DistinguishedName.parse_rfc2253('CN=a\\"b'), Permission.ALL),)))
    with pytest.raises(NotForJava):
        export(store(odd), config_dir, config_dir.parent / "java")
    assert not (config_dir.parent / "java").exists()


def test_a_store_with_policies_is_not_overwritten_unasked(config_dir: Path) -> None:
    files, state, _ = read(exported(config_dir))
    repository = store(STATE)
    with pytest.raises(NotEmpty):
        import_state(repository, files, state)
    assert repository.revision() == 1


def test_a_dry_run_does_not_even_make_a_database(config_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = exported(config_dir)
    folders = [str(target / "conf"), str(target / "repository")]
    database = config_dir.parent / "policies.db"
    assert main(["import-pap", *folders, "--database", f"sqlite:///{database}", "--dry-run"]) == 0
    assert capsys.readouterr().out == "3 paps with 4 rules would be imported\n"
    assert not database.exists()


def test_an_import_is_told(config_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = exported(config_dir)
    folders = [str(target / "conf"), str(target / "repository")]
    database = f"sqlite:///{config_dir.parent / 'policies.db'}"
    assert main(["import-pap", *folders, "--database", database]) == 0
    told = capsys.readouterr()
    assert told.out == "3 paps with 4 rules imported\n"
    assert told.err == f"warning: the entry of /vo had no effect in the Java PAP, and has here: {Permission.ALL}\n"
    assert main(["import-pap", *folders, "--database", database]) == 1
    assert capsys.readouterr().err.endswith("is not empty: --replace removes what it holds\n")


def test_paps_that_java_would_delete_are_left_out_and_told(config_dir: Path) -> None:
    target = exported(config_dir)
    file = target / "conf" / "pap_configuration.ini"
    lines = [line for line in file.read_text().split("\n") if not line.startswith(("mine.", "central.public"))]
    file.write_text("\n".join([*lines[:-1], "central.public = false", ""]))
    _, state, told = read(target)
    assert [held.pap.alias for held in state.held] == ["default", "central"]
    assert state.of("central").resources == ()
    assert told == (
        "the policies of the pap 'central' are left out: pap_configuration.ini says something else about it",
        "the pap 'mine' is left out: pap_configuration.ini does not name it",
    )


def test_a_pap_of_the_configuration_is_there_whatever_the_repository_knows_of_it(config_dir: Path) -> None:
    """Also if our daemon has run before and has taken the file up: else a central ban list would be lost."""
    target = exported(config_dir)
    file = target / "conf" / "pap_configuration.ini"
    file.write_text(file.read_text().replace("central.public = true", "central.public = false"))
    repository = MemoryPolicies()
    ensure_default_pap(repository, new_id)
    take_up(PapFiles.load(file), repository)
    files, state, _ = read(target)
    import_state(repository, files, state, replacing=True)
    central = held_by(repository).of("central").pap
    assert (central.public, central.enabled, central.remote) == (False, True, CENTRAL)
    assert central.id.startswith("central-")
    assert held_by(repository).ordering == ("central", "default")


def test_the_pap_default_is_there_whatever_the_repository_knows(config_dir: Path) -> None:
    target = exported(config_dir)
    file = target / "repository" / "pap_info.ini"
    lines = file.read_text().split("\n")
    file.write_text("\n".join(line for line in lines if not line.startswith("default.")))
    repository = imported(target)
    default = held_by(repository).of("default")
    assert (default.pap.enabled, default.pap.public, default.resources) == (True, True, ())


def test_files_are_in_utf8_whatever_the_locale(config_dir: Path) -> None:
    file = config_dir / "pap_configuration.ini"
    text = CONFIGURATION.replace("Our PAP", "Für alle")
    file.write_text(f"{text}[repository]\nlocation = {config_dir.parent}\n", encoding="utf-8")
    target = config_dir.parent / "java"
    command = [sys.executable, "-P", "-m", "argus_py.cli.argus", "export-pap", str(target)]
    done = subprocess.run(
        [*command, "--config-dir", config_dir],
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        check=False,
    )
    assert done.returncode == 0
    assert "# Für alle." in (target / "conf" / "pap_configuration.ini").read_text(encoding="utf-8")


def test_what_may_hold_a_password_is_not_for_everybody(config_dir: Path) -> None:
    conf = exported(config_dir) / "conf"
    assert {stat.S_IMODE(file.stat().st_mode) for file in conf.iterdir()} == {0o640}


def test_nothing_is_imported_from_a_broken_repository(config_dir: Path) -> None:
    target = exported(config_dir)
    next((target / "repository" / "central-2").glob("Policy_*")).unlink()
    with pytest.raises(BadRepository):
        read(target)


def test_what_the_policies_do_not_mean_as_they_stand_is_told(config_dir: Path) -> None:
    (default,) = (held for held in STATE.held if held.pap.is_default)
    (resource,) = default.resources
    first, second = resource.policies()
    odd = replace(first, id="private-1", rules=(replace(second.rules[0], id="r"), *first.rules))
    state = STATE.holding(replace(default, resources=(replace(resource, children=(odd, second)),)))
    _, _, told = read(exported(config_dir, state))
    assert [sentence for sentence in told if "loaded as a private action" in sentence]
