"""The policy information points that ``pepd.ini`` can name, and their sections.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider
"""

from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Final

from argus_py.config.catalogue import Catalogue
from argus_py.config.daemon import optional_path
from argus_py.config.files import read_text
from argus_py.config.ini import Findings, SectionReader, parse_ini
from argus_py.config.java_names import PIP_KINDS, PipKind
from argus_py.config.static_attributes import read_attributes
from argus_py.errors import ConfigurationError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AuthzInterop, Glite
from argus_py.pep.pips.attribute_whitelist import AttributeWhitelist
from argus_py.pep.pips.environment_time import EnvironmentTime
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.request_validator import RequestValidator
from argus_py.pep.pips.static_attributes import StaticAttributes
from argus_py.pep.pips.x509_extractor import EXTRACTABLE

ACCEPTED_PROFILES_FILE: Final = Path("/etc/argus/pepd/vo-ca-ap-file")
_TRUST_DIR = "/etc/grid-security/certificates"
_LONGEST_REFRESH = 7 * 24 * 60 * 60  # seconds


@dataclass(frozen=True, slots=True)
class ProfilePart:
    """A point that turns certificates into attributes: ``kind`` is GLITE_PROFILE, COMMON_PROFILE or SCAS_LEGACY.

    ``voms_dir`` None: attribute certificates are not looked at.
    """

    kind: PipKind
    settings: ProfileSettings
    voms_dir: Path | None
    voms_refresh: timedelta


@dataclass(frozen=True, slots=True)
class AuthnProfilePart:
    """``name`` is that of the section, for messages; ``refresh`` None: files are read at the start alone."""

    name: str
    accepted_file: Path
    directory: Path
    pattern: str
    refresh: timedelta | None
    own_entry_alone: bool


@dataclass(frozen=True, slots=True)
class X509ExtractorPart:
    attribute_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class PolicyNamesPart:
    """``directory`` holds the files that name CAs."""

    directory: Path
    refresh: timedelta
    attribute_id: str


PipPart = (
    RequestValidator
    | OpensslSubject
    | ProfilePart
    | AuthnProfilePart
    | AttributeWhitelist
    | EnvironmentTime
    | StaticAttributes
    | X509ExtractorPart
    | PolicyNamesPart
)


def needs_trust_anchors(part: PipPart) -> bool:
    """Whether the point validates certificates, and so needs a trust directory."""
    return isinstance(part, ProfilePart | X509ExtractorPart)


def _request_validator(reader: SectionReader) -> RequestValidator:
    return RequestValidator(
        subjects=reader.boolean("validateRequestSubjects", True),
        resources=reader.boolean("validateRequestResources", True),
        action=reader.boolean("validateRequestAction", True),
        environment=reader.boolean("validateRequestEnvironment", False),
    )


def _openssl_subject(reader: SectionReader) -> OpensslSubject:
    defaults = OpensslSubject()
    return OpensslSubject(
        attribute_ids=frozenset(reader.words("opensslSubjectAttributeIDs") or defaults.attribute_ids),
        datatypes=frozenset(reader.words("opensslSubjectAttributeDatatypes") or defaults.datatypes),
    )


# --- Certificates


def _glite_profile(reader: SectionReader) -> ProfilePart:
    return _profile_part(reader, PipKind.GLITE_PROFILE, _accepted_profile_ids(reader))


def _worker_node_profile(reader: SectionReader) -> ProfilePart:
    return _profile_part(reader, PipKind.GLITE_PROFILE, frozenset({Glite.PROFILE_WORKER_NODE}))


def _common_profile(reader: SectionReader) -> ProfilePart:
    accepted = _accepted_profile_ids(reader)
    return _profile_part(reader, PipKind.COMMON_PROFILE, accepted, require_certificate=False, refuse_invalid_acs=False)


def _scas_legacy(reader: SectionReader) -> ProfilePart:
    return _profile_part(reader, PipKind.SCAS_LEGACY, None)


def _accepted_profile_ids(reader: SectionReader) -> frozenset[str] | None:
    accepted = reader.words("acceptedProfileIDs")
    if accepted == ():
        reader.warn("acceptedProfileIDs", "is empty, so no request is looked at")
    return None if accepted is None else frozenset(accepted)


def _profile_part(
    reader: SectionReader,
    kind: PipKind,
    accepted: frozenset[str] | None,
    require_certificate: bool = True,
    refuse_invalid_acs: bool = True,
) -> ProfilePart:
    if not reader.boolean("performPKIXValidation", True):
        # BETTER: refused, since anybody could then claim any name with a certificate of his own making.
        reader.error("performPKIXValidation", "certificates are always validated here")
    return ProfilePart(
        kind,
        ProfileSettings(
            accepted_profile_ids=accepted,
            require_certificate=reader.boolean("requireCertificate", require_certificate),
            require_proxy=reader.boolean("requireProxy", False),
            refuse_invalid_acs=_refuses_invalid_acs(reader, refuse_invalid_acs),
        ),
        voms_dir=optional_path(reader.string("vomsInfoDir")),
        voms_refresh=reader.minutes("vomsInfoRefresh", 60),
    )


def _refuses_invalid_acs(reader: SectionReader, default: bool) -> bool:
    """A key of our own. COMPAT: Java refuses in the gLite profile and ignores in the common one."""
    key = "invalidAttributeCertificate"
    value = reader.string(key)
    if value not in (None, "refuse", "ignore"):
        reader.error(key, f"{value!r} is neither refuse nor ignore")
    return default if value is None else value == "refuse"


