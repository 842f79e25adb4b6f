from datetime import UTC, datetime

import pytest

from argus_py.config.ini import BadConfiguration
from argus_py.config.pap_info import StoredPap, format_pap_info, parse_pap_info
from argus_py.pap.paps import Pap, Remote

# As a Java PAP 1.7.3 writes it.
TEXT = """[general-info]
version = 1

[paps]
default.type = local
default.hostname = localhost
default.port = 8150
default.path = /pap/services/
default.protocol = https
default.id = default-1
default.public = true
default.enabled = true
default.policyLastModificationTime = 1700000000000
central.type = remote
central.dn = /DC=org/DC=example/CN=central.example.org
central.hostname = central.example.org
central.port = 8150
central.path = /pap/services/
central.protocol = https
central.id = central-2
central.public = false
central.enabled = false
central.policyLastModificationTime = 0
"""
CENTRAL_DN = "/DC=org/DC=example/CN=central.example.org"
STORED = (
    StoredPap(Pap("default-1", "default", enabled=True, public=True), datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
    StoredPap(
        Pap(
            "central-2", "central", remote=Remote("central.example.org", dn="/DC=org/DC=example/CN=central.example.org")
        ),
        None,
    ),
)


def problems(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        parse_pap_info(text, "pap_info.ini")
    return str(refusal.value).split("\n")


def test_the_file_of_a_java_pap_is_read() -> None:
    assert parse_pap_info(TEXT, "pap_info.ini") == STORED


def test_what_is_written_is_read_again() -> None:
    odd = StoredPap(Pap("x-3", "x", remote=Remote("h", 1, "/p/", "http", 'CN=a, "b"#1;2,DC=org')), None)
    assert parse_pap_info(format_pap_info((*STORED, odd)), "pap_info.ini") == (*STORED, odd)


def test_another_version_is_refused() -> None:
    assert problems("[general-info]\nversion = 2\n") == [
        "pap_info.ini:2 [general-info] version: Invalid repository version (v2). Requested version is v1"
    ]


def test_everything_wrong_is_told() -> None:
    text = "[general-info]\nversion = 1\n[paps]\na.type = remote\na.policyLastModificationTime = noon\nb.port = 99999\n"
    assert problems(text) == [
        'pap_info.ini:3 [paps]: "hostname" is not set for remote pap "a"',
        "pap_info.ini:3: INI configuration section paps does not contain the required property a.id",
        "pap_info.ini:5 [paps] a.policyLastModificationTime: 'noon' is no time in milliseconds",
        "pap_info.ini:3: INI configuration section paps does not contain the required property b.type",
        "pap_info.ini:6 [paps] b.port: '99999' is no integer from 1 to 65535",
        'pap_info.ini:3 [paps]: "hostname" is not set for remote pap "b"',
        "pap_info.ini:3: INI configuration section paps does not contain the required property b.id",
    ]


def test_a_pap_is_not_switched_off_by_a_value_that_means_nothing() -> None:
    assert problems(TEXT.replace("enabled = true", "enabled = treu")) == [
        "pap_info.ini:12 [paps] default.enabled: 'treu' is neither true, yes, 1 nor false, no, 0"
    ]


def test_two_paps_cannot_have_one_folder() -> None:
    assert problems(TEXT.replace("central-2", "default-1")) == [
        "pap_info.ini:20 [paps] central.id: 'default-1' is the id of another pap"
    ]
