"""``pdp.ini``: the settings of the PDP daemon.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/config/PDPIniConfigurationParser.java
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from argus_py.config.daemon import (
    NO_EFFECT_HERE,
    Reading,
    SecuritySettings,
    ServiceSettings,
    optional_path,
    read_service,
)
from argus_py.config.files import read_text
from argus_py.config.ini import BadConfiguration, IniFile, Problem, SectionReader, parse_ini

ADMIN_PORT: Final = 8153

# COMPAT: misspelled in the message that operators know
_NO_POLICY_SECTION = "PDP INI configuration does not contain the rquired 'POLICY' INI section"
_NO_EFFECT = (*NO_EFFECT_HERE, "maximumRequests", "policySetId")
_NO_EFFECT_SECURITY = ("clockSkew", "messageValidityPeriod")


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """``paps``: URLs of ProvisioningServices in the order they are asked.

    ``maximum_age``: for how long a policy may be used that no PAP has confirmed, None: for ever; ``last_good_file``:
    where it is kept for a start while no PAP answers, None: nowhere.
    """

    paps: tuple[str, ...]
    retention_interval: timedelta
    connection_timeout: timedelta
    maximum_age: timedelta | None = None
    last_good_file: Path | None = None


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """``endpoints``: URLs that PEP servers know this PDP by, beside those of their requests; ``send_reasons``: of an
    Indeterminate, as status message; ``fault_without_policy``: instead of an Indeterminate.
    """

    endpoints: frozenset[str] = frozenset()
    send_reasons: bool = False
    fault_without_policy: bool = False


@dataclass(frozen=True, slots=True)
class PdpSettings:
    """``warnings`` belong into the log."""

    security: SecuritySettings
    service: ServiceSettings
    policy: PolicySettings
    warnings: tuple[Problem, ...]
    answers: AnswerSettings = AnswerSettings()


def load_pdp(path: Path) -> PdpSettings:
    """Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it."""
    return parse_pdp(read_text(path), str(path))


def parse_pdp(text: str, file: str) -> PdpSettings:
    """Raises BadConfiguration: with every problem of the file."""
    settings, errors = examine_pdp(parse_ini(text, file))
    if errors:
        raise BadConfiguration(errors)
    return settings


def examine_pdp(ini: IniFile) -> tuple[PdpSettings, tuple[Problem, ...]]:
    """The settings, and the errors that keep them from being used; what is wrong has a stand-in in the settings."""
    reading = Reading(ini)
    security = reading.security(_NO_EFFECT_SECURITY)
    service_reader = reading.required_section("SERVICE")
    service = read_service(service_reader, port=8152, admin_port=ADMIN_PORT)
    for key in ("pips", "obligationHandlers"):
        if service_reader.words(key):
            service_reader.error(key, "the PDP has none; they belong to the PEP daemon")
    # BETTER: these three, and two in [POLICY], are keys that Java does not know and ignores.
    answers = AnswerSettings(
        endpoints=frozenset(service_reader.urls("endpointUrls")),
        send_reasons=service_reader.boolean("reasonInStatusMessage", False),
        fault_without_policy=service_reader.boolean("faultWithoutPolicy", False),
    )
    service_reader.warn_unknown()
    policy_reader = reading.required_section("POLICY", _NO_POLICY_SECTION)
    policy = _policy(policy_reader)
    policy_reader.warn_unknown()
    reading.check_peers(security, "POLICY", "paps", policy.paps)
    reading.warn_unread_sections()
    settings = PdpSettings(security, service, policy, tuple(reading.findings.warnings), answers)
    return settings, tuple(reading.findings.errors)


def _policy(reader: SectionReader) -> PolicySettings:
    for key in _NO_EFFECT:
        reader.string(key)
    reader.required("paps")
    retention_interval = reader.minutes("retentionInterval", 240)
    return PolicySettings(
        paps=reader.urls("paps"),
        retention_interval=retention_interval,
        connection_timeout=reader.seconds("connectionTimeout", 30),
        maximum_age=_maximum_age(reader, retention_interval),
        last_good_file=optional_path(reader.string("lastGoodPolicyFile")),
    )


def _maximum_age(reader: SectionReader, retention_interval: timedelta) -> timedelta | None:
    if reader.string("maximumPolicyAge") is None:
        return None
    age = timedelta(minutes=reader.strict_integer("maximumPolicyAge", 0))
    if timedelta() < age <= retention_interval:
        reader.error("maximumPolicyAge", "must be more than retentionInterval, or every policy grows too old")
    return age
