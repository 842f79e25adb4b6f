"""Mailboxes, hosts and networks."""

from collections.abc import Callable

import pytest

from argus_py.xacml.addresses import Rfc822Name, read_dns_name, read_ip_address, read_rfc822_name
from argus_py.xacml.values import UnreadableValue


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [(" a.b@Example.ORG ", "a.b", "example.org"), ('"a@b"@x', '"a@b"', "x"), ("A@[192.0.2.1]", "A", "[192.0.2.1]")],
)
def test_a_mailbox_has_a_local_part_and_a_domain_in_lower_case(text: str, local: str, domain: str) -> None:
    name = read_rfc822_name(text)
    assert name == Rfc822Name(local, domain)
    assert str(name) == f"{local}@{domain}"


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1",
        "192.0.2.0/255.255.255.0",
        "192.0.2.1:80",
        "192.0.2.1:80-90",
        "192.0.2.1:-90",
        "192.0.2.1/255.255.255.255:80-",
        "[2001:db8::1]",
        "[2001:db8::]/[ffff:ffff::]:443",
        "[::ffff:192.0.2.1]",
    ],
)
def test_addresses_of_networks(text: str) -> None:
    assert str(read_ip_address(f" {text} ")) == text


@pytest.mark.parametrize(
    "text", ["ce", "ce.example.org", "*.example.org", "*", "ce.example.org:80-90", "ce.:-1", "a_b"]
)
def test_names_of_hosts(text: str) -> None:
    assert str(read_dns_name(f" {text} ")) == text


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_rfc822_name, ""),
        (read_rfc822_name, "a"),
        (read_rfc822_name, "a@"),
        (read_rfc822_name, "@b"),
        (read_rfc822_name, "a@b@c"),
        (read_rfc822_name, "a b@c"),
        (read_rfc822_name, f"a@{'b' * 1024}"),
        (read_ip_address, "192.0.2"),
        (read_ip_address, "192.0.2.256"),
        (read_ip_address, "192.0.2.1/24"),
        (read_ip_address, "192.0.2.1:"),
        (read_ip_address, "192.0.2.1:-"),
        (read_ip_address, "2001:db8::1"),
        (read_ip_address, "[2001:db8::1"),
        (read_ip_address, "[:::]"),
        (read_dns_name, ""),
        (read_dns_name, "a..b"),
        (read_dns_name, "a.*.b"),
        (read_dns_name, "a b"),
        (read_dns_name, "a:x"),
        (read_dns_name, "a" * 1025),
    ],
)
def test_other_texts_are_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(UnreadableValue):
        read(text)
