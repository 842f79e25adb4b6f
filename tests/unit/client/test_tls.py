from pathlib import Path

import pytest

from argus_py.client.tls import Contexts, Credential, Trust, UnusableCredential

CERTS = Path(__file__).parents[2] / "vectors" / "pep" / "certs"
TRUST = Trust(CERTS / "capath")


def test_the_proxy_of_the_environment_is_shown() -> None:
    assert Credential.proxy({"X509_USER_PROXY": "/tmp/pilot"}).certificate == Path("/tmp/pilot")
    assert Credential.proxy({}).certificate.name.startswith("x509up_u")


@pytest.mark.parametrize(
    "credential",
    [
        None,
        Credential(CERTS / "proxy.pem"),
        Credential(CERTS / "host.pem", CERTS / "host.key"),
        Credential(CERTS / "host.pem", CERTS / "host-enc.key", "test"),
    ],
)
def test_proxies_key_pairs_and_nothing_can_be_shown(credential: Credential | None) -> None:
    for context in (Contexts.of(TRUST, credential), Contexts.of(Trust(None, CERTS / "ca.pem"), credential)):
        assert context.listed.check_hostname
        assert context.unlisted.check_hostname


@pytest.mark.parametrize(
    ("trust", "credential", "culprit"),
    [
        (Trust(CERTS / "none"), None, "none"),
        (Trust(None, CERTS / "nocert.pem"), None, "nocert.pem"),
        (Trust(None, CERTS / "none.pem"), None, "none.pem"),
        (TRUST, Credential(CERTS / "none.pem"), "none.pem"),
        (TRUST, Credential(CERTS / "host.pem", CERTS / "user.key"), "host.pem"),
        (TRUST, Credential(CERTS / "host.pem", CERTS / "host-enc.key"), "host.pem"),
        (TRUST, Credential(CERTS / "nocert.pem"), "nocert.pem"),
    ],
)
def test_an_unusable_file_is_named(trust: Trust, credential: Credential | None, culprit: str) -> None:
    with pytest.raises(UnusableCredential, match=culprit):
        Contexts.of(trust, credential)
