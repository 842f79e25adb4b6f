from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.daemon import AdminSettings, SecuritySettings, ServiceSettings
from argus_py.config.ini import BadConfiguration
from argus_py.config.java_names import HANDLER_KINDS, PIP_KINDS, PipKind
from argus_py.config.obligations import AccountMappingPart
from argus_py.config.pepd import PdpSettings, PepdSettings, load_pepd, parse_pepd
from argus_py.config.pips import AuthnProfilePart, ProfilePart
from argus_py.errors import ConfigurationError
from argus_py.model.identifiers import DciSec, Glite
from argus_py.pep.mapping.plan import MappingRules
from argus_py.pep.obligations.account_mapping import MappingSettings
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.request_validator import RequestValidator

SHIPPED = (Path(__file__).parents[2] / "vectors" / "ini" / "pepd.ini").read_text()
PROVIDER = "org.glite.authz.pep.pip.provider."

SECURITY = """
[SECURITY]
servicePrivateKey = /key
serviceCertificate = /cert
trustInfoDir = /trust
"""
REST = """[SERVICE]
adminPassword = secret
entityId = http://argus.example.org/pepd
hostname = argus.example.org
[PDP]
pdps = https://a:8152/authz https://b:8152/authz
"""


def settings(text: str) -> PepdSettings:
    return parse_pepd(text, "pepd.ini")


