"""docker-compose.yml, Dockerfile and deploy/ name only what the package has, and fit together.

The configuration files are loaded as the daemons load them, each path in a container replaced by what is mounted there,
and each daemon is made of its settings; nothing listens and nobody is called.
"""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
import yaml
from psycopg.pq import Conninfo
from sqlalchemy import URL, make_url

from argus_py.cli.argus import command_line
from argus_py.config.pdp import load_pdp
from argus_py.config.pepd import PepdSettings, load_pepd
from argus_py.pap.authorization import Act, Admin, Gate, parse_dn
from argus_py.pap.provisioning import Provisioning
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.decisions import Decisions
from argus_py.run.pap import PapFiles, pap
from argus_py.run.parts import now, trust_anchors
from argus_py.run.pdp import pdp
from argus_py.run.pep import pep
from argus_py.run.policy import PolicyRefresh
from argus_py.run.servers import Daemon, Port
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.engine import open_policies
from demo.site import make_site

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DAEMONS = ("pap", "pdp", "pep")
OURS = ("migrate", *DAEMONS)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "deploy" / "README.md").read_text()
GRIDMAPDIR = "/etc/grid-security/gridmapdir"


# What is in the files


@dataclass(frozen=True, slots=True)
class Mount:
    """``source`` is a folder beside docker-compose.yml, or the name of a volume."""

    source: str
    target: str
    read_only: bool

    @property
    def is_volume(self) -> bool:
        return not self.source.startswith("./")


def mounts(service: str) -> list[Mount]:
    parts = (text.split(":") for text in SERVICES[service].get("volumes", ()))
    return [Mount(source, target, mode == ["ro"]) for source, target, *mode in parts]


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, continued lines joined."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(word, rest) for word, rest in (line.split(maxsplit=1) for line in lines if line)]


def the_only(instruction: str) -> str:
    [argument] = [rest for word, rest in instructions() if word == instruction]
    return argument


