"""pyproject.toml, README, Makefile and CI say what is true of the package."""

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint, packages_distributions
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from argus_py.cli import pap_admin, pepcli
from argus_py.cli.argus import command_line
from argus_py.cli.pap_admin import Site, Told
from argus_py.cli.pap_admin.arguments import Arguments
from argus_py.cli.pap_admin.command import Console
from argus_py.store.sql import migrations

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "deploy" / "README.md"]
README = (ROOT / "README.md").read_text()


def shell_lines(markdown: str) -> list[list[str]]:
    """The words of each command in the ``sh`` blocks, comments dropped and continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


COMMANDS = shell_lines(README)


def of(program: str) -> list[list[str]]:
    return [words[1:] for words in COMMANDS if words[0] == program]


# pyproject.toml


def required() -> dict[str, str]:
    """Lower bound by name of each dependency that the package itself has."""
    pairs = (re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", each) for each in PYPROJECT["project"]["dependencies"])
    return {pair[1]: pair[2] for pair in pairs if pair}


def third_party_imports() -> set[str]:
    """Top-level modules that the package imports and that are neither its own nor the standard library's."""
    roots = set()
    for path in (ROOT / "argus_py").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots.add(str(node.module).split(".")[0])
    return roots - sys.stdlib_module_names - {"argus_py"}


def test_each_dependency_has_a_lower_bound_and_a_reason() -> None:
    listed = re.findall(
        r'^    "([\w-]+)(?:\[\w+\])?>=[\d.]+", +# \S.*$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    assert len(listed) == sum(map(len, [PYPROJECT["project"]["dependencies"], *extras]))


def test_what_is_imported_is_a_dependency_and_the_other_way_round() -> None:
    providers = packages_distributions()
    imported = {name.lower() for module in third_party_imports() for name in providers[module]}
    assert imported == set(required())


@pytest.mark.parametrize(("name", "target"), PYPROJECT["project"]["scripts"].items())
def test_each_command_has_its_entry_point(name: str, target: str) -> None:
    assert callable(EntryPoint(name, target, "console_scripts").load())


def test_a_wheel_carries_the_migrations_where_the_program_looks_for_them() -> None:
    included = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert ROOT / included["alembic"] == migrations._INSTALLED


def test_alembic_finds_its_scripts_by_pyproject() -> None:
    scripts = ScriptDirectory.from_config(Config(toml_file=ROOT / "pyproject.toml"))
    assert len(scripts.get_heads()) == 1
    for revision in scripts.walk_revisions():
        assert Path(revision.path).parent == ROOT / "alembic" / "versions"
        assert Path(revision.path).name.startswith(f"{revision.revision}_")


# The documents


LINKS = [
    (document.relative_to(ROOT), target)
    for document in DOCUMENTS
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text())
    if "://" not in target
]


@pytest.mark.parametrize(("document", "target"), LINKS, ids=str)
def test_linked_files_exist(document: Path, target: str) -> None:
    assert (ROOT / document.parent / target).exists()


def test_the_readme_links_every_document() -> None:
    linked = {ROOT / target for document, target in LINKS if document == Path("README.md")}
    assert set(DOCUMENTS) - linked == {ROOT / "README.md"}


def test_readme_commands_are_those_of_the_package_and_make() -> None:
    assert {words[0] for words in COMMANDS} == {*PYPROJECT["project"]["scripts"], "make"}


@pytest.mark.parametrize("arguments", of("argus"), ids=shlex.join)
def test_argus_understands_the_lines_of_the_readme(arguments: list[str]) -> None:
    command_line().parse_args(arguments)


class Understood(Exception):
    """pap-admin has read the command line and would connect now."""


@pytest.mark.parametrize("arguments", of("pap-admin"), ids=shlex.join)
def test_pap_admin_understands_the_lines_of_the_readme(arguments: list[str]) -> None:
    def pap_at(_given: Arguments, _url: str, _dry_run: Told | None) -> NoReturn:
        raise Understood

    with pytest.raises(Understood):
        pap_admin.run(arguments, Console(StringIO(), StringIO()), Site(lambda _given: "", pap_at))


@pytest.mark.parametrize("arguments", of("pepcli"), ids=shlex.join)
def test_pepcli_understands_the_lines_of_the_readme(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes as far as looking for the proxy, which is not there."""
    monkeypatch.chdir(tmp_path)
    assert pepcli.main(arguments) == pepcli.EXIT_KEY_INFO


@pytest.mark.parametrize("file", sorted({word for words in COMMANDS for word in words if word.endswith(".spl")}))
def test_policies_named_in_the_readme_exist(file: str) -> None:
    assert (ROOT / file).is_file()


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_rings_of_the_architecture_name_every_room() -> None:
    rings = ARCHITECTURE[ARCHITECTURE.index("    ring 0") : ARCHITECTURE.index("A ring imports")]
    named = set(re.findall(r"\b([a-z]+)/", rings)) | {"errors", "snapshot", "model"}
    assert named == {path.stem for path in (ROOT / "argus_py").iterdir() if not path.name.startswith("__")}


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`([a-z]+/[\w./]*)`", ARCHITECTURE[ARCHITECTURE.index("## Where to change") :])))
)
def test_rooms_to_change_exist(path: str) -> None:
    assert (ROOT / "argus_py" / path).exists() or (ROOT / path).exists()


# Makefile and CI


def recipe(*arguments: str) -> str:
    """The commands that make would run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", "--always-make", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("target", ["run", "test", "lint", "bench"])
def test_each_target_makes_its_own_environment_first(target: str) -> None:
    commands = recipe(target).splitlines()
    assert commands[0].endswith(" -m venv .venv")
    extras = re.search(r"'\.\[([\w,]+)\]'", commands[1])
    assert extras
    assert set(extras[1].split(",")) == set(PYPROJECT["project"]["optional-dependencies"])


@pytest.mark.parametrize("arguments", of("make"), ids=shlex.join)
def test_make_knows_the_targets_of_the_readme(arguments: list[str]) -> None:
    recipe(*arguments)


@pytest.mark.parametrize(("target", "module"), [("run", "demo"), ("bench", "benchmarks")])
def test_run_and_bench_start_modules_of_the_tree(target: str, module: str) -> None:
    assert f".venv/bin/python -m {module}" in recipe(target)
    assert (ROOT / module / "__main__.py").is_file()


def test_one_pass_of_the_tour_is_asked_for_by_once() -> None:
    assert "-m demo --once" in recipe("run", "ONCE=1")
    assert "--once" not in recipe("run")


def test_make_test_lints_checks_types_and_runs_everything() -> None:
    commands = recipe("test")
    for part in (
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "./scripts/install-debian-packages.sh",
        "pytest --cov",
    ):
        assert part in commands
    assert (ROOT / "tests" / "test_architecture.py").is_file()


def test_types_are_checked_in_every_folder_with_python_in_it() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[a-z]*/**/*.py")}
    assert folders - {"var"} == set(PYPROJECT["tool"]["mypy"]["files"])


def test_ci_runs_make_test() -> None:
    run = ROOT / ".ci" / "run"
    assert run.read_text().splitlines()[-1] == "make test"
    assert os.access(run, os.X_OK)


def test_each_debian_package_has_its_reason() -> None:
    script = ROOT / "scripts" / "install-debian-packages.sh"
    text = script.read_text()
    listed = re.search(r"<<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    assert listed
    for line in listed[1].splitlines():
        assert re.fullmatch(r"[a-z0-9-]+ +\S.*", line), line
    assert os.access(script, os.X_OK)