def problems(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        settings(text)
    return str(refusal.value).split("\n")


def warnings(text: str) -> list[str]:
    return [str(problem) for problem in settings(text).warnings]


def test_the_shipped_file_reads_to_the_settings_it_stands_for() -> None:
    read = settings(SHIPPED)
    assert replace(read, warnings=(), pip_places=()) == PepdSettings(
        security=SecuritySettings(
            certificate=Path("/etc/grid-security/hostcert.pem"),
            private_key=Path("/etc/grid-security/hostkey.pem"),
            trust_dir=Path("/etc/grid-security/certificates"),
            tls=True,
            require_client_certificate=True,
        ),
        service=ServiceSettings(
            entity_id="http://argus.example.org/pepd",
            hostname="argus.example.org",
            bind_address="argus.example.org",
            port=8154,
            admin=AdminSettings("localhost", 8155, "pepdadmin_password"),
            maximum_requests=200,
            request_queue_size=500,
            connection_timeout=timedelta(seconds=30),
        ),
        pdp=PdpSettings(
            urls=("https://argus.example.org:8152/authz",),
            maximum_cached_responses=500,
            cached_response_ttl=timedelta(minutes=10),
            maximum_requests=200,
            connection_timeout=timedelta(seconds=30),
        ),
        pips=(
            RequestValidator(),
            OpensslSubject(),
            ProfilePart(
                PipKind.GLITE_PROFILE,
                ProfileSettings(frozenset({Glite.PROFILE_WORKER_NODE, Glite.PROFILE_COMPUTE_ELEMENT})),
                Path("/etc/grid-security/vomsdir"),
                timedelta(hours=1),
            ),
            ProfilePart(
                PipKind.COMMON_PROFILE,
                ProfileSettings(
                    frozenset({DciSec.PROFILE_COMMON_AUTHZ}), require_certificate=False, refuse_invalid_acs=False
                ),
                Path("/etc/grid-security/vomsdir"),
                timedelta(hours=1),
            ),
            AuthnProfilePart(
                "AUTHN_PROFILE_PIP",
                Path("/etc/argus/pepd/vo-ca-ap-file"),
                Path("/etc/grid-security/certificates"),
                "policy-*.info",
                timedelta(hours=4),
                own_entry_alone=False,
            ),
        ),
        obligation_handlers=(
            AccountMappingPart(
                "ACCOUNTMAP_OH",
                Path("/etc/grid-security/grid-mapfile"),
                Path("/etc/grid-security/groupmapfile"),
                Path("/etc/grid-security/gridmapdir"),
                timedelta(minutes=15),
                MappingSettings(),
            ),
        ),
        warnings=(),
    )


def test_the_shipped_file_is_warned_of_a_deprecated_name() -> None:
    assert warnings(SHIPPED) == [
        f"pepd.ini:33 [GLITEXACMLPROFILE_PIP] parserClass: {PROVIDER}AuthorizationProfilePIPIniConfigurationParser"
        " is deprecated, use glite-profile",
    ]


def test_an_empty_file_lacks_two_sections() -> None:
    assert problems("") == [
        "pepd.ini: INI configuration does not contain the required 'SERVICE' INI section",
        "pepd.ini: INI configuration does not contain the required 'PDP' INI section",
    ]


def test_without_a_security_section_there_is_no_protection_and_a_warning() -> None:
    read = settings(REST)
    assert read.security == SecuritySettings()
    assert [str(warning) for warning in read.warnings] == [
        "pepd.ini: INI configuration does not contain the 'SECURITY' INI section: no TLS, no trust, no credential",
        "pepd.ini:6 [PDP] pdps: nobody can be asked by https without a trustInfoDir in [SECURITY]",
    ]


def test_every_problem_is_told_with_its_place() -> None:
    text = "[SECURITY]\nenableSSL = true\nenableOCSP = yes\n[SERVICE]\nentityID = x\npips = A B\n[PDP]\npdps = ftp://a\n[B]\n"
    assert problems(text) == [
        "pepd.ini:2 [SECURITY] enableSSL: needs servicePrivateKey, serviceCertificate and trustInfoDir",
        "pepd.ini:3 [SECURITY] enableOCSP: OCSP is not supported; revocation is checked by CRLs",
        "pepd.ini:4: INI configuration section SERVICE does not contain the required property entityId",
        "pepd.ini:4: INI configuration section SERVICE does not contain the required property hostname",
        "pepd.ini: INI configuration file does not contain a configuration section for policy information point A",
        "pepd.ini:9: Unable to configure PIP B. The following error was reported: "
        "INI configuration section B does not contain the required property parserClass",
        "pepd.ini:8 [PDP] pdps: 'ftp://a' is no http or https URL",
    ]


def test_an_unknown_class_is_named() -> None:
    text = REST.replace("[PDP]", "obligationHandlers = X\n[PDP]") + "[X]\nparserClass = org.example.Handler\n"
    assert problems(text) == [
        "pepd.ini:9 [X] parserClass: Unable to configure Obligation Handler X. "
        "The following error was reported: org.example.Handler"
    ]


def test_unknown_keys_and_sections_are_warned_of() -> None:
    text = REST.replace("[PDP]", "prot = 1\n[PDP]\ncacheTTL = 1") + SECURITY + "[OLD]\nk = 1\n"
    assert warnings(text) == [
        "pepd.ini:5 [SERVICE] prot: unknown key, ignored; is port meant?",
        "pepd.ini:7 [PDP] cacheTTL: unknown key, ignored",
        "pepd.ini:14 [OLD]: nothing refers to this section, ignored",
    ]


@pytest.mark.parametrize("missing", ["servicePrivateKey", "serviceCertificate", "trustInfoDir"])
def test_tls_is_refused_rather_than_left_out_when_something_is_missing(missing: str) -> None:
    lines = [line for line in SECURITY.splitlines() if not line.startswith(missing)]
    assert any("enableSSL: needs" in problem for problem in problems("\n".join([*lines, "enableSSL = true", REST])))


def test_half_a_credential_is_none() -> None:
    read = settings("[SECURITY]\nserviceCertificate = /cert\n" + REST)
    assert read.security.certificate is None
    assert "go together" in str(read.warnings[0])


def test_all_security_keys_are_read() -> None:
    text = (
        SECURITY + "servicePrivateKeyPassword = p w\ntrustInfoRefresh = 5\nenableCRL = false\nenableOCSP = no\n"
        "enableSSL = yes\nrequireClientCertAuthentication = 1\ntlsProtocol = TLSv1.2\nenabledProtocols = TLSv1.3\n"
        + REST
    )
    assert settings(text).security == SecuritySettings(
        certificate=Path("/cert"),
        private_key=Path("/key"),
        private_key_password="p w",
        trust_dir=Path("/trust"),
        trust_refresh=timedelta(minutes=5),
        check_crls=False,
        tls=True,
        require_client_certificate=True,
        tls_protocols=("TLSv1.3",),
    )
    assert settings(text).warnings == ()


@pytest.mark.parametrize("key", ["enableSSL", "requireClientCertAuthentication"])
def test_a_protection_that_is_misspelt_stops_the_start(key: str) -> None:
    assert any(
        f"[SECURITY] {key}: 'ture' is neither" in problem for problem in problems(SECURITY + f"{key} = ture\n" + REST)
    )


def test_obsolete_protocols_are_left_out() -> None:
    read = settings(SECURITY + "enabledProtocols = TLSv1 TLSv1.1 TLSv1.2\n" + REST)
    assert read.security.tls_protocols == ("TLSv1.2",)
    assert len(read.warnings) == 2


@pytest.mark.parametrize(
    ("listed", "reason"), [("TLSv1.1", "nothing is left to speak"), ("TLS1.3", "'TLS1.3' is not known")]
)
def test_protocols_that_cannot_be_spoken_stop_the_start(listed: str, reason: str) -> None:
    assert reason in problems(SECURITY + f"enabledProtocols = {listed}\n" + REST)[0]


def test_all_service_and_pdp_keys_are_read() -> None:
    service = (
        "[SERVICE]\nentityId = e\nhostname = h\nport = 1\nadminHost = a\nadminPort = 2\nadminPassword = p\n"
        "maximumRequests = 3\nrequestQueueSize = 4\nconnectionTimeout = 5\nreceiveBufferSize = 6\nsendBufferSize = 7\n"
    )
    pdp = (
        "[PDP]\npdps = http://a  https://b\nmaximumCachedResponses = 0\ncachedResponseTTL = 9\nmaximumRequests = 10\n"
        "connectionTimeout = 11\nreceiveBufferSize = 12\nsendBufferSize = 13\n"
    )
    read = settings(service + pdp + SECURITY)
    assert read.service == ServiceSettings("e", "h", "h", 1, AdminSettings("a", 2, "p"), 3, 4, timedelta(seconds=5))
    assert read.pdp == PdpSettings(("http://a", "https://b"), 0, timedelta(seconds=9), 10, timedelta(seconds=11))
    assert read.warnings == ()


def test_a_port_out_of_range_is_the_default_with_a_warning() -> None:
    read = settings(REST.replace("[PDP]", "port = 70000\n[PDP]") + SECURITY)
    assert read.service.port == 8154
    assert "'70000' is no integer from 0 to 65535; 8154 is used" in str(read.warnings[0])


def test_the_service_port_is_bound_to_the_host_name_unless_another_address_is_given() -> None:
    assert settings(REST + SECURITY).service.bind_address == "argus.example.org"
    assert settings(REST.replace("[PDP]", "bindAddress = ::\n[PDP]") + SECURITY).service.bind_address == "::"


def test_it_is_known_where_each_point_is_configured() -> None:
    text = REST.replace("[PDP]", "pips = W V\n[PDP]") + SECURITY
    read = settings(text + "[V]\nparserClass = request-validator\n[W]\nparserClass = openssl-subject\n")
    assert [str(place) for place in read.pip_places] == ["pepd.ini:15 [W]", "pepd.ini:13 [V]"]


MAPPING = "parserClass = account-mapping\naccountMapFile = /a\ngroupMapFile = /g\ngridMapDir = /d\n"


def test_account_mapping_keys() -> None:
    section = MAPPING + (
        "handledObligationId = o\nrefreshPeriod = 1\npreferDNForLoginName = no\npreferDNForPrimaryGroupName = no\n"
        "noPrimaryGroupNameIsError = true\nrequireSubjectKeyInfo = false\nuseSecondaryGroupNamesForMapping = false\n"
        "poolAccountLookupMaxIterations = 3\nenablePoolAccountCache = false\npoolAccountCacheTTL = 1\n"
    )
    read = settings(REST.replace("[PDP]", "obligationHandlers = H\n[PDP]") + SECURITY + "[H]\n" + section)
    assert read.obligation_handlers == (
        AccountMappingPart(
            "H",
            Path("/a"),
            Path("/g"),
            Path("/d"),
            timedelta(minutes=1),
            MappingSettings("o", False, rules=MappingRules(False, False, True, False)),
        ),
    )
    assert read.warnings == ()


def test_account_mapping_needs_its_files() -> None:
    text = REST.replace("[PDP]", "obligationHandlers = H\n[PDP]") + SECURITY + "[H]\nparserClass = account-mapping"
    missing = [problem.rsplit(" ", 1)[1] for problem in problems(text)]
    assert missing == ["accountMapFile", "groupMapFile", "gridMapDir"]


def test_two_handlers_for_one_obligation_are_refused() -> None:
    text = REST.replace("[PDP]", "obligationHandlers = H I\n[PDP]") + SECURITY + f"[H]\n{MAPPING}[I]\n{MAPPING}"
    assert problems(text) == [f"pepd.ini: more than one obligation handler for {Glite.LOCAL_ENVIRONMENT_MAP}"]


def test_one_section_may_be_listed_twice_as_pip() -> None:
    text = REST.replace("[PDP]", "pips = V V\n[PDP]") + SECURITY + "[V]\nparserClass = request-validator"
    assert settings(text).pips == (RequestValidator(), RequestValidator())


def test_class_names_of_every_argus_are_known() -> None:
    common = "org.glite.authz.common."
    assert PIP_KINDS[common + "pip.provider.X509PIPIniConfigurationParser"].value == "glite-profile"
    assert PIP_KINDS[PROVIDER + "SCASSLegacyPIPIniConfigurationParser"].value == "scas-legacy"
    dfpm = "dfpmap.DFPMObligationHandlerConfigurationParser"
    assert HANDLER_KINDS["org.glite.authz.pep.obligation." + dfpm].value == "account-mapping"
    assert HANDLER_KINDS[common + "obligation.provider." + dfpm].value == "account-mapping"


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "pepd.ini"
    path.write_bytes("\ufeff# Latin-1: ".encode() + b"\xe9\n" + REST.encode())
    assert load_pepd(path).service.bind_address == "argus.example.org"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Unable to read configuration file .*pepd\.ini: No such file"):
        load_pepd(tmp_path / "pepd.ini")
