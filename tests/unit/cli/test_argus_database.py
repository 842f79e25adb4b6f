"""``argus database``: what an operator does to the policy database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.cli.argus import main
from argus_py.pap.history import Note
from argus_py.store.sql.engine import connect, open_policies
from argus_py.store.sql.repository import SqlPolicies


def year_2000() -> datetime:
    return datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Two changes of long ago and one of now."""
    url = f"sqlite:///{tmp_path}/policies.db"
    open_policies(url).close()
    old, new = SqlPolicies(connect(url), year_2000), open_policies(url)
    for number, repository in enumerate((old, old, new)):
        with repository.change(Note("CN=Admin", "set")) as writer:
            writer.set_setting("k", str(number))
        repository.close()
    return url


def test_history_is_forgotten_and_what_is_stored_stays(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "forget-history", "--older-than", "2y", url]) == 0
    assert capsys.readouterr().out == "1 change is forgotten\n"
    repository = open_policies(url)
    assert [change.revision for change in repository.changes()] == [3, 2]
    with repository.read() as reader:
        assert reader.setting("k") == "2"
    repository.close()


def test_forgetting_again_finds_nothing(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["database", "forget-history", "--older-than", "2y", url]) == 0
    assert capsys.readouterr().out == "1 change is forgotten\n0 changes are forgotten\n"


def test_nothing_is_forgotten_without_an_age(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["database", "forget-history", url])
    assert "--older-than" in capsys.readouterr().err
