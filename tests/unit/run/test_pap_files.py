"""The files of a PAP that change while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from argus_py.errors import Unavailable
from argus_py.pap.authorization import Acl, parse_acl
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap
from argus_py.pap.take_up import take_up_acl
from argus_py.run.pap import FilesWatch, PapFiles, take_up
from argus_py.store.memory import MemoryPolicies
from argus_py.store.policy_state import StateWriter

ADMIN = '[dn]\n"/CN=Admin" : ALL\n'
OTHER = '[dn]\n"/CN=Other" : ALL\n'


class Store(MemoryPolicies):
    """One that may be gone for a while."""

    is_gone = False

    @contextmanager
    def change(self, note: Note) -> Iterator[StateWriter]:
        if self.is_gone:
            raise Unavailable("the database is gone")
        with super().change(note) as writer:
            yield writer


class Place:
    def __init__(self, folder: Path) -> None:
        self.store = Store()
        self._folder = folder
        self.configure("")
        self.permit(ADMIN)
        files = PapFiles.load(folder / "pap_configuration.ini")
        take_up(files, self.store)
        self.watch = FilesWatch(files, self.store)

    def configure(self, paps: str) -> None:
        (self._folder / "pap_configuration.ini").write_text(f"[paps:properties]\npoll_interval = 60\n[paps]\n{paps}")

    def permit(self, text: str) -> None:
        (self._folder / "pap_authorization.ini").write_text(text)

    def state(self) -> tuple[Acl | None, tuple[Pap, ...]]:
        with self.store.read() as reader:
            return reader.acl(), reader.paps()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_changes_is_taken_up_and_what_does_not_is_no_change(place: Place) -> None:
    assert place.state() == (parse_acl(ADMIN, "acl"), ())
    revision = place.store.revision()
    place.watch()
    assert place.store.revision() == revision
    place.permit(f"# who may\n{OTHER}")
    place.configure("mine.type = local\nmine.public = true\n")
    place.watch()
    acl, paps = place.state()
    assert acl == parse_acl(OTHER, "acl")
    assert [pap.alias for pap in paps] == ["mine"]


def test_files_that_stay_as_they_are_do_not_undo_what_another_daemon_has_taken_up(place: Place) -> None:
    """Daemons on one database may have different files, and would else change it by turns for ever."""
    take_up_acl(place.store, parse_acl(OTHER, "acl"))
    revision = place.store.revision()
    place.watch()
    assert place.store.revision() == revision


def test_what_could_not_be_taken_up_is_tried_again(place: Place) -> None:
    place.store.is_gone = True
    place.permit(OTHER)
    place.watch()
    place.store.is_gone = False
    place.watch()
    assert place.state()[0] == parse_acl(OTHER, "acl")


def test_files_that_cannot_be_used_change_nothing_and_are_told_once(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    before = place.state()
    place.permit("[dn]\nnobody\n")
    place.watch()
    place.watch()
    assert place.state() == before
    (told,) = caplog.messages
    assert "line 2: 'nobody' does not match the PRINCIPAL : PERMISSION format!" in told
    place.permit(OTHER)
    place.watch()
    assert place.state()[0] == parse_acl(OTHER, "acl")


def test_what_the_store_does_not_follow_is_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.configure("mine.type = local\nmine.public = true\n")
    place.watch()
    place.configure("")
    place.watch()
    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "the pap 'mine' is not in the file and stays"
    ]
