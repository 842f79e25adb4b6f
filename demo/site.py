"""Makes a throw-away grid site in a folder: credentials, trust and map files, pools, configuration of the daemons.

The layout is that of a real one: ``grid-security/`` as below /etc, ``argus/`` as /etc/argus of the Java packages.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.credentials.names import distinguished_name, hashes
from demo.issuing import CertificateAuthority, Credential, VomsServer, proxy_of

VO = "dteam"
PILOT_FQANS = ("/dteam/Role=pilot/Capability=NULL", "/dteam/Role=NULL/Capability=NULL")
RESOURCE = "http://authz-interop.org/xacml/resource/resource-type/wn"
ACTION = "http://glite.org/xacml/action/execute"

_GRID_MAPFILE = '"/dteam/Role=pilot" .dtplt\n"/dteam" .dteam\n"/dteam/*" .dteam\n'
_GROUP_MAPFILE = '"/dteam/Role=pilot" dtplt\n"/dteam" dteam\n"/dteam/*" dteam\n'
_POOLS = {"dtplt": 3, "dteam": 5}

_SIGNING_POLICY = """\
access_id_CA   X509    '{issuer}'
pos_rights     globus  CA:sign
cond_subjects  globus  '"/DC=org/DC=argus-demo/*"'
"""

_PAP = """\
[paps:properties]
poll_interval = 300

[repository]
location = {root}/repository

[standalone-service]
hostname = {host}
port = 0
shutdown_port = 0
entity_id = https://{host}/pap

[security]
certificate = {root}/hosts/localhost.pem
private_key = {root}/hosts/localhost.key
trust_store_dir = {certificates}
voms_dir = {vomsdir}
"""

_PAP_AUTHORIZATION = """\
[dn]
"{admin}" : ALL

[fqan]
"""

_PDP = """\
[SERVICE]
entityId = https://{host}/pdp
hostname = {host}
port = 0
adminPort = 0
adminPassword = pdpadmin_password

[POLICY]
paps = https://{host}:8150/pap/services/ProvisioningService

[SECURITY]
servicePrivateKey = {root}/hosts/localhost.key
serviceCertificate = {root}/hosts/localhost.pem
trustInfoDir = {certificates}
enableSSL = true
requireClientCertAuthentication = true
enabledProtocols = TLSv1.2 TLSv1.3
"""

_PEPD = """\
[SERVICE]
entityId = https://{host}/pepd
hostname = {host}
port = 0
adminPort = 0
adminPassword = pepdadmin_password
pips = REQVALIDATOR_PIP OPENSSLSUBJECT_PIP GLITEXACMLPROFILE_PIP
obligationHandlers = ACCOUNTMAP_OH

[PDP]
pdps = https://{host}:8152/authz

[SECURITY]
servicePrivateKey = {root}/hosts/localhost.key
serviceCertificate = {root}/hosts/localhost.pem
trustInfoDir = {certificates}
enableSSL = true
requireClientCertAuthentication = true
enabledProtocols = TLSv1.2 TLSv1.3

[REQVALIDATOR_PIP]
parserClass = org.glite.authz.pep.pip.provider.RequestValidatorPIPIniConfigurationParser
validateRequestSubjects = true
validateRequestResources = true
validateRequestAction = true
validateRequestEnvironment = false

[OPENSSLSUBJECT_PIP]
parserClass = org.glite.authz.pep.pip.provider.OpenSSLSubjectPIPIniConfigurationParser

[GLITEXACMLPROFILE_PIP]
parserClass = org.glite.authz.pep.pip.provider.GLiteAuthorizationProfilePIPIniConfigurationParser
vomsInfoDir = {vomsdir}
acceptedProfileIDs = http://glite.org/xacml/profile/grid-ce/1.0 http://glite.org/xacml/profile/grid-wn/1.0