def _authn_profile(reader: SectionReader) -> AuthnProfilePart:
    seconds = reader.integer("trustAnchors.refreshIntervalInSecs", 14400, -(2**31), _LONGEST_REFRESH)
    return AuthnProfilePart(
        name=reader.name,
        accepted_file=Path(reader.string("authenticationProfilePolicyFile") or ACCEPTED_PROFILES_FILE),
        directory=Path(reader.string("trustAnchors.directory") or _TRUST_DIR),
        pattern=reader.string("trustAnchors.policyFilePattern") or "policy-*.info",
        refresh=timedelta(seconds=seconds) if seconds > 0 else None,
        own_entry_alone=reader.boolean("voEntryReplacesAnyVo", False),
    )


def _x509_extractor(reader: SectionReader) -> X509ExtractorPart:
    listed = reader.required("acceptedAttributeIDs").split()
    for each in listed:
        if each not in EXTRACTABLE:
            reader.error("acceptedAttributeIDs", f"Unknown value for acceptedAttributeIDs found: {each}")
    return X509ExtractorPart(frozenset(listed))


def _policy_names(reader: SectionReader) -> PolicyNamesPart:
    milliseconds = reader.strict_integer("updateInterval", 6 * 60 * 60 * 1000)
    return PolicyNamesPart(
        directory=Path(reader.required("trustInfoDir")),
        refresh=timedelta(milliseconds=milliseconds),
        attribute_id=reader.string("policyNamesAttribute") or AuthzInterop.CA_POLICY_NAMES,
    )


# --- What the site says


def _attribute_whitelist(reader: SectionReader) -> AttributeWhitelist:
    if reader.words("acceptedEnvrionmentAttributes") is not None:
        reader.warn("acceptedEnvrionmentAttributes", "has no effect; acceptedEnvironmentAttributes is what is read")

    def accepted(part: str) -> frozenset[str] | None:
        listed = reader.words(f"accepted{part}Attributes")
        return None if listed is None else frozenset(listed)

    return AttributeWhitelist(
        subject=accepted("Subject"),
        resource=accepted("Resource"),
        action=accepted("Action"),
        environment=accepted("Environment"),
    )


def _environment_time(reader: SectionReader) -> EnvironmentTime:
    reader.warn("parserClass", "puts the second into every request, so no decision is ever found in the cache")
    return EnvironmentTime(UTC if reader.boolean("useUTCTimeZone", True) else None)


def _static_attributes(reader: SectionReader) -> StaticAttributes:
    file, issuer = reader.required("staticAttributesFile"), reader.string("defaultAttributeIssuer")
    listed = {
        part: reader.words(f"{part}Attributes") or () for part in ("subject", "resource", "action", "environment")
    }
    attributes = _attributes_from(reader, file, listed, issuer) if file else {}
    return StaticAttributes(
        **attributes,
        every_subject=reader.boolean("includeSubjectAttribtuesInAllSubjects", False),
        every_resource=reader.boolean("includeResourceAttribtuesInAllResources", False),
    )


def _attributes_from(
    reader: SectionReader, file: str, listed: dict[str, tuple[str, ...]], issuer: str | None
) -> dict[str, tuple[Attribute, ...]]:
    """By part of the request; problems of the file are those of the key that names it."""
    key = "staticAttributesFile"
    try:
        ini = parse_ini(read_text(Path(file)), file)
    except ConfigurationError as error:
        reader.error(key, str(error))
        return {}
    found = Findings()
    attributes = {part: read_attributes(ini, names, issuer, found) for part, names in listed.items()}
    for problem in found.errors:
        reader.error(key, str(problem))
    for problem in found.warnings:
        reader.warn(key, str(problem))
    return attributes


# --- Refused


def _oidc_token(reader: SectionReader) -> PipPart:
    """No release of Argus has this point; what stands in for it is never used, since there is an error."""
    for key in ("oidcClientUrl", "oidcCacheTTLInSecs", "oidcCacheMaxElements", "oidcCacheDisabled"):
        reader.string(key)
    reader.error("parserClass", "OpenID Connect tokens are not supported; take this section out of the list of pips")
    return AttributeWhitelist()


PIPS: Final[Catalogue[PipKind, PipPart]] = Catalogue(
    "PIP",
    "policy information point",
    PIP_KINDS,
    {
        PipKind.REQUEST_VALIDATOR: _request_validator,
        PipKind.OPENSSL_SUBJECT: _openssl_subject,
        PipKind.GLITE_PROFILE: _glite_profile,
        PipKind.GLITE_WORKER_NODE: _worker_node_profile,
        PipKind.COMMON_PROFILE: _common_profile,
        PipKind.AUTHN_PROFILE: _authn_profile,
        PipKind.ATTRIBUTE_WHITELIST: _attribute_whitelist,
        PipKind.ENVIRONMENT_TIME: _environment_time,
        PipKind.STATIC_ATTRIBUTES: _static_attributes,
        PipKind.SCAS_LEGACY: _scas_legacy,
        PipKind.POLICY_NAMES: _policy_names,
        PipKind.X509_EXTRACTOR: _x509_extractor,
        PipKind.OIDC_TOKEN: _oidc_token,
    },
)
