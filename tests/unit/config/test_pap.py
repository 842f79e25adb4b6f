from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.ini import BadConfiguration
from argus_py.config.pap import PapSettings, load_pap, parse_pap

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
        shutdown_command=None,
        maximum_connections=64,
        trust_refresh=timedelta(minutes=10),
        certificate=Path("/etc/grid-security/hostcert.pem"),
        private_key=Path("/etc/grid-security/hostkey.pem"),
        trust_dir=Path("/etc/grid-security/certificates"),
        voms_dir=Path("/etc/grid-security/vomsdir"),
        poll_interval=timedelta(minutes=5),
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
        "crl_update_interval = 5\nmax_connections = 7\nmax_request_queue_size = -1\n"
        "[security]\ncertificate = /c\nprivate_key = /k\ntrust_store_dir = /t\nvoms_dir = /v\n"
        "[repository]\nlocation = /var/argus\n"
    )
    assert settings(text) == PapSettings(
        hostname="h",
        port=9000,
        entity_id="https://h:9000/pap/services/ProvisioningService",
        shutdown_command="secret",
        maximum_connections=7,
        trust_refresh=timedelta(minutes=5),
        certificate=Path("/c"),
        private_key=Path("/k"),
        trust_dir=Path("/t"),
        voms_dir=Path("/v"),
        poll_interval=timedelta(minutes=5),
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


def test_remote_paps_of_the_file_are_warned_of() -> None:
    assert warnings(LEAST + "[paps]\nremote.type = remote\n") == [
        "pap.ini:3 [paps]: paps are kept in the database: add them with pap-admin add-pap, they are not read from here"
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
