"""Where the PAP is."""

import pytest

from argus_py.cli.pap_admin.address import rest_url, services_url
from argus_py.cli.pap_admin.arguments import Arguments, ParseError


def given(**options: str) -> Arguments:
    return Arguments((), {name: (value,) for name, value in options.items()})


@pytest.mark.parametrize(
    ("options", "properties", "url"),
    [
        ({}, {}, "https://localhost:8150/pap/services/"),
        ({}, {"host": "pap", "port": "8151"}, "https://pap:8151/pap/services/"),
        ({"host": "h", "port": "1"}, {"host": "pap", "port": "8151"}, "https://h:1/pap/services/"),
        ({"host": "2001:db8::1"}, {}, "https://[2001:db8::1]:8150/pap/services/"),
        ({"url": "https://h:1/pap/services/", "host": "x"}, {}, "https://h:1/pap/services/"),
        ({"url": "https://h:1"}, {}, "https://h:1/pap/services/"),
        ({"url": "http://h:1/behind/a/proxy"}, {}, "http://h:1/behind/a/proxy/"),
    ],
)
def test_options_come_before_properties_and_a_url_before_all(
    options: dict[str, str], properties: dict[str, str], url: str
) -> None:
    assert services_url(given(**options), properties) == url


def test_the_rest_interface_is_looked_for_beside_the_services() -> None:
    assert rest_url("https://h:1/pap/services/") == "https://h:1/v1/"
    assert rest_url("https://h:1/behind/a/proxy/") is None


def test_a_port_is_a_number() -> None:
    with pytest.raises(ParseError, match=r'Invalid port number "x" \(option -p, --port\)'):
        services_url(given(port="x"), {})


@pytest.mark.parametrize(
    "options",
    [
        {"host": "a..b\u00f6"},
        {"url": "https://h:port/"},
        {"host": "a\tb"},
        {"url": "ftp://h/"},
        {"url": "https://"},
        {"url": "https://h/x?y"},
        {"url": "https://[::1"},
        {"port": "99999"},
    ],
)
def test_what_is_no_url_is_told(options: dict[str, str]) -> None:
    with pytest.raises(ParseError, match="Invalid URL"):
        services_url(given(**options), {})
