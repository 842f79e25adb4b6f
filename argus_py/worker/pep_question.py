"""What a worker node asks Argus: may the owner of this payload proxy run here, for this pilot?

Everything about the user comes from the certificates; private keys stay in their files.

Source: worker node profile 1.0 (https://edms.cern.ch/document/1058175); lcmaps-plugins-c-pep 1.2
"""

from dataclasses import dataclass
from enum import Enum

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, AuthzInterop, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject


class Wire(Enum):
    """How Argus is spoken to: at /authz, as gLExec always has, or at /v1/authorize, in JSON."""

    HESSIAN = "hessian"
    REST = "rest"


class Profile(Enum):
    """How the certificates are called."""

    WORKER_NODE = Glite.PROFILE_WORKER_NODE
    AUTHZ_INTEROP = AuthzInterop.PROFILE


@dataclass(frozen=True, slots=True)
class Question:
    """``payload`` and ``pilot`` are PEM chains without keys; ``pilot`` None: the caller has no proxy."""

    resource: str
    action: str
    profile: Profile
    payload: str
    pilot: str | None

    def request(self) -> Request:
        """The chain of the pilot stands in the environment, where it is for the log alone."""
        profile_id = Attribute(Glite.PROFILE_ID, (self.profile.value,), DataType.ANY_URI)
        pilots = () if self.pilot is None else (self._certificates(self.pilot),)
        return Request(
            (Subject((self._certificates(self.payload),)),),
            (Resource((Attribute(AttributeId.RESOURCE_ID, (self.resource,)),)),),
            Action((Attribute(AttributeId.ACTION_ID, (self.action,)),)),
            Environment((profile_id, *pilots)),
        )

    def _certificates(self, chain: str) -> Attribute:
        if self.profile is Profile.AUTHZ_INTEROP:
            # COMPAT: the profile says base64Binary, and callers have always put the PEM text into it.
            return Attribute(AuthzInterop.CERT_CHAIN, (chain,), DataType.BASE64_BINARY)
        return Attribute(AttributeId.KEY_INFO, (chain,))
