"""argus pap --check on a whole site on disk."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from argus_py.cli.argus import main
from argus_py.cli.check_pap import check_pap
from argus_py.config.ini import Problem
from demo.site import Site, make_site


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("made") / "site")


class Place:
    """A site on disk that may be spoilt."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.configuration / "pap"
        self.file = self.folder / "pap_configuration.ini"
        for file in self.folder.iterdir():
            text = file.read_text().replace("shutdown_port = 0", "shutdown_port = 8151\nshutdown_command = guess-me")
            file.write_text(text.replace(str(self.made_at), str(site.root)))

    made_at = Path()

    def change(self, old: str, new: str, file: str = "pap_configuration.ini") -> None:
        text = (self.folder / file).read_text()
        assert old in text
        (self.folder / file).write_text(text.replace(old, new))

    def told(self) -> tuple[list[str], list[str]]:
        """Errors and warnings."""
        report = check_pap(self.file)
        return self._shown(report.errors), self._shown(report.warnings)

    def _shown(self, problems: tuple[Problem, ...]) -> list[str]:
        return [str(problem).replace(f"{self.site.root}/", "") for problem in problems]


@pytest.fixture
def place(pristine: Site, tmp_path: Path) -> Place:
    Place.made_at = pristine.root
    return Place(replace(pristine, root=shutil.copytree(pristine.root, tmp_path / "site")))


INI = "argus/pap/pap_configuration.ini"
ACL = "argus/pap/pap_authorization.ini"


def test_a_good_site_has_nothing_to_be_told(place: Place) -> None:
    assert place.told() == ([], [])
    assert not (place.site.root / "repository").exists()  # nothing is made


def test_everything_wrong_is_told_at_once(place: Place) -> None:
    place.change("poll_interval = 300", "poll_interval = often\nordering = nowhere")
    place.change("port = 0\n", "port = 8151\n")
    place.change("hosts/localhost.key", "hosts/none.key")
    place.change("[dn]\n", "[dn]\nnobody\n", "pap_authorization.ini")
    (place.folder / "attribute-mappings.ini").write_text("[x]\n")
    errors, _ = place.told()
    assert {error.partition(": ")[0] for error in errors} == {
        f"{INI} [security] certificate",
        f"{INI} [standalone-service] shutdown_port",
        "argus/pap/attribute-mappings.ini",
        f"{INI}:2 [paps:properties] poll_interval",
        f"{ACL}:2",
        f"{INI}:3 [paps:properties] ordering",
    }


def test_what_leaves_the_pap_open_is_warned_of(place: Place) -> None:
    place.change("guess-me", "shutdown")
    (place.folder / "pap_authorization.ini").write_text("[dn]\nANYONE : POLICY_WRITE\n")
    assert place.told() == (
        [],
        [
            f"{INI} [standalone-service] shutdown_command: is the one that everybody knows",
            f"{ACL}: nobody has CONFIGURATION_READ and CONFIGURATION_WRITE: "
            "permissions can be changed in this file only",
            f"{ACL}: ANYONE has POLICY_WRITE: every certificate of a known CA may change policies or permissions",
        ],
    )


REMOTE = "[paps]\nngi.type = remote\nngi.public = false\nngi.hostname = pap.example.org\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ngi.dn = /O=Grid/CN=old.example.org", "which does not name pap.example.org"),
        ("ngi.dn = nobody", "it cannot be copied: "),
        ("ngi.path = services/", "it cannot be copied: 'services/' is not the path of an URL"),
    ],
)
def test_a_remote_that_will_never_be_copied_is_warned_of(place: Place, line: str, reason: str) -> None:
    place.change("[paps:properties]", f"{REMOTE}{line}\n[paps:properties]")
    errors, warnings = place.told()
    assert errors == []
    (warning,) = warnings
    assert warning.startswith(f"{INI} [paps] ngi: ")
    assert reason in warning


@pytest.mark.parametrize("line", ["", "ngi.dn = /O=Grid/CN=host/PAP.example.org", "ngi.dn = CN=pap.example.org,O=Grid"])
def test_a_remote_of_which_nothing_speaks_against_a_copy_is_not_warned_of(place: Place, line: str) -> None:
    place.change("[paps:properties]", f"{REMOTE}{line}\n[paps:properties]")
    assert place.told() == ([], [])


def test_a_missing_command_is_warned_of(place: Place) -> None:
    place.change("shutdown_command = guess-me\n", "")
    text = "shutdown_command: is missing: every user of this host can stop the PAP"
    assert place.told() == ([], [f"{INI} [standalone-service] {text}"])
    place.change("shutdown_port = 8151", "shutdown_port = -1")
    assert place.told() == ([], [])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://x/y", "only sqlite and postgresql+psycopg are supported"),
        ("postgresql+psycopg://argus@/argus?host=/nowhere", "cannot be used"),
        ("nonsense", "Could not parse SQLAlchemy URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(place: Place, url: str, reason: str) -> None:
    place.change("[repository]\n", f"[repository]\ndatabase = {url}\n")
    ((error,), _) = place.told()
    assert error.startswith(f"{INI} [repository] database: ")
    assert reason in error


def test_files_that_cannot_be_read_are_told(place: Place) -> None:
    (place.folder / "pap_authorization.ini").unlink()
    assert place.told()[0] == [
        f"{ACL}: Unable to read configuration file {ACL}: No such file or directory",
    ]
    place.file.unlink()
    assert place.told()[0] == [f"{INI}: Unable to read configuration file {INI}: No such file or directory"]


def test_the_command_says_whether_the_pap_would_start(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pap", "--check", str(place.file)]) == 0
    assert capsys.readouterr().out.endswith(": the daemon would start, 0 errors, 0 warnings\n")
    place.file.write_text("[x\n")
    assert main(["pap", "--check", str(place.file)]) == 1