[ACCOUNTMAP_OH]
parserClass = org.glite.authz.pep.obligation.dfpmap.DFPMObligationHandlerConfigurationParser
handledObligationId = http://glite.org/xacml/obligation/local-environment-map
accountMapFile = {security}/grid-mapfile
groupMapFile = {security}/groupmapfile
gridMapDir = {security}/gridmapdir
useSecondaryGroupNamesForMapping = true
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A site below ``root``; the properties name what a command line needs."""

    root: Path
    authority: CertificateAuthority
    voms: VomsServer

    @property
    def configuration(self) -> Path:
        return self.root / "argus"

    @property
    def certificates(self) -> Path:
        return self.root / "grid-security" / "certificates"

    @property
    def vomsdir(self) -> Path:
        return self.root / "grid-security" / "vomsdir"

    @property
    def gridmapdir(self) -> Path:
        return self.root / "grid-security" / "gridmapdir"

    @property
    def admin(self) -> tuple[Path, Path]:
        """Certificate and key of the administrator."""
        return self.root / "users" / "admin.pem", self.root / "users" / "admin.key"

    @property
    def host(self) -> tuple[Path, Path]:
        """Certificate and key of the host, for daemons and worker nodes."""
        return self.root / "hosts" / "localhost.pem", self.root / "hosts" / "localhost.key"

    def pilot(self, common_name: str, fqans: Sequence[str] = PILOT_FQANS) -> Credential:
        """A proxy of a new user of the VO, with an attribute certificate that lists the FQANs."""
        now = datetime.now(UTC)
        user = self.authority.user(common_name)
        return proxy_of(user, now, [self.voms.attribute_certificate(user, fqans, now)])

    def add_pilot(self, common_name: str) -> Path:
        """The file of such a proxy."""
        file = self.root / "proxies" / f"{common_name.lower().replace(' ', '-')}.pem"
        return _private(file, self.pilot(common_name).proxy_file())


def slash_dn(credential: Credential) -> str:
    """The subject as grid tools write it, ``/DC=org/...``."""
    return distinguished_name(credential.certificate.subject).slash()


def make_site(root: Path, host: str = "localhost") -> Site:
    """A fresh site; what was in ``root`` before is gone."""
    shutil.rmtree(root, ignore_errors=True)
    now = datetime.now(UTC)
    authority = CertificateAuthority("Argus Demo CA", now)
    voms = VomsServer(VO, f"voms.{VO}.example.org", authority.host(f"voms.{VO}.example.org"))
    site = Site(root, authority, voms)
    _write_trust(site)
    _write_mapping(site)
    _write_credential(root / "hosts" / "localhost", authority.host(host, "127.0.0.1"))
    admin = authority.user("Site Admin")
    _write_credential(root / "users" / "admin", admin)
    security = root / "grid-security"
    values = {
        "root": root,
        "host": host,
        "admin": slash_dn(admin),
        "security": security,
        "certificates": site.certificates,
        "vomsdir": site.vomsdir,
    }
    _write(site.configuration / "pap" / "pap_configuration.ini", _PAP.format_map(values))
    _write(site.configuration / "pap" / "pap_authorization.ini", _PAP_AUTHORIZATION.format_map(values))
    _write(site.configuration / "pdp" / "pdp.ini", _PDP.format_map(values))
    _write(site.configuration / "pepd" / "pepd.ini", _PEPD.format_map(values))
    return site


def _write_trust(site: Site) -> None:
    certificate = site.authority.certificate
    subject = distinguished_name(certificate.subject).slash()
    policy = _SIGNING_POLICY.format(issuer=subject)
    for hashed in hashes(certificate.subject.public_bytes()):
        _write(site.certificates / f"{hashed}.0", certificate.public_bytes(Encoding.PEM).decode())
        _write(site.certificates / f"{hashed}.r0", site.authority.crl().decode())
        _write(site.certificates / f"{hashed}.signing_policy", policy)
    _write(site.vomsdir / VO / f"{site.voms.host}.lsc", site.voms.lsc())


def _write_mapping(site: Site) -> None:
    _write(site.root / "grid-security" / "grid-mapfile", _GRID_MAPFILE)
    _write(site.root / "grid-security" / "groupmapfile", _GROUP_MAPFILE)
    site.gridmapdir.mkdir(parents=True)
    for pool, size in _POOLS.items():
        for number in range(1, size + 1):
            (site.gridmapdir / f"{pool}{number:03d}").touch()


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _private(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _write_credential(path: Path, credential: Credential) -> None:
    _private(path.with_suffix(".pem"), credential.certificate_pem())
    _private(path.with_suffix(".key"), credential.key_pem())
