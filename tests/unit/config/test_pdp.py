from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.daemon import AdminSettings, SecuritySettings, ServiceSettings
from argus_py.config.ini import BadConfiguration, parse_ini
from argus_py.config.pdp import AnswerSettings, PdpSettings, PolicySettings, examine_pdp, load_pdp, parse_pdp
from argus_py.errors import ConfigurationError

MINIMAL = """[SERVICE]
entityId = e
hostname = h
adminPassword = p
[POLICY]
paps = http://a
[SECURITY]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        parse_pdp(text, "pdp.ini")
    return str(refusal.value).split("\n")


def test_all_keys_are_read() -> None:
    text = (
        "[SERVICE]\nentityId = e\nhostname = h\nbindAddress = b\nport = 1\nadminHost = a\nadminPort = 2\n"
        "adminPassword = p\nmaximumRequests = 3\nrequestQueueSize = 4\nconnectionTimeout = 5\n"
        "receiveBufferSize = 6\nsendBufferSize = 7\n"
        "endpointUrls = https://x:1/authz https://y/authz\nreasonInStatusMessage = true\nfaultWithoutPolicy = yes\n"
        "[POLICY]\npaps = https://a  http://b\nretentionInterval = 8\nconnectionTimeout = 9\nmaximumRequests = 10\n"
        "receiveBufferSize = 11\nsendBufferSize = 12\npolicySetId = -1\n"
        "maximumPolicyAge = 9\nlastGoodPolicyFile = /var/lib/argus/pdp/policy\n"
        "[SECURITY]\ntrustInfoDir = /trust\nclockSkew = 1\nmessageValidityPeriod = 1\n"
    )
    assert parse_pdp(text, "pdp.ini") == PdpSettings(
        SecuritySettings(trust_dir=Path("/trust")),
        ServiceSettings("e", "h", "b", 1, AdminSettings("a", 2, "p"), 3, 4, timedelta(seconds=5)),
        PolicySettings(
            ("https://a", "http://b"),
            timedelta(minutes=8),
            timedelta(seconds=9),
            timedelta(minutes=9),
            Path("/var/lib/argus/pdp/policy"),
        ),
        warnings=(),
        answers=AnswerSettings(frozenset({"https://x:1/authz", "https://y/authz"}), True, True),
    )


def test_defaults() -> None:
    read = parse_pdp(MINIMAL, "pdp.ini")
    assert read.service == ServiceSettings(
        "e", "h", "h", 8152, AdminSettings("localhost", 8153, "p"), 200, 500, timedelta(seconds=30)
    )
    assert read.policy == PolicySettings(("http://a",), timedelta(minutes=240), timedelta(seconds=30))
    assert read.answers == AnswerSettings()
    assert read.warnings == ()


@pytest.mark.parametrize("age", ["240", "100"])
def test_a_policy_must_be_fetched_again_before_it_is_too_old(age: str) -> None:
    assert problems(MINIMAL.replace("[SECURITY]", f"maximumPolicyAge = {age}\n[SECURITY]")) == [
        "pdp.ini:7 [POLICY] maximumPolicyAge: must be more than retentionInterval, or every policy grows too old"
    ]


@pytest.mark.parametrize("age", ["0", "-1", "a day"])
def test_a_limit_of_the_age_that_is_none_is_refused(age: str) -> None:
    assert problems(MINIMAL.replace("[SECURITY]", f"maximumPolicyAge = {age}\n[SECURITY]")) == [
        f"pdp.ini:7 [POLICY] maximumPolicyAge: {age!r} is no integer from 1 to 2147483647"
    ]


def test_an_empty_file_lacks_two_sections() -> None:
    assert problems("") == [
        "pdp.ini: INI configuration does not contain the required 'SERVICE' INI section",
        "pdp.ini: PDP INI configuration does not contain the rquired 'POLICY' INI section",
    ]


def test_the_sample_of_the_manual_is_told_what_it_lacks() -> None:
    assert problems("[SERVER]\nentityID = e\n[POLICY]\npaps =") == [
        "pdp.ini: INI configuration does not contain the required 'SERVICE' INI section",
        "pdp.ini:3: INI configuration section POLICY does not contain the required property paps",
    ]


@pytest.mark.parametrize("key", ["pips", "obligationHandlers"])
def test_parts_of_a_pep_server_are_refused(key: str) -> None:
    assert problems(MINIMAL.replace("[POLICY]", f"{key} = X\n[POLICY]")) == [
        f"pdp.ini:5 [SERVICE] {key}: the PDP has none; they belong to the PEP daemon"
    ]


def test_https_without_trust_anchors_is_warned_of() -> None:
    read = parse_pdp(MINIMAL.replace("http:", "https:"), "pdp.ini")
    assert [str(warning) for warning in read.warnings] == [
        "pdp.ini:6 [POLICY] paps: nobody can be asked by https without a trustInfoDir in [SECURITY]"
    ]


def test_what_is_wrong_does_not_hide_what_is_right() -> None:
    settings, errors = examine_pdp(parse_ini(MINIMAL.replace("entityId", "entityID"), "pdp.ini"))
    assert settings.policy.paps == ("http://a",)
    assert [str(error) for error in errors] == [
        "pdp.ini:1: INI configuration section SERVICE does not contain the required property entityId"
    ]
    assert [str(warning) for warning in settings.warnings] == [
        "pdp.ini:2 [SERVICE] entityID: unknown key, ignored; is entityId meant?"
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Unable to read configuration file .*pdp\.ini: No such file"):
        load_pdp(tmp_path / "pdp.ini")
