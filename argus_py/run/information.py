"""The policy information points of a PEP daemon, with what they watch."""

import logging
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from argus_py.config.daemon import SecuritySettings
from argus_py.config.java_names import PipKind
from argus_py.config.pips import (
    ACCEPTED_PROFILES_FILE,
    AuthnProfilePart,
    PipPart,
    PolicyNamesPart,
    ProfilePart,
    X509ExtractorPart,
)
from argus_py.credentials.ca_policies import CaPolicies
from argus_py.credentials.igtf import AuthenticationProfiles
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError
from argus_py.model.identifiers import AuthzInterop
from argus_py.pep.pips.authn_profile import AuthnProfile
from argus_py.pep.pips.common_profile import CommonProfile
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.policy_names import PolicyNames
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.pep.pips.scas_legacy import ScasLegacy
from argus_py.pep.pips.x509_extractor import X509Extractor
from argus_py.pep.ports import Pip
from argus_py.run.parts import (
    TrustMaterial,
    TrustOf,
    loaded,
    material_state,
    now,
    our_names,
    trust_state,
    voms_trust,
    watching,
)
from argus_py.run.servers import Periodic
from argus_py.snapshot import Snapshot
from argus_py.store.ca_policies import InfoFiles
from argus_py.store.igtf import IgtfFiles

_log = logging.getLogger(__name__)

_PROFILES: Final[Mapping[PipKind, Callable[[ProfileSettings, CertificateJudge], Pip]]] = MappingProxyType(
    {
        PipKind.GLITE_PROFILE: GliteProfile,
        PipKind.COMMON_PROFILE: CommonProfile,
        PipKind.SCAS_LEGACY: ScasLegacy,
    }
)
_ON_DEMAND = timedelta(days=36_500)  # for what is never looked at again by itself

M = TypeVar("M", bound=TrustMaterial)
Lines = list[tuple[str, str]]


class InformationPoints:
    """Makes PIPs from their sections; keeps what has to be refreshed and shown for them."""

    def __init__(self, security: SecuritySettings, trust_of: TrustOf) -> None:
        self.periodic: list[Periodic] = []
        self._trust: Snapshot[TrustAnchors] | None = None
        self._judges: dict[Path | None, CertificateJudge] = {}
        self._states: list[Callable[[], Lines]] = []
        self._made: list[PipPart] = []
        if security.trust_dir is not None:
            self._trust = trust_of(security.trust_dir, security.check_crls)
            self.periodic += watching(self._trust, security.trust_refresh)

    def point(self, part: PipPart) -> Pip:
        """To be called in the order of the list. Raises ConfigurationError: what the section names is unusable."""
        self._check_order(part)
        self._made.append(part)
        match part:
            case ProfilePart():
                return _PROFILES[part.kind](part.settings, self._judge(part.voms_dir, part.voms_refresh))
            case X509ExtractorPart():
                return X509Extractor(part.attribute_ids, self._judge(None, timedelta.max))
            case AuthnProfilePart():
                return self._authn_profile(part)
            case PolicyNamesPart():
                return self._policy_names(part)
            case _:
                return part

    def details(self) -> Lines:
        """For the status page."""
        lines = trust_state(self._trust, now()) if self._trust else []
        for state in self._states:
            lines += state()
        return lines

    def _check_order(self, part: PipPart) -> None:
        """BETTER: Java says nothing, and the later point has no effect or the wrong one."""
        late = any(isinstance(made, AuthnProfilePart) for made in self._made)
        if late and isinstance(part, ProfilePart) and part.kind is not PipKind.SCAS_LEGACY:
            self._warn(
                f"{part.kind.value} comes after {PipKind.AUTHN_PROFILE.value} in the list of pips: "
                "what it proves is not held against authentication profiles"
            )
        if isinstance(part, PolicyNamesPart) and not any(map(_tells_the_issuer, self._made)):
            self._warn(
                f"no {PipKind.X509_EXTRACTOR.value} comes before {PipKind.POLICY_NAMES.value} in the list of pips: "
                "the issuers whose policies are named are those that clients claim"
            )

    def _warn(self, reason: str) -> None:
        _log.warning("%s", reason)
        self._states.append(lambda: [("Problem", reason)])

    def _judge(self, voms_dir: Path | None, voms_refresh: timedelta) -> CertificateJudge:
        """One per vomsdir, so that no chain is judged twice."""
        if self._trust is None:
            raise ConfigurationError("Policy information point trust material may not be null")
        if voms_dir not in self._judges:
            vomsdir = None if voms_dir is None else self._watched(voms_trust(voms_dir), voms_refresh)
            self._judges[voms_dir] = CertificateJudge(self._trust, vomsdir, our_names())
        return self._judges[voms_dir]

    def _authn_profile(self, part: AuthnProfilePart) -> AuthnProfile:
        accepted = self._accepted_file(part)
        try:
            files = IgtfFiles(part.directory, accepted, part.pattern)
            name = f"authentication profiles of {part.directory} and {accepted}"
            profiles = loaded(Snapshot[AuthenticationProfiles](name, files.load, now, files.distrust_versions))
        except ConfigurationError as error:
            reason = f"{part.name}: error building authentication profile PIP: {error}"
            raise ConfigurationError(
                f"Unable to configure PIP {part.name}. The following error was reported: {reason}"
            ) from error
        return AuthnProfile(self._watched(profiles, part.refresh), part.own_entry_alone)

    def _accepted_file(self, part: AuthnProfilePart) -> Path:
        """COMPAT: a file that cannot be read gives way to the one that is there by default."""
        file = part.accepted_file
        if file == ACCEPTED_PROFILES_FILE or (file.is_file() and os.access(file, os.R_OK)):
            return file
        self._warn(f"{part.name}: {file} is not readable: {ACCEPTED_PROFILES_FILE} is used")
        return ACCEPTED_PROFILES_FILE

    def _policy_names(self, part: PolicyNamesPart) -> PolicyNames:
        files = InfoFiles(part.directory)
        name = f"files that name CAs in {part.directory}"
        policies = loaded(Snapshot[CaPolicies](name, files.load, now, files.distrust_versions))
        return PolicyNames(self._watched(policies, part.refresh), part.attribute_id)

    def _watched(self, material: Snapshot[M], every: timedelta | None) -> Snapshot[M]:
        """The snapshot, from now on refreshed and shown; ``every`` None: refreshed when somebody asks for it alone."""
        tasks = watching(material, every or _ON_DEMAND)
        self.periodic += tasks if every is not None else tasks[1:]
        self._states.append(lambda: material_state(material, now()))
        return material


def _tells_the_issuer(part: PipPart) -> bool:
    if isinstance(part, X509ExtractorPart):
        return AuthzInterop.SUBJECT_X509_ISSUER in part.attribute_ids
    return isinstance(part, ProfilePart) and part.kind is PipKind.SCAS_LEGACY
