"""Where the PAP is, and what is needed to speak to it."""

from pathlib import Path

import pytest

from argus_py.cli.pap_admin.arguments import Arguments, ParseError
from argus_py.cli.pap_admin.connection import KeyUnreadable, ask_passphrase, connect, endpoint, read_properties
from argus_py.cli.pap_admin.credentials import Credential, User
from argus_py.errors import ArgusError


def given(**options: str) -> Arguments:
    return Arguments((), {name: (value,) for name, value in options.items()})


@pytest.mark.parametrize(
    ("options", "properties", "url"),
    [
        ({}, {}, "https://localhost:8150/pap/rest/v1/"),
        ({}, {"host": "pap", "port": "8151"}, "https://pap:8151/pap/rest/v1/"),
        ({"host": "h", "port": "1"}, {"host": "pap", "port": "8151"}, "https://h:1/pap/rest/v1/"),
        ({"url": "https://h:1/pap/services/", "host": "x"}, {}, "https://h:1/pap/rest/v1/"),
        ({"url": "https://h:1/behind/a/proxy"}, {}, "https://h:1/behind/a/proxy/"),
    ],
)
def test_options_come_before_properties_and_a_url_before_all(
    options: dict[str, str], properties: dict[str, str], url: str
) -> None:
    assert endpoint(given(**options), properties) == url


def test_a_port_is_a_number() -> None:
    with pytest.raises(ParseError, match=r'Invalid port number "x" \(option -p, --port\)'):
        endpoint(given(port="x"), {})


@pytest.mark.parametrize("options", [{"host": "a..b\u00f6"}, {"url": "https://h:port/"}, {"host": "a\tb"}])
def test_what_is_no_url_is_told(options: dict[str, str]) -> None:
    with pytest.raises(ParseError, match="Invalid URL"):
        endpoint(given(**options), {})


def test_properties_of_the_site_are_optional(tmp_path: Path) -> None:
    user = User(0, tmp_path, {"PAP_HOME": str(tmp_path)})
    assert read_properties(user) == {}
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/pap-admin.properties").write_bytes(
        b"# the PAP at Orl\xe9ans\nhost = pap.example.org\n\nport=8151\n"
    )
    assert read_properties(user) == {"host": "pap.example.org", "port": "8151"}


def test_only_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "secret"

    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    assert ask_passphrase(key, ask) is None
    key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert ask_passphrase(key, ask) == "secret"
    assert asked == [f"Please enter the passphrase for the private key file {key}: "]
    with pytest.raises(KeyUnreadable, match="No such file"):
        ask_passphrase(tmp_path / "missing", ask)


def test_without_trust_anchors_nothing_is_connected(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key\n")
    with pytest.raises(ArgusError):
        connect("https://pap/pap/rest/v1/", Credential(key, key), tmp_path / "certificates")
