"""The configuration files that ``argus site init`` writes.

What is not said has its default; docs/site.md tells what sites change.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class SiteNames:
    """``host_dn`` is that of the host's certificate, in slash form as those of ``admins``; no value has a line end."""

    hostname: str
    host_dn: str
    admins: tuple[str, ...]
    certificate: Path
    private_key: Path
    trust_dir: Path
    vomsdir: Path
    state_dir: Path
    grid_mapfile: Path
    group_mapfile: Path
    gridmapdir: Path


_PAP: Final = """\
[paps:properties]
poll_interval = 14400

[repository]
location = {state_dir}/pap

[standalone-service]
hostname = {hostname}
port = 8150
shutdown_port = 8151
shutdown_command = {password}
entity_id = https://{hostname}/pap

[security]
certificate = {certificate}
private_key = {private_key}
trust_store_dir = {trust_dir}
voms_dir = {vomsdir}
"""

_PDP: Final = """\
[SERVICE]
entityId = https://{hostname}/pdp
hostname = {hostname}
bindAddress = 0.0.0.0
port = 8152
adminPort = 8153
adminPassword = {password}

[POLICY]
paps = https://{hostname}:8150/pap/services/ProvisioningService
# minutes
retentionInterval = 240
# for a start while no PAP answers
lastGoodPolicyFile = {state_dir}/pdp/last-good-policy

[SECURITY]
servicePrivateKey = {private_key}
serviceCertificate = {certificate}
trustInfoDir = {trust_dir}
enableSSL = true
requireClientCertAuthentication = true
enabledProtocols = TLSv1.2 TLSv1.3
"""

_PEPD: Final = """\
[SERVICE]
entityId = https://{hostname}/pepd
hostname = {hostname}
bindAddress = 0.0.0.0
port = 8154
adminPort = 8155
adminPassword = {password}
pips = REQVALIDATOR_PIP OPENSSLSUBJECT_PIP GLITEXACMLPROFILE_PIP COMMONXACMLPROFILE_PIP
obligationHandlers = ACCOUNTMAP_OH

[PDP]
pdps = https://{hostname}:8152/authz

[SECURITY]
servicePrivateKey = {private_key}
serviceCertificate = {certificate}
trustInfoDir = {trust_dir}
enableSSL = true
requireClientCertAuthentication = true
enabledProtocols = TLSv1.2 TLSv1.3

[REQVALIDATOR_PIP]
parserClass = org.glite.authz.pep.pip.provider.RequestValidatorPIPIniConfigurationParser

[OPENSSLSUBJECT_PIP]
parserClass = org.glite.authz.pep.pip.provider.OpenSSLSubjectPIPIniConfigurationParser

[GLITEXACMLPROFILE_PIP]
parserClass = org.glite.authz.pep.pip.provider.GLiteAuthorizationProfilePIPIniConfigurationParser
vomsInfoDir = {vomsdir}
acceptedProfileIDs = http://glite.org/xacml/profile/grid-ce/1.0 http://glite.org/xacml/profile/grid-wn/1.0

[COMMONXACMLPROFILE_PIP]
parserClass = org.glite.authz.pep.pip.provider.CommonXACMLAuthorizationProfilePIPIniConfigurationParser
vomsInfoDir = {vomsdir}
acceptedProfileIDs = http://dci-sec.org/xacml/profile/common-authz/1.1

[ACCOUNTMAP_OH]
parserClass = org.glite.authz.pep.obligation.dfpmap.DFPMObligationHandlerConfigurationParser
handledObligationId = http://glite.org/xacml/obligation/local-environment-map
accountMapFile = {grid_mapfile}
groupMapFile = {group_mapfile}
gridMapDir = {gridmapdir}
# a payload without a group fails on the worker node: refuse it here, where the log says why
noPrimaryGroupNameIsError = true
# false where the LCMAPS of the CEs runs with -do_not_use_secondary_gids, as YAIM made it
useSecondaryGroupNamesForMapping = true
"""


def pap_configuration(names: SiteNames, password: str) -> str:
    return _filled(_PAP, names, password)


def pap_authorization(names: SiteNames) -> str:
    """The administrators may do all, and the PDP, which has the certificate of the host, may fetch the policies."""
    admins = "".join(f'"{admin}" : ALL\n' for admin in names.admins)
    return f'[dn]\n{admins}"{names.host_dn}" : POLICY_READ_LOCAL|POLICY_READ_REMOTE\n\n[fqan]\n'


def pdp(names: SiteNames, password: str) -> str:
    return _filled(_PDP, names, password)


def pepd(names: SiteNames, password: str) -> str:
    return _filled(_PEPD, names, password)


def _filled(template: str, names: SiteNames, password: str = "") -> str:
    return template.format(
        hostname=names.hostname,
        password=password,
        certificate=names.certificate,
        private_key=names.private_key,
        trust_dir=names.trust_dir,
        vomsdir=names.vomsdir,
        state_dir=names.state_dir,
        grid_mapfile=names.grid_mapfile,
        group_mapfile=names.group_mapfile,
        gridmapdir=names.gridmapdir,
    )
