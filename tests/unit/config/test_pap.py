from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.ini import BadConfiguration
from argus_py.config.pap import PapSettings, load_pap, parse_pap
from argus_py.pap.paps import Remote
from argus_py.pap.take_up import ConfiguredPap, ConfiguredPaps

SHIPPED = (Path(__file__).parents[2] / "vectors" / "ini" / "pap_configuration.ini").read_text()
HOME = Path("/var/lib/argus/pap")
LEAST = "[paps:properties]\npoll_interval = 300\n"


def settings(text: str) -> PapSettings:
    return parse_pap(text, "pap.ini", HOME)


def problems(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        settings(text)
    return str(refusal.value).split("\n")


def warnings(text: str) -> list[str]:
    return [str(problem) for problem in settings(text).warnings]


def test_the_shipped_file_reads_to_the_settings_it_stands_for() -> None:
    assert settings(SHIPPED) == PapSettings(
        hostname="127.0.0.1",
        port=8150,
        entity_id="http://pap.example.id",
        shutdown_port=8151,
        shutdown_command=None,
        maximum_connections=64,
        trust_refresh=timedelta(minutes=10),
        certificate=Path("/etc/grid-security/hostcert.pem"),
        private_key=Path("/etc/grid-security/hostkey.pem"),
        trust_dir=Path("/etc/grid-security/certificates"),
        voms_dir=Path("/etc/grid-security/vomsdir"),
        paps=ConfiguredPaps((), ("default",), timedelta(minutes=5)),
        maximum_copy_age=None,
        database="sqlite:////var/lib/argus/pap/repository/policies.db",
        warnings=(),
    )


def test_everything_but_the_poll_interval_has_a_default() -> None:
    read = settings(LEAST)
    assert (read.hostname, read.port) == ("localhost", 8150)
    assert read.entity_id == "https://localhost:8150/pap/services/ProvisioningService"
    assert read.certificate == Path("/etc/grid-security/hostcert.pem")
    assert read.warnings == ()
    assert problems("") == [
        "pap.ini:1: INI configuration section paps:properties does not contain the required property poll_interval"
    ]


def test_all_keys_are_read() -> None:
    text = (
        LEAST + "[standalone-service]\nhostname = h\nport = 9000\nshutdown_command = secret # not this\n"
        "crl_update_interval = 5\nmax_connections = 7\nmax_request_queue_size = -1\nshutdown_port = -1\n"
        "[security]\ncertificate = /c\nprivate_key = /k\ntrust_store_dir = /t\nvoms_dir = /v\n"
        "[repository]\nlocation = /var/argus\n[paps:properties]\nmaximum_copy_age = 86400\n"
    )
    assert settings(text) == PapSettings(
        hostname="h",
        port=9000,
        entity_id="https://h:9000/pap/services/ProvisioningService",
        shutdown_port=None,
        shutdown_command="secret",
        maximum_connections=7,
        trust_refresh=timedelta(minutes=5),
        certificate=Path("/c"),
        private_key=Path("/k"),
        trust_dir=Path("/t"),
        voms_dir=Path("/v"),
        paps=ConfiguredPaps((), (), timedelta(minutes=5)),
        maximum_copy_age=timedelta(days=1),
        database="sqlite:////var/argus/policies.db",
        warnings=(),
    )


def test_a_database_can_be_named() -> None:
    text = LEAST + "[repository]\ndatabase = postgresql+psycopg://argus@db/argus\n"
    assert settings(text).database == "postgresql+psycopg://argus@db/argus"


@pytest.mark.parametrize(
    ("section", "key"), [("standalone-service", "port"), ("standalone-service", "crl_update_interval")]
)
def test_a_bad_number_stops_the_start(section: str, key: str) -> None:
    assert problems(LEAST + f"[{section}]\n{key} = ten\n")[0].startswith(
        f"pap.ini:4 [{section}] {key}: 'ten' is no integer"
    )


def test_a_bad_poll_interval_stops_the_start() -> None:
    assert problems("[paps:properties]\npoll_interval = often\n")[0].startswith(
        "pap.ini:2 [paps:properties] poll_interval: 'often' is no integer"
    )


def test_no_connections_at_all_are_the_default_with_a_warning() -> None:
    read = settings(LEAST + "[standalone-service]\nmax_connections = 0\n")
    assert read.maximum_connections == 64
    assert [str(w) for w in read.warnings] == [
        "pap.ini:4 [standalone-service] max_connections: must be positive; 64 is used"
    ]


def test_paps_are_read() -> None:
    text = (
        "[paps]\ncentral.type = remote\ncentral.public = true\ncentral.hostname = pap.example.org\n"
        "central.dn = CN=pap,DC=example\nmine.type = Local\nmine.public = false\nmine.enabled = yes\n"
        "default.public = false\n"
        "[paps:properties]\npoll_interval = 60\nordering = central, default\nordering = mine\n"
    )
    read = settings(text)
    central = ConfiguredPap("central", False, True, Remote("pap.example.org", dn="CN=pap,DC=example"))
    mine = ConfiguredPap("mine", True, False)
    assert read.paps == ConfiguredPaps((central, mine), ("central", "default", "mine"), timedelta(minutes=1))
    assert read.warnings == ()


def test_a_flag_that_means_nothing_stops_the_start() -> None:
    """Else a central ban list could be switched off by a slip of the pen."""
    text = "[paps]\na.type = local\na.public = false\na.enabled = treu\n" + LEAST
    assert problems(text) == ["pap.ini:4 [paps] a.enabled: 'treu' is neither true, yes, 1 nor false, no, 0"]


def test_what_is_wrong_with_paps_stops_the_start_and_is_told_whole() -> None:
    text = (
        "[paps]\na.public = true\nb.type = remote\nb.public = true\nc.type = local\nd/x.type = local\n"
        "d/x.public = no\n" + LEAST + "ordering = a, z, a\n"
    )
    assert problems(text) == [
        'pap.ini:1 [paps]: "type" is not set for remote pap "a"',
        'pap.ini:1 [paps]: "hostname" is not set for remote pap "a"',
        'pap.ini:1 [paps]: "hostname" is not set for remote pap "b"',
        'pap.ini:1 [paps]: "public" is not set for pap "c"',
        "pap.ini:6 [paps] d/x.type: is no alias of a pap",
        'pap.ini:10 [paps:properties] ordering: Error in remote paps order: alias "a" appears more than one time',
        'pap.ini:10 [paps:properties] ordering: Error in remote paps order: unknown alias "z"',
    ]


def test_unknown_keys_and_sections_are_warned_of() -> None:
    assert warnings(LEAST + "[security]\ncert = /c\n[other]\nk = 1\n") == [
        "pap.ini:4 [security] cert: unknown key, ignored",
        "pap.ini:5 [other]: unknown section, ignored",
    ]


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "pap.ini"
    path.write_text(SHIPPED)
    assert load_pap(path, HOME) == settings(SHIPPED)
