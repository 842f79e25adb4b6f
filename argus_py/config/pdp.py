"""``pdp.ini``: the settings of the PDP daemon.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/config/PDPIniConfigurationParser.java
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from argus_py.config.daemon import NO_EFFECT_HERE, Reading, SecuritySettings, ServiceSettings, read_service
from argus_py.config.files import read_text
from argus_py.config.ini import Problem, SectionReader, parse_ini

# COMPAT: misspelled in the message that operators know
_NO_POLICY_SECTION = "PDP INI configuration does not contain the rquired 'POLICY' INI section"
_NO_EFFECT = (*NO_EFFECT_HERE, "maximumRequests", "policySetId")
_NO_EFFECT_SECURITY = ("clockSkew", "messageValidityPeriod")


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """``paps``: URLs of ProvisioningServices in the order they are asked."""

    paps: tuple[str, ...]
    retention_interval: timedelta
    connection_timeout: timedelta


@dataclass(frozen=True, slots=True)
class PdpSettings:
    """``warnings`` belong into the log."""

    security: SecuritySettings
    service: ServiceSettings
    policy: PolicySettings
    warnings: tuple[Problem, ...]


def load_pdp(path: Path) -> PdpSettings:
    """Raises ConfigurationError: the file cannot be read; BadConfiguration: all that is wrong in it."""
    return parse_pdp(read_text(path), str(path))


def parse_pdp(text: str, file: str) -> PdpSettings:
    """Raises BadConfiguration: with every problem of the file."""
    reading = Reading(parse_ini(text, file))
    security = reading.security(_NO_EFFECT_SECURITY)
    service_reader = reading.required_section("SERVICE")
    service = read_service(service_reader, port=8152, admin_port=8153)
    for key in ("pips", "obligationHandlers"):
        if service_reader.words(key):
            service_reader.error(key, "the PDP has none; they belong to the PEP daemon")
    service_reader.warn_unknown()
    policy_reader = reading.required_section("POLICY", _NO_POLICY_SECTION)
    policy = _policy(policy_reader)
    policy_reader.warn_unknown()
    reading.warn_unread_sections()
    reading.findings.raise_errors()
    return PdpSettings(security, service, policy, tuple(reading.findings.warnings))


def _policy(reader: SectionReader) -> PolicySettings:
    for key in _NO_EFFECT:
        reader.string(key)
    reader.required("paps")
    return PolicySettings(
        paps=reader.urls("paps"),
        retention_interval=reader.minutes("retentionInterval", 240),
        connection_timeout=reader.seconds("connectionTimeout", 30),
    )