def environment(service: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[service].get("environment", {})
    return found


def mounted_at(path: str, service: str) -> Mount:
    """What holds the path in the containers of a service."""
    [mount] = [mount for mount in mounts(service) if Path(path).is_relative_to(mount.target)]
    return mount


# What the package makes of it


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of docker-compose.yml when a site has put its files there; volumes are folders of their names."""
    folder = tmp_path_factory.mktemp("compose")
    site = make_site(folder / "site")
    security = site.root / "grid-security"
    shutil.copytree(ROOT / "deploy" / "argus", folder / "deploy" / "argus")
    deployed = folder / "deploy" / "grid-security"
    for name in ("certificates", "vomsdir"):
        shutil.copytree(security / name, deployed / name)
    (deployed / "mapfiles").mkdir()
    for name in ("grid-mapfile", "groupmapfile"):
        shutil.copy(security / name, deployed / "mapfiles" / name)
    for daemon in DAEMONS:
        (deployed / daemon).mkdir()
        for file, name in zip(site.host, ("hostcert.pem", "hostkey.pem"), strict=True):
            shutil.copy(file, deployed / daemon / name)
    shutil.copytree(security / "gridmapdir", folder / "gridmapdir")
    return folder


def localized(text: str, daemon: str, prepared: Path) -> str:
    """The paths in a container's text as those of this machine."""
    for mount in mounts(daemon):
        text = text.replace(mount.target + "/", f"{prepared / mount.source}/")
        text = re.sub(rf"{mount.target}$", str(prepared / mount.source), text, flags=re.MULTILINE)
    return text


@pytest.fixture(scope="module")
def file_of(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The configuration file that a daemon is started with, for this machine; its folder is copied with it."""

    @cache
    def copy(daemon: str) -> Path:
        named = command_line().parse_args(SERVICES[daemon]["command"]).file
        mounted = Path(localized(str(named), daemon, prepared))
        folder = tmp_path_factory.mktemp(daemon)
        for file in mounted.parent.iterdir():
            (folder / file.name).write_text(localized(file.read_text(), daemon, prepared))
        return folder / mounted.name

    return copy


@pytest.fixture(scope="module")
def settings_of(file_of: Callable[[str], Path]) -> Callable[[str], Any]:
    load: dict[str, Callable[[Path], Any]] = {
        "pap": lambda file: PapFiles.load(file).settings,
        "pdp": load_pdp,
        "pep": load_pepd,
    }
    return lambda daemon: load[daemon](file_of(daemon))


@pytest.fixture(scope="module")
def port_of(file_of: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Port]:
    """The listener of each daemon, with a policy and a database of its own behind it."""
    trust_of = cache(trust_anchors)
    policy = policy_snapshot(Provisioning(MemoryPolicies()), now)
    policies = open_policies(f"sqlite:///{tmp_path_factory.mktemp('database')}/policies.db")

    def a_pep(settings: PepdSettings) -> Daemon:
        return pep(settings, Decisions.of_engine(settings.pdp, "pdp", policy), (), trust_of)

    make: dict[str, Callable[[Path], Port]] = {
        "pap": lambda file: pap(PapFiles.load(file), policies, trust_of).port,
        "pdp": lambda file: pdp(load_pdp(file), PolicyRefresh(policy), (), trust_of).port,
        "pep": lambda file: a_pep(load_pepd(file)).port,
    }
    return cache(lambda daemon: make[daemon](file_of(daemon)))


def answer(port: Port, method: str, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(port.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://daemon") as client:
            return await client.request(method, path)

    return anyio.run(ask)


def paths_in(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from paths_in(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from paths_in(each)


# docker-compose.yml: commands, paths, ports


def test_each_service_is_known_here() -> None:
    assert set(SERVICES) == {"postgres", *OURS}


@pytest.mark.parametrize("service", OURS)
def test_each_container_runs_a_command_of_the_package(service: str) -> None:
    assert SERVICES[service]["build"] == "."
    command_line().parse_args(SERVICES[service]["command"])


@pytest.mark.parametrize("daemon", DAEMONS)
def test_every_path_in_a_configuration_file_is_mounted(
    daemon: str, prepared: Path, settings_of: Callable[[str], Any]
) -> None:
    paths = list(paths_in(settings_of(daemon)))
    assert len(paths) >= 3
    for path in paths:
        assert path.is_relative_to(prepared)
        assert path.exists()


@pytest.mark.parametrize("daemon", DAEMONS)
def test_configuration_files_give_no_warning(daemon: str, settings_of: Callable[[str], Any]) -> None:
    assert settings_of(daemon).warnings == ()


@pytest.mark.parametrize("daemon", DAEMONS)
def test_each_daemon_listens_with_tls_where_its_container_is_published(
    daemon: str, port_of: Callable[[str], Port]
) -> None:
    port = port_of(daemon)
    assert SERVICES[daemon]["ports"] == [f"{port.number}:{port.number}"]
    assert port.host == "0.0.0.0"
    assert port.tls is not None


@pytest.mark.parametrize("service", OURS)
def test_only_volumes_can_be_written_and_the_image_gives_them_to_its_user(service: str) -> None:
    written = [mount for mount in mounts(service) if not mount.read_only]
    [made] = re.findall(rf"install --directory --owner {the_only('USER')} (.*)", DOCKERFILE)
    for mount in written:
        assert mount.is_volume
        assert mount.target in made.split()


def test_volumes_are_those_that_services_mount() -> None:
    mounted = {mount.source for service in SERVICES for mount in mounts(service) if mount.is_volume}
    assert set(COMPOSE["volumes"]) == mounted


def test_leases_are_in_a_volume() -> None:
    assert mounted_at(GRIDMAPDIR, "pep").is_volume


# Who waits for whom, and who asks whom


@pytest.mark.parametrize("service", SERVICES)
def test_conditions_of_a_start_can_come_true(service: str) -> None:
    for awaited, condition in SERVICES[service].get("depends_on", {}).items():
        if condition == {"condition": "service_healthy"}:
            assert "healthcheck" in SERVICES[awaited]
        else:
            assert condition == {"condition": "service_completed_successfully"}
            assert "restart" not in SERVICES[awaited]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_health_check_asks_the_daemon_for_its_status(
    daemon: str, prepared: Path, port_of: Callable[[str], Port]
) -> None:
    kind, *command = SERVICES[daemon]["healthcheck"]["test"]
    assert (kind, command[0]) == ("CMD", json.loads(the_only("ENTRYPOINT"))[0])
    arguments = command_line().parse_args(command[1:])
    url, port = urlsplit(arguments.url), port_of(daemon)
    assert (url.scheme, url.hostname, url.port) == ("https", SERVICES[daemon]["hostname"], port.number)
    for path in (arguments.cert, arguments.key, arguments.cadir):
        assert Path(localized(str(path), daemon, prepared)).exists()
        assert mounted_at(str(path), daemon).read_only
    page = answer(port, "GET", url.path)
    assert page.status_code == 200
    assert page.text.startswith("Status: OK\n")


@pytest.mark.parametrize(("caller", "called"), [("pdp", "pap"), ("pep", "pdp")])
def test_daemons_call_each_other_where_they_listen(
    caller: str, called: str, settings_of: Callable[[str], Any], port_of: Callable[[str], Port]
) -> None:
    settings = settings_of(caller)
    [text] = settings.policy.paps if caller == "pdp" else settings.pdp.urls
    url, port = urlsplit(text), port_of(called)
    assert (url.scheme, url.hostname, url.port) == ("https", SERVICES[called]["hostname"], port.number)
    right, wrong = (answer(port, "POST", path) for path in (url.path, f"{url.path}s"))
    assert right.status_code not in (404, 405)
    assert "no SOAPAction header!" in right.text or called != "pap"
    assert wrong.status_code in (404, 405) or "could not find a target service" in wrong.text
    assert called in SERVICES[caller]["depends_on"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_daemon_is_called_by_the_name_of_its_service(daemon: str) -> None:
    assert SERVICES[daemon]["hostname"] == daemon


def test_the_pap_lets_the_pdp_fetch_and_the_administrator_do_all(file_of: Callable[[str], Path]) -> None:
    acl = PapFiles.load(file_of("pap")).acl
    gate = Gate(lambda: acl)
    gate.admit(Admin(parse_dn("/DC=org/DC=example/CN=pdp")), Act.FETCH_AS_PDP)
    for act in Act:
        gate.admit(Admin(parse_dn("/DC=org/DC=example/CN=Site Admin")), act)


# The database


@pytest.fixture(scope="module")
def database(settings_of: Callable[[str], Any]) -> URL:
    return make_url(settings_of("pap").database)


def test_the_database_that_is_upgraded_is_that_of_the_pap(database: URL) -> None:
    command = command_line().parse_args(SERVICES["migrate"]["command"])
    assert make_url(command.url) == database
    assert list(SERVICES["pap"]["depends_on"]) == ["migrate"]
    assert list(SERVICES["migrate"]["depends_on"]) == ["postgres"]


def test_user_database_and_password_are_those_that_the_server_is_made_with(database: URL) -> None:
    made = environment("postgres")
    assert set(made) == {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
    assert (database.host, database.username, database.database) == (
        "postgres",
        made["POSTGRES_USER"],
        made["POSTGRES_DB"],
    )
    assert (database.port, database.password) == (None, None)
    for client in ("migrate", "pap"):
        assert environment(client) == {"PGPASSWORD": made["POSTGRES_PASSWORD"]}


def test_the_health_check_of_the_server_asks_for_the_database(database: URL) -> None:
    user, name = database.username, database.database
    assert SERVICES["postgres"]["healthcheck"]["test"] == ["CMD", "pg_isready", "--username", user, "--dbname", name]


@pytest.mark.parametrize("service", OURS)
def test_environment_variables_are_those_of_libpq(service: str) -> None:
    known = {option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar}
    assert set(environment(service)) <= known


def test_variables_the_operator_sets_are_explained() -> None:
    needed = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert needed == {"ARGUS_DB_PASSWORD"}
    assert "`ARGUS_DB_PASSWORD`" in README


# The image


def test_the_image_is_of_a_python_that_the_package_supports() -> None:
    version = re.fullmatch(r"python:(\d+)\.(\d+)-slim", the_only("FROM"))
    least = re.fullmatch(r">=(\d+)\.(\d+)", PROJECT["requires-python"])
    assert version
    assert least
    assert tuple(map(int, version.groups())) >= tuple(map(int, least.groups()))


def test_the_build_copies_what_the_wheel_is_made_of_and_nothing_else_reaches_it() -> None:
    copied = [source for word, rest in instructions() if word == "COPY" for source in rest.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    assert {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "argus_py", "alembic"} == set(copied)
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if not line.startswith("#")]
    assert patterns[0] == "*"
    assert [line[1:] for line in patterns if line.startswith("!")] == copied


def test_the_image_has_the_database_driver() -> None:
    [extras] = re.findall(r"pip install .*'\.\[([\w,]+)\]'", DOCKERFILE)
    assert extras == "postgresql"
    assert extras in PROJECT["optional-dependencies"]


def test_the_image_starts_the_command_of_the_package() -> None:
    [program] = json.loads(the_only("ENTRYPOINT"))
    assert PROJECT["scripts"][program] == "argus_py.cli.argus:main"
    command_line().parse_args(json.loads(the_only("CMD")))


def test_the_image_exposes_the_ports_of_the_daemons(port_of: Callable[[str], Port]) -> None:
    assert the_only("EXPOSE").split() == [str(port_of(daemon).number) for daemon in DAEMONS]


# deploy/README.md


def test_the_table_of_the_readme_is_that_of_the_mounts() -> None:
    told = set()
    for folders, target in re.findall(r"^\| (.*?`) \| `(.*?)` \|", README, re.MULTILINE):
        for kind, folder in re.findall(r"(volume )?`(.*?)`", folders):
            told.add((folder if kind else f"./deploy/{folder.rstrip('/')}", target))
    assert told == {(mount.source, mount.target) for service in DAEMONS for mount in mounts(service)}


def test_host_keys_are_said_to_belong_to_the_user_of_the_image() -> None:
    [uid] = re.findall(rf"useradd .*--uid (\d+) .*{the_only('USER')}", DOCKERFILE)
    assert f"uid {uid}" in README


def test_the_readme_makes_account_files_in_the_gridmapdir(tmp_path: Path) -> None:
    [block] = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    make, start = (shlex.split(line) for line in block.replace("\\\n", " ").splitlines())
    assert start[:3] == ["docker", "compose", "up"]
    *_, service, _c, script = make
    assert mounted_at(GRIDMAPDIR, service).is_volume
    subprocess.run(["sh", "-ec", script.replace(GRIDMAPDIR, str(tmp_path))], check=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"dteam{number:03}" for number in range(1, 51)]
