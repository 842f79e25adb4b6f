"""What ``pepd.ini`` and ``pdp.ini`` have in common: SECURITY, SERVICE, and the bookkeeping of a reading.

Source: argus-pdp-pep-common:.../config/AbstractIniServiceConfigurationParser.java
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from argus_py.config.ini import Findings, IniFile, Place, Problem, Section, SectionReader

_PROTOCOLS = ("TLSv1.2", "TLSv1.3")
_OBSOLETE_PROTOCOLS = frozenset({"SSLv2Hello", "SSLv3", "TLSv1", "TLSv1.1"})
NO_EFFECT_HERE = ("receiveBufferSize", "sendBufferSize")  # sizes of Jetty's buffers


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """``trust_dir`` None: no certificate can be verified; ``certificate`` None: no TLS, and none towards the PDPs."""

    certificate: Path | None = None
    private_key: Path | None = None
    private_key_password: str | None = None
    trust_dir: Path | None = None
    trust_refresh: timedelta = timedelta(hours=1)
    check_crls: bool = True
    tls: bool = False
    require_client_certificate: bool = False
    tls_protocols: tuple[str, ...] = _PROTOCOLS


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """``password`` None: whoever reaches the port may give commands."""

    host: str
    port: int
    password: str | None


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """``bind_address`` is what the service port binds to, ``entity_id`` the issuer of queries and answers.

    ``hostname`` is what clients call the host, and its certificate should.

    A port of 0 lets the system choose one.
    """

    entity_id: str
    hostname: str
    bind_address: str
    port: int
    admin: AdminSettings
    maximum_requests: int
    request_queue_size: int
    connection_timeout: timedelta


class Reading:
    """One pass over one file: sections by name, what was found wrong, and which sections were asked for."""

    def __init__(self, ini: IniFile) -> None:
        self._ini = ini
        self.findings = Findings(warnings=list(ini.warnings))
        self._read: set[str] = set()

    def section(self, name: str, findings: Findings | None = None) -> SectionReader | None:
        """``findings`` take what is found wrong in it, if it should not simply be added to the others."""
        self._read.add(name)
        section = self._ini.sections.get(name)
        return (
            SectionReader(self._ini.file, section, self.findings if findings is None else findings) if section else None
        )

    def required_section(self, name: str, missing: str | None = None) -> SectionReader:
        """The section; an empty stand-in, and an error, if there is none."""
        reader = self.section(name)
        if reader is not None:
            return reader
        self.error(missing or f"INI configuration does not contain the required '{name}' INI section")
        return SectionReader(self._ini.file, Section(name, 1), Findings())

    def security(self, no_effect: tuple[str, ...] = ()) -> SecuritySettings:
        """``no_effect`` names keys that may be there and change nothing."""
        reader = self.section("SECURITY")
        if reader is None:
            reason = "INI configuration does not contain the 'SECURITY' INI section: no TLS, no trust, no credential"
            self.findings.warnings.append(Problem(Place(self._ini.file), reason))
            return SecuritySettings()
        settings = _read_security(reader)
        for key in no_effect:
            reader.string(key)
        reader.warn_unknown()
        return settings

    def warn_unread_sections(self) -> None:
        for name, section in self._ini.sections.items():
            if name not in self._read:
                place = Place(self._ini.file, section.line, name)
                self.findings.warnings.append(Problem(place, "nothing refers to this section, ignored"))

    def check_peers(self, security: SecuritySettings, section: str, key: str, urls: tuple[str, ...]) -> None:
        """Warn of what can only fail at every request, which Java finds out then."""
        if security.trust_dir is None and any(url.startswith("https:") for url in urls):
            reason = "nobody can be asked by https without a trustInfoDir in [SECURITY]"
            self.findings.warnings.append(Problem(self._ini.place(section, key), reason))

    def place(self, section: str) -> Place:
        return self._ini.place(section)

    def error(self, reason: str) -> None:
        self.findings.errors.append(Problem(Place(self._ini.file), reason))


def _read_security(reader: SectionReader) -> SecuritySettings:
    certificate, private_key = reader.string("serviceCertificate"), reader.string("servicePrivateKey")
    trust_dir = reader.string("trustInfoDir")
    if (certificate is None) != (private_key is None):
        reader.warn("serviceCertificate", "serviceCertificate and servicePrivateKey go together; neither is used")
        certificate = private_key = None
    tls = reader.guard("enableSSL")
    if tls and None in (certificate, trust_dir):
        # BETTER: Java then listens in the clear without a word.
        reader.error("enableSSL", "needs servicePrivateKey, serviceCertificate and trustInfoDir")
    if reader.guard("enableOCSP"):
        # BETTER: refused, since to ignore it would accept certificates that the operator wants to see rejected.
        reader.error("enableOCSP", "OCSP is not supported; revocation is checked by CRLs")
    reader.string("tlsProtocol")  # COMPAT: the name of a Java context; enabledProtocols says what is spoken
    return SecuritySettings(
        certificate=optional_path(certificate),
        private_key=optional_path(private_key),
        private_key_password=reader.string("servicePrivateKeyPassword"),
        trust_dir=optional_path(trust_dir),
        trust_refresh=reader.minutes("trustInfoRefresh", 60),
        check_crls=reader.boolean("enableCRL", True),
        tls=tls,
        require_client_certificate=reader.guard("requireClientCertAuthentication"),
        tls_protocols=_tls_protocols(reader),
    )


def _tls_protocols(reader: SectionReader) -> tuple[str, ...]:
    listed = reader.words("enabledProtocols") or _PROTOCOLS
    for name in listed:
        if name in _OBSOLETE_PROTOCOLS:
            reader.warn("enabledProtocols", f"{name} is obsolete and not spoken")
        elif name not in _PROTOCOLS:
            reader.error("enabledProtocols", f"{name!r} is not known; known: {' '.join(_PROTOCOLS)}")
    spoken = tuple(name for name in listed if name in _PROTOCOLS)
    if not spoken:
        reader.error("enabledProtocols", f"nothing is left to speak; known: {' '.join(_PROTOCOLS)}")
    return spoken


def read_admin(reader: SectionReader, port: int) -> AdminSettings:
    return AdminSettings(
        host=reader.string("adminHost") or "localhost",
        port=reader.integer("adminPort", port, 0, 65535),
        password=reader.secret("adminPassword"),
    )


def read_service(reader: SectionReader, port: int, admin_port: int) -> ServiceSettings:
    for key in NO_EFFECT_HERE:
        reader.string(key)
    entity_id, hostname = reader.required("entityId"), reader.required("hostname")
    return ServiceSettings(
        entity_id=entity_id,
        hostname=hostname,
        # BETTER: a key of its own, for hosts that are reached by another address than the one they have.
        bind_address=reader.string("bindAddress") or hostname,
        port=reader.integer("port", port, 0, 65535),
        admin=read_admin(reader, admin_port),
        maximum_requests=reader.integer("maximumRequests", 200, 1),
        request_queue_size=reader.integer("requestQueueSize", 500, 1),
        connection_timeout=reader.seconds("connectionTimeout", 30),
    )


def optional_path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
