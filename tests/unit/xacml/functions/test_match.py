"""Patterns, ends of names, mailboxes, FQANs."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.outcome import Fault
from argus_py.xacml.values import MAX_SUBJECT_LENGTH


@pytest.mark.parametrize(
    ("short", "value"),
    [
        (("string-regexp-match", "string:a.c", "string:abc"), True),
        (("string-regexp-match", "string:b", "string:abc"), False),  # COMPAT: the whole value
        (("string-regexp-match", "string:", "string:"), True),
        (("anyURI-regexp-match", "string:http://.*", "anyURI:http://a"), True),
        (("ipAddress-regexp-match", "string:192[.]0[.].*", "ipAddress:192.0.2.1:80"), True),
        (("dnsName-regexp-match", "string:.*[.]org", "dnsName:ce.example.org"), True),
        (("rfc822Name-regexp-match", "string:.*@example.org", "rfc822Name:a@EXAMPLE.org"), True),
        (("x500Name-regexp-match", "string:CN=a,O=.*", "x500Name:cn=a, o=X"), True),
        (("x500Name-match", "x500Name:O=x,C=it", "x500Name:CN=a,O=X,C=IT"), True),
        (("x500Name-match", "x500Name:CN=a,O=X", "x500Name:CN=a,O=X,C=IT"), False),
        (("x500Name-match", "x500Name:CN=a,O=X,C=IT", "x500Name:O=X,C=IT"), False),
        (("rfc822Name-match", "string:Anderson@sun.com", "rfc822Name:Anderson@SUN.COM"), True),
        (("rfc822Name-match", "string:Anderson@sun.com", "rfc822Name:anderson@sun.com"), False),
        (("rfc822Name-match", "string:sun.com", "rfc822Name:Baxter@SUN.COM"), True),
        (("rfc822Name-match", "string:sun.com", "rfc822Name:Anderson@east.sun.com"), False),
        (("rfc822Name-match", "string:.east.sun.com", "rfc822Name:Anderson@east.sun.com"), True),
        (("rfc822Name-match", "string:.east.sun.com", "rfc822Name:a@ISRG.EAST.SUN.COM"), True),
        (("rfc822Name-match", "string:.sun.com", "rfc822Name:a@mysun.com"), False),
        (("fqan-match", "fqan:/a/Role=NULL", "fqan:/a"), True),
        (("fqan-regexp-match", "fqan:/a/*/Role=*", "fqan:/a/b/Role=x"), True),
        (("fqan-regexp-match", "fqan:/a/*", "fqan:/ab"), False),
    ],
)
def test_matches(short: Any, value: bool, value_of: Callable[..., object]) -> None:
    assert value_of(short) is value


@pytest.mark.parametrize(
    "short",
    [
        ("string-regexp-match", "string:(", "string:a"),
        ("string-regexp-match", "string:[a&&b]", "string:a"),
        ("anyURI-regexp-match", "string:a++", "anyURI:a"),
        ("fqan-regexp-match", "fqan:/a*", "fqan:/a"),
        ("string-regexp-match", "string:.*", f"string:{'x' * (MAX_SUBJECT_LENGTH + 1)}"),
        ("string-regexp-match", "string:.*", "string:x\ud800"),
    ],
)
def test_what_cannot_be_matched_is_an_error(short: Any, value_of: Callable[..., object]) -> None:
    assert isinstance(value_of(short), Fault)
