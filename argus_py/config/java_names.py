"""What the ``parserClass`` of a section means: names of Java classes, from Argus 1.0 on, and short names of our own.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/{pip/provider,obligation/dfpmap}
"""

from enum import Enum
from types import MappingProxyType
from typing import Final


class PipKind(Enum):
    """The value is the short name that files may use instead of a class name."""

    REQUEST_VALIDATOR = "request-validator"
    OPENSSL_SUBJECT = "openssl-subject"
    GLITE_PROFILE = "glite-profile"
    GLITE_WORKER_NODE = "glite-worker-node"
    COMMON_PROFILE = "common-profile"
    AUTHN_PROFILE = "authn-profile"
    ATTRIBUTE_WHITELIST = "attribute-whitelist"
    ENVIRONMENT_TIME = "environment-time"
    STATIC_ATTRIBUTES = "static-attributes"
    SCAS_LEGACY = "scas-legacy"
    OIDC_TOKEN = "oidc-token"  # noqa: S105 - the name of a kind
    POLICY_NAMES = "policy-names"
    X509_EXTRACTOR = "x509-extractor"


class HandlerKind(Enum):
    ACCOUNT_MAPPING = "account-mapping"


_PARSER = "IniConfigurationParser"
_PIP_PACKAGES = (
    "org.glite.authz.pep.pip.provider.",
    "org.glite.authz.common.pip.provider.",
)  # the second: Argus 1.0, 1.1
_HANDLER_PACKAGES = ("org.glite.authz.pep.obligation.", "org.glite.authz.common.obligation.provider.")
_PIP_CLASSES = {
    "RequestValidatorPIP" + _PARSER: PipKind.REQUEST_VALIDATOR,
    "OpenSSLSubjectPIP" + _PARSER: PipKind.OPENSSL_SUBJECT,
    "GLiteAuthorizationProfilePIP" + _PARSER: PipKind.GLITE_PROFILE,
    "AuthorizationProfilePIP" + _PARSER: PipKind.GLITE_PROFILE,  # deprecated since 1.3, and in the file shipped
    "X509PIP" + _PARSER: PipKind.GLITE_PROFILE,
    "WorkerNodeProfileV1" + _PARSER: PipKind.GLITE_WORKER_NODE,
    "CommonXACMLAuthorizationProfilePIP" + _PARSER: PipKind.COMMON_PROFILE,
    "authnprofilespip.AuthenticationProfilePIPConfigurationParser": PipKind.AUTHN_PROFILE,
    "AttributeWhitelistPIP" + _PARSER: PipKind.ATTRIBUTE_WHITELIST,
    "EnvironmentTimePIP" + _PARSER: PipKind.ENVIRONMENT_TIME,
    "StaticPIP" + _PARSER: PipKind.STATIC_ATTRIBUTES,
    "SCASSLegacyPIP" + _PARSER: PipKind.SCAS_LEGACY,
    "oidc.OidcProfilePIPConfigurationParser": PipKind.OIDC_TOKEN,
    "PolicyNamesPIP" + _PARSER: PipKind.POLICY_NAMES,
    "X509ExtractorPIP" + _PARSER: PipKind.X509_EXTRACTOR,
}
_DFPM = "dfpmap.DFPMObligationHandlerConfigurationParser"

PIP_KINDS: Final = MappingProxyType(
    {package + name: kind for package in _PIP_PACKAGES for name, kind in _PIP_CLASSES.items()}
    | {kind.value: kind for kind in PipKind}
)
HANDLER_KINDS: Final = MappingProxyType(
    {package + _DFPM: HandlerKind.ACCOUNT_MAPPING for package in _HANDLER_PACKAGES}
    | {kind.value: kind for kind in HandlerKind}
)
DEPRECATED: Final = frozenset(package + "AuthorizationProfilePIP" + _PARSER for package in _PIP_PACKAGES)
