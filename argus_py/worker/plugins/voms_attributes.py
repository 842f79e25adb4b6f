"""The FQANs of the payload's owner, from the attribute certificates in the proxy; lcmaps_voms says whom to trust.

An attribute certificate that does not verify gives nothing, and the policy goes on without it, as in LCMAPS. BETTER:
what it claims still counts against its owner, so that nobody gets around a ban with one that has expired.

Source: lcmaps:src/grid_credential_handling/gsi_handling; lcmaps-plugins-voms:src/voms/lcmaps_voms.c
"""

from dataclasses import dataclass, replace
from typing import Final

from argus_py.credentials import attribute_certificate, voms
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.credentials.voms import VomsAttributes
from argus_py.worker.lcmaps_db import Module
from argus_py.worker.plugins.plugin import PluginFailed, read_options
from argus_py.worker.plugins.verify_proxy import CERTIFICATES
from argus_py.worker.ports import Node
from argus_py.worker.state import Attributes, State

VOMSDIR: Final = "/etc/grid-security/vomsdir"


@dataclass(frozen=True, slots=True)
class Voms:
    """lcmaps_voms: other directories than the usual ones."""

    node: Node
    vomsdir: str
    certificates: str

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "Voms":
        options = read_options(file, module, flags=["use-user-dn"], valued=["vomsdir", "certdir"])
        return cls(node, options.last("vomsdir") or VOMSDIR, options.last("certdir") or CERTIFICATES)

    def run(self, state: State) -> State:
        """Raises PluginFailed: no FQAN is proven, since whoever names this plug-in wants some."""
        chain = proven_chain(state)
        found = _examine(self.node, chain, self.vomsdir, self.certificates)
        if not found.proven:
            raise PluginFailed("; ".join(found.problems) or "the proxy has no VOMS attributes")
        return replace(state, attributes=found)


def proven_chain(state: State) -> VerifiedChain:
    """INVARIANT: what a name or a group is given for has been proven, whatever the order of a policy.

    Raises PluginFailed.
    """
    if state.verified is None:
        raise PluginFailed("lcmaps_verify_proxy has not proven the proxy before")
    return state.verified


def attributes_of(state: State, node: Node) -> Attributes:
    """Found before, or by the usual directories. Raises PluginFailed: the chain is not proven."""
    chain = proven_chain(state)
    return state.attributes or _examine(node, chain, VOMSDIR, CERTIFICATES)


def _examine(node: Node, chain: VerifiedChain, vomsdir: str, certificates: str) -> Attributes:
    try:
        carried = voms.carried(chain)
    except Rejection as error:
        return Attributes(problems=(str(error),))
    if not carried:
        return Attributes()
    servers = node.voms_trust(vomsdir)
    proven: list[str] = []
    claimed: list[str] = []
    problems: list[str] = []
    for encoded in carried:
        try:
            ac = attribute_certificate.read_attribute_certificate(encoded)
        except Rejection as error:
            problems.append(f"an attribute certificate does not count: {error}")
            continue
        claimed += ac.fqans
        trust = node.trust(certificates, (*map(Certificate, ac.certificates), *servers.certificates_for(ac)))
        verdict = voms.judge(encoded, chain, servers, trust, node.now, hostnames=frozenset())
        if isinstance(verdict, VomsAttributes):
            proven += verdict.fqans
        else:
            problems.append(f"an attribute certificate of {ac.vo} does not count: {verdict}")
    return Attributes(tuple(dict.fromkeys(proven)), tuple(dict.fromkeys(claimed)), tuple(problems))
