"""When a host certificate is loaded again."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.clients.transport import ClientCredential, ClientTls, Timeouts, Transport
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.run.credential import KeyPairWatch, PortTls, follow_credential
from argus_py.snapshot import Snapshot
from argus_py.web.tls import ServerTls, TlsSettings

HOSTS = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid" / "hosts"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Tls:
    """Takes any pair of files with the same text."""

    def __init__(self, files: tuple[Path, Path]) -> None:
        self.files = files
        self.shown = "old"
        self.loads = 0

    def reload(self) -> None:
        self.loads += 1
        texts = {file.read_text() if file.exists() else file.name for file in self.files}
        if len(texts) != 1:
            raise ConfigurationError("they do not belong together")
        self.shown = texts.pop()


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    files = tmp_path / "hostcert.pem", tmp_path / "hostkey.pem"
    for file in files:
        file.write_text("old")
    return Tls(files)


def replace(file: Path, text: str) -> None:
    aside = file.with_suffix(".new")
    aside.write_text(text)
    aside.rename(file)


def test_files_that_stay_are_not_read(tls: Tls) -> None:
    watch = KeyPairWatch(tls.files, tls.reload)
    watch()
    watch()
    assert tls.loads == 0


def test_a_new_pair_is_taken_when_it_is_complete(tls: Tls, caplog: pytest.LogCaptureFixture) -> None:
    watch = KeyPairWatch(tls.files, tls.reload)
    replace(tls.files[0], "new")
    watch()
    watch()
    assert (tls.shown, tls.loads) == ("old", 1)
    assert watch.problem == "the host certificate in force stays: they do not belong together"
    assert caplog.messages == [watch.problem]
    replace(tls.files[1], "new")
    watch()
    assert (tls.shown, tls.loads) == ("new", 2)
    assert watch.problem is None


def test_a_key_that_was_not_readable_is_taken_when_its_mode_is_mended(tls: Tls) -> None:
    watch = KeyPairWatch(tls.files, tls.reload)
    tls.files[1].chmod(0o400)
    watch()
    watch()
    assert tls.loads == 1


def test_of_two_who_look_at_once_the_later_pair_is_in_force(tls: Tls) -> None:
    """As at SIGHUP, or when an operator asks for it."""
    others: list[threading.Thread] = []

    def reload() -> None:
        tls.reload()
        read = tls.shown
        if tls.loads == 1:
            for file in tls.files:
                replace(file, "newer")
            others.append(threading.Thread(target=watch))
            others[0].start()
            others[0].join(0.05)
        tls.shown = read

    watch = KeyPairWatch(tls.files, reload)
    for file in tls.files:
        replace(file, "new")
    watch()
    others[0].join()
    assert (tls.shown, tls.loads) == ("newer", 2)


def test_a_file_that_is_gone_for_a_while_does_no_harm(tls: Tls) -> None:
    watch = KeyPairWatch(tls.files, tls.reload)
    tls.files[1].unlink()
    watch()
    assert (tls.shown, watch.problem is None) == ("old", False)
    replace(tls.files[1], "old")
    watch()
    assert watch.problem is None


def test_a_file_written_in_place_is_seen_by_its_time(tls: Tls) -> None:
    watch = KeyPairWatch(tls.files, tls.reload)
    for file in tls.files:
        file.write_text("new")
        os.utime(file, (1, 1))
    watch()
    assert tls.shown == "new"


def no_trust() -> Snapshot[TrustAnchors]:
    snapshot = Snapshot("trust", TrustAnchors, lambda: NOW)
    snapshot.refresh()
    return snapshot


def test_the_status_page_has_failed_handshakes_and_the_certificate_that_cannot_be_taken(tmp_path: Path) -> None:
    certificate = tmp_path / "hostcert.pem"
    certificate.write_bytes((HOSTS / "localhost.pem").read_bytes())
    settings = TlsSettings(certificate, HOSTS / "localhost.key", protocols=("TLSv1.3",))
    port = PortTls.of(ServerTls(settings, no_trust(), lambda: NOW))
    assert port.lines() == [("TlsHandshakeFailures", "0"), ("TlsHandshakeFailureCauses", "")]
    replace(certificate, "no certificate")
    for periodic in port.periodic:
        periodic.run()
    assert [name for name, _ in port.lines()] == ["TlsHandshakeFailures", "TlsHandshakeFailureCauses", "Problem"]
    assert "the host certificate in force stays: Unable to read service credential" in port.lines()[-1][1]


def test_a_port_without_tls_has_nothing_to_follow_and_to_show() -> None:
    port = PortTls.of(None)
    assert (port.periodic, port.lines()) == ((), [])


def test_the_certificate_for_outgoing_calls_is_followed_if_there_is_one() -> None:
    credential = ClientCredential(HOSTS / "localhost.pem", HOSTS / "localhost.key")
    anonymous, known = (ClientTls(shown, no_trust(), lambda: NOW) for shown in (None, credential))
    for tls, count in ((None, 0), (anonymous, 0), (known, 1)):
        calls = Transport(Timeouts(), tls)
        assert len(follow_credential(calls)) == count
        calls.close()
