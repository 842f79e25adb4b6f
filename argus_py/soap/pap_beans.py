"""The complex types in the messages of the PAP's management services, named as in its WSDL.

Plain values: nothing in them is checked against the rules of a PAP, and texts stay as they were sent.

Source: argus-pap:src/main/wsdl/PAPManagementService.wsdl, PAPAuthorizationManagement.wsdl,
HighLevelPolicyManagementService.wsdl, src/main/java/org/glite/authz/pap/common/Pap.java
"""

from dataclasses import dataclass
from typing import Final

X509_DN: Final = "x509-dn"
VOMS_FQAN: Final = "voms-fqan"
ANYONE_NAME: Final = "/O=PAP/OU=Internal/CN=Any authenticated user"  # of the type x509-dn; ANYONE in the ini file


@dataclass(frozen=True, slots=True)
class Pap:
    """``dn`` in slash form, None for a local pap. A caller may leave out whatever has a default."""

    alias: str
    id: str | None = None
    dn: str | None = None
    hostname: str | None = None
    port: str | None = None
    path: str | None = None
    protocol: str | None = None
    visibility_public: bool = False
    local: bool = False
    enabled: bool = False
    last_modification: int = 0  # of its policies, milliseconds since 1970

    @property
    def endpoint(self) -> str | None:
        if self.protocol is None or self.hostname is None or self.port is None or self.path is None:
            return None
        return f"{self.protocol}://{self.hostname}:{self.port}{self.path}"

    @property
    def remote(self) -> bool:
        return not self.local

    @property
    def type_as_string(self) -> str:
        return "local" if self.local else "remote"


@dataclass(frozen=True, slots=True)
class UnbanResult:
    """``status_code``: REMOVED or NOT_FOUND. No PAP has ever named conflicting policies."""

    status_code: int
    conflicting_policies: tuple[str, ...] = ()


REMOVED: Final = 0
NOT_FOUND: Final = 1


@dataclass(frozen=True, slots=True)
class PAPPrincipal:
    """``type``: X509_DN, with a name in slash form, or VOMS_FQAN."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class PAPACE:
    """An entry of the access control list; ``permissions`` are the names of flags."""

    principal: PAPPrincipal
    permissions: tuple[str, ...] = ()
