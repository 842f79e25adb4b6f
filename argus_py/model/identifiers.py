"""Every URN and URI that travels, by the profile that defines it. All comparisons are exact and case sensitive.

Source: argus-pep-api-c:src/argus/xacml.h, profiles.h; argus-pep-api-java:.../common/profile/*.java
"""

from typing import Final

_XS = "http://www.w3.org/2001/XMLSchema#"
_XQUERY = "http://www.w3.org/TR/2002/WD-xquery-operators-20020816#"
_XACML1 = "urn:oasis:names:tc:xacml:1.0:"
_XACML2 = "urn:oasis:names:tc:xacml:2.0:"
_GLITE = "http://glite.org/xacml/"
_DCI = "http://dci-sec.org/xacml/"
_INTEROP = "http://authz-interop.org/xacml/subject/"


class DataType:
    """XACML 2.0 appendix B.3 and gLite data types."""

    STRING: Final = _XS + "string"
    BOOLEAN: Final = _XS + "boolean"
    INTEGER: Final = _XS + "integer"
    DOUBLE: Final = _XS + "double"
    TIME: Final = _XS + "time"
    DATE: Final = _XS + "date"
    DATE_TIME: Final = _XS + "dateTime"
    ANY_URI: Final = _XS + "anyURI"
    HEX_BINARY: Final = _XS + "hexBinary"
    BASE64_BINARY: Final = _XS + "base64Binary"
    X500_NAME: Final = _XACML1 + "data-type:x500Name"
    RFC822_NAME: Final = _XACML1 + "data-type:rfc822Name"
    IP_ADDRESS: Final = _XACML2 + "data-type:ipAddress"
    DNS_NAME: Final = _XACML2 + "data-type:dnsName"
    DAY_TIME_DURATION: Final = _XACML2 + "data-type:dayTimeDuration"
    YEAR_MONTH_DURATION: Final = _XACML2 + "data-type:yearMonthDuration"
    W3C_DAY_TIME_DURATION: Final = _XQUERY + "dayTimeDuration"  # the names in the text of XACML 2.0
    W3C_YEAR_MONTH_DURATION: Final = _XQUERY + "yearMonthDuration"
    XPATH_EXPRESSION: Final = _XACML2 + "data-type:xpath-expression"
    FQAN: Final = _GLITE + "datatype/fqan"


class SubjectCategory:
    """XACML 2.0 appendix B.2."""

    ACCESS_SUBJECT: Final = _XACML1 + "subject-category:access-subject"


class StatusUri:
    """XACML 2.0 appendix B.9."""

    OK: Final = _XACML1 + "status:ok"
    MISSING_ATTRIBUTE: Final = _XACML1 + "status:missing-attribute"
    SYNTAX_ERROR: Final = _XACML1 + "status:syntax-error"
    PROCESSING_ERROR: Final = _XACML1 + "status:processing-error"


class AttributeId:
    """XACML 2.0 appendices B.4 to B.7."""

    SUBJECT_ID: Final = _XACML1 + "subject:subject-id"
    KEY_INFO: Final = _XACML1 + "subject:key-info"
    RESOURCE_ID: Final = _XACML1 + "resource:resource-id"
    ACTION_ID: Final = _XACML1 + "action:action-id"
    CURRENT_TIME: Final = _XACML1 + "environment:current-time"
    CURRENT_DATE: Final = _XACML1 + "environment:current-date"
    CURRENT_DATE_TIME: Final = _XACML1 + "environment:current-dateTime"


