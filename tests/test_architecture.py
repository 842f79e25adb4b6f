"""The import rule of docs/architecture.md: arrows point inward, neighbours do not know each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "argus_py"
RINGS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "snapshot", "model"}),
    frozenset({"hessian", "xacml", "credentials", "spl", "soap"}),
    frozenset({"pap", "pdp", "pep", "worker"}),
    frozenset({"store", "clients", "client", "web", "config", "observe"}),
    frozenset({"run", "cli"}),
)
RING_OF = {room: number for number, rooms in enumerate(RINGS) for room in rooms}
NEIGHBOURS_ALLOWED = {("spl", "xacml"), ("soap", "xacml"), ("cli", "run")}
STANDARD_LIBRARY_ONLY = RINGS[0]
PURE = RINGS[0] | RINGS[1] | RINGS[2]
INPUT_OUTPUT = {"socket", "ssl", "sqlite3", "subprocess", "asyncio", "http", "urllib", "httpx", "fastapi", "sqlalchemy"}


def room_of(module: str) -> str:
    """``argus_py.pep.pips.x`` -> ``pep``; the package itself (its version) belongs to ring 0."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "errors"


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def own_room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_inner_rings(path: Path) -> None:
    room = own_room(path)
    for module in imports_of(path):
        if module.split(".")[0] != "argus_py":
            continue
        other = room_of(module)
        allowed = other == room or RING_OF[other] < RING_OF[room] or (room, other) in NEIGHBOURS_ALLOWED
        assert allowed or RING_OF[room] == RING_OF[other] == 0, f"{room} must not import {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_inner_rings_do_no_input_or_output(path: Path) -> None:
    room = own_room(path)
    roots = {module.split(".")[0] for module in imports_of(path)}
    if room in PURE:
        assert not roots & INPUT_OUTPUT
    if room in STANDARD_LIBRARY_ONLY:
        import sys

        assert roots - {"argus_py"} <= sys.stdlib_module_names


def test_every_room_has_its_ring() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "__pycache__"} == set(RING_OF)
