"""The policy information points of a PEP daemon, with what they watch."""

from pathlib import Path

from argus_py.config.daemon import SecuritySettings
from argus_py.config.pips import GliteProfilePart, PipPart
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.errors import ConfigurationError
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.ports import Pip
from argus_py.run.parts import TrustOf, material_state, now, our_names, trust_state, voms_trust, watching
from argus_py.run.servers import Periodic
from argus_py.snapshot import Snapshot


class InformationPoints:
    """Makes PIPs from their sections; keeps what has to be refreshed and shown for them."""

    def __init__(self, security: SecuritySettings, trust_of: TrustOf) -> None:
        self.periodic: list[Periodic] = []
        self._trust: Snapshot[TrustAnchors] | None = None
        self._vomsdirs: dict[Path, Snapshot[VomsTrust]] = {}
        if security.trust_dir is not None:
            self._trust = trust_of(security.trust_dir, security.check_crls)
            self.periodic += watching(self._trust, security.trust_refresh)

    def point(self, part: PipPart) -> Pip:
        """Raises ConfigurationError: what the section names is unusable."""
        if not isinstance(part, GliteProfilePart):
            return part
        if self._trust is None:
            raise ConfigurationError("Policy information point trust material may not be null")
        return GliteProfile(part.settings, self._trust, self._voms(part), our_names())

    def _voms(self, part: GliteProfilePart) -> Snapshot[VomsTrust] | None:
        if part.voms_dir is None:
            return None
        if part.voms_dir not in self._vomsdirs:
            snapshot = self._vomsdirs[part.voms_dir] = voms_trust(part.voms_dir)
            self.periodic += watching(snapshot, part.voms_refresh)
        return self._vomsdirs[part.voms_dir]

    def details(self) -> list[tuple[str, str]]:
        """Lines for the status page."""
        lines = trust_state(self._trust, now()) if self._trust else []
        for vomsdir in self._vomsdirs.values():
            lines += material_state(vomsdir, now())
        return lines