class Glite:
    """gLite worker node and compute element profiles 1.0 (https://edms.cern.ch/document/1058175)."""

    PROFILE_ID: Final = _GLITE + "attribute/profile-id"
    PROFILE_WORKER_NODE: Final = _GLITE + "profile/grid-wn/1.0"
    PROFILE_COMPUTE_ELEMENT: Final = _GLITE + "profile/grid-ce/1.0"
    SUBJECT_ISSUER: Final = _GLITE + "attribute/subject-issuer"
    X509_SUBJECT_ISSUER: Final = _GLITE + "attribute/x509-subject-issuer"
    X509_AUTHN_PROFILE: Final = _GLITE + "attribute/x509-authn-profile"
    VIRTUAL_ORGANIZATION: Final = _GLITE + "attribute/virtual-organization"
    FQAN: Final = _GLITE + "attribute/fqan"
    PRIMARY_FQAN: Final = _GLITE + "attribute/fqan/primary"
    PILOT_JOB_CLASSIFIER: Final = _GLITE + "attribute/pilot-job-classifier"
    USER_ID: Final = _GLITE + "attribute/user-id"
    GROUP_ID: Final = _GLITE + "attribute/group-id"
    PRIMARY_GROUP_ID: Final = _GLITE + "attribute/group-id/primary"
    LOCAL_ENVIRONMENT_MAP: Final = _GLITE + "obligation/local-environment-map"
    LOCAL_ENVIRONMENT_MAP_POSIX: Final = _GLITE + "obligation/local-environment-map/posix"
    FQAN_MATCH: Final = _GLITE + "algorithm/fqan-match"
    FQAN_REGEXP_MATCH: Final = _GLITE + "algorithm/fqan-regexp-match"
    OIDC: Final = _GLITE + "attribute/oidc-"  # what an OpenID provider says of a user follows: issuer, group, scope ...
    ACTION_EXECUTE: Final = _GLITE + "action/execute"


class DciSec:
    """Common XACML Authorization Profile 1.1 of EMI."""

    PROFILE_ID: Final = _DCI + "attribute/profile-id"
    PROFILE_COMMON_AUTHZ: Final = _DCI + "profile/common-authz/1.1"
    SUBJECT_ISSUER: Final = _DCI + "attribute/subject-issuer"
    X509_SUBJECT_ISSUER: Final = _DCI + "attribute/x509-subject-issuer"
    X509_AUTHN_PROFILE: Final = _DCI + "attribute/x509-authn-profile"
    VIRTUAL_ORGANIZATION: Final = _DCI + "attribute/virtual-organization"
    GROUP: Final = _DCI + "attribute/group"
    PRIMARY_GROUP: Final = _DCI + "attribute/group/primary"
    ROLE: Final = _DCI + "attribute/role"
    PRIMARY_ROLE: Final = _DCI + "attribute/role/primary"
    RESOURCE_OWNER: Final = _DCI + "attribute/resource-owner"
    USER_ID: Final = _DCI + "attribute/user-id"
    GROUP_ID: Final = _DCI + "attribute/group-id"
    PRIMARY_GROUP_ID: Final = _DCI + "attribute/group-id/primary"
    MAP_LOCAL_USER: Final = _DCI + "obligation/map-local-user"
    MAP_LOCAL_USER_POSIX: Final = _DCI + "obligation/map-local-user/posix"


class AuthzInterop:
    """AuthZ Interoperability Profile 1.1: subject attributes and obligations, as SCAS clients used them."""

    PROFILE: Final = "http://authz-interop.org/profile/1.1"
    CERT_CHAIN: Final = _INTEROP + "cert-chain"
    SUBJECT_X509_ID: Final = _INTEROP + "subject-x509-id"
    SUBJECT_X509_ISSUER: Final = _INTEROP + "subject-x509-issuer"
    CERTIFICATE_SERIAL_NUMBER: Final = _INTEROP + "certificate-serial-number"
    CA_SERIAL_NUMBER: Final = _INTEROP + "ca-serial-number"
    CA_POLICY_OID: Final = _INTEROP + "ca-policy-oid"
    CA_POLICY_NAMES: Final = _INTEROP + "ca-policy-names"  # of a point of Argus, not of the profile
    VO: Final = _INTEROP + "vo"
    VOMS_SIGNING_SUBJECT: Final = _INTEROP + "voms-signing-subject"
    VOMS_SIGNING_ISSUER: Final = _INTEROP + "voms-signing-issuer"
    VOMS_PRIMARY_FQAN: Final = _INTEROP + "voms-primary-fqan"
    VOMS_FQAN: Final = _INTEROP + "voms-fqan"
    VOMS_DNS_PORT: Final = _INTEROP + "voms-dns-port"
    # What follows: wn, ce, se or rb; execute-now, queue or access-file.
    RESOURCE_TYPE: Final = "http://authz-interop.org/xacml/resource/resource-type/"
    ACTION_TYPE: Final = "http://authz-interop.org/xacml/action/action-type/"
    UIDGID: Final = "http://authz-interop.org/xacml/obligation/uidgid"
    SECONDARY_GIDS: Final = "http://authz-interop.org/xacml/obligation/secondary-gids"
    POSIX_UID: Final = "http://authz-interop.org/xacml/attribute/posix-uid"
    POSIX_GID: Final = "http://authz-interop.org/xacml/attribute/posix-gid"
