"""The TLS side of a port as far as it goes without a handshake; the handshakes are in ``tests/e2e/port``."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.credentials.rejections import UnreadableCredential
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.snapshot import Snapshot
from argus_py.web.tls import ServerTls, TlsSettings, peer_chain

HOSTS = Path(__file__).resolve().parents[2] / "vectors" / "credentials" / "grid" / "hosts"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def server_tls(**settings: Any) -> ServerTls:
    trust = Snapshot("trust", TrustAnchors, lambda: NOW)
    trust.refresh()
    return ServerTls(TlsSettings(HOSTS / "localhost.pem", HOSTS / "localhost.key", **settings), trust, lambda: NOW)


class WithoutChain:
    """What a session resumed from a ticket looks like."""

    _sslobj: Any

    def __init__(self) -> None:
        self._sslobj = self

    def get_unverified_chain(self) -> None:
        return None


def test_a_session_that_lost_its_chain_is_refused_where_a_certificate_is_required() -> None:
    with pytest.raises(UnreadableCredential):
        server_tls().judge(WithoutChain())  # type: ignore[arg-type]


def test_nobody_is_judged_where_no_certificate_is_required() -> None:
    assert server_tls(require_client_certificate=False).judge(WithoutChain()) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("protocols", [(), ("SSLv3",), ("TLSv1.2", "TLSv1.1")])
def test_protocols_that_are_not_spoken_are_named(protocols: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match=r"known: TLSv1\.2, TLSv1\.3"):
        server_tls(protocols=protocols)


def test_a_request_without_tls_has_no_chain() -> None:
    assert peer_chain({"type": "http"}) is None


@pytest.mark.parametrize(
    ("protocols", "lowest", "highest"),
    [
        (("TLSv1.2",), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
        (("TLSv1.3",), ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
        (("TLSv1.3", "TLSv1.2"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
    ],
)
def test_protocols_of_the_settings_reach_the_context(
    protocols: tuple[str, ...], lowest: ssl.TLSVersion, highest: ssl.TLSVersion
) -> None:
    context = server_tls(protocols=protocols).context
    assert (context.minimum_version, context.maximum_version) == (lowest, highest)
