"""What a site has set: where the properties are, how they are written, and who is meant."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_py.cli.pap_admin.credentials import User
from argus_py.cli.pap_admin.settings import parse_properties, read_properties, with_effective_id

PROPERTIES = "host = pap.example.org\n"


def site(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/pap-admin.properties").write_text(PROPERTIES)
    return tmp_path


def test_the_file_is_in_the_folder_that_the_environment_names(tmp_path: Path) -> None:
    user = User(0, tmp_path, {"PAP_HOME": str(site(tmp_path))})
    assert read_properties(user, tmp_path / "none") == {"host": "pap.example.org"}


@pytest.mark.parametrize(
    "line", ["PAP_HOME={}", 'export PAP_HOME="{}"  # here', "  PAP_HOME='{}'", "X=1\nPAP_HOME=/elsewhere\nPAP_HOME={}"]
)
def test_or_that_the_sysconfig_file_names(line: str, tmp_path: Path) -> None:
    (tmp_path / "sysconfig").write_text(f"# of the package\n{line.format(site(tmp_path))}\n")
    assert read_properties(User(0, tmp_path, {}), tmp_path / "sysconfig") == {"host": "pap.example.org"}


@pytest.mark.parametrize("line", ["PAP_HOME=", "PAP_HOME='open", "MY_PAP_HOME=/x"])
def test_a_sysconfig_file_that_names_none_is_passed_over(line: str, tmp_path: Path) -> None:
    (tmp_path / "sysconfig").write_text(line)
    assert "pap.example.org" not in read_properties(User(0, tmp_path, {}), tmp_path / "sysconfig").values()


def test_properties_are_optional(tmp_path: Path) -> None:
    assert read_properties(User(0, tmp_path, {"PAP_HOME": str(tmp_path)}), tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("host=a\nport:8151\ntlsProtocol TLSv1.3", {"host": "a", "port": "8151", "tlsProtocol": "TLSv1.3"}),
        ("# host=a\n! host=b\n\n  host = c = d", {"host": "c = d"}),
        ("host=a\nhost=b", {"host": "b"}),
        ("ho\\\n   st=a\\\n  b", {"host": "ab"}),
        ("a\\=b\\:c\\ d=x", {"a=b:c d": "x"}),
        ("tab=a\\tb\\u00e9\\q", {"tab": "a\tb\u00e9q"}),
        ("alone", {"alone": ""}),
        ("end=\\\\", {"end": "\\"}),
        ("last=\\", {"last": ""}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, properties: dict[str, str]) -> None:
    assert parse_properties(text) == properties


@given(st.text(alphabet=st.sampled_from("ab=: \\\n#!u0041\tn"), max_size=60))
def test_whatever_stands_in_the_file_is_read(text: str) -> None:
    assert all(isinstance(value, str) for value in parse_properties(text).values())


@given(st.dictionaries(st.text("abc", min_size=1), st.text("abc=: /.")))
def test_plain_values_come_out_as_they_were_written(properties: dict[str, str]) -> None:
    text = "".join(f"{key}={value}\n" for key, value in properties.items())
    assert parse_properties(text) == {key: value.lstrip() for key, value in properties.items()}


@pytest.mark.parametrize(
    ("environment", "properties", "euid"),
    [
        ({"EUID": "500"}, {"effectiveUserId": "600"}, 500),
        ({}, {"effectiveUserId": "600"}, 600),
        ({}, {}, 0),
        ({"EUID": "root"}, {}, 0),
        ({"EUID": "9" * 5000}, {}, 0),
    ],
)
def test_a_wrapper_may_say_who_is_meant(environment: dict[str, str], properties: dict[str, str], euid: int) -> None:
    assert with_effective_id(User(0, Path("/"), environment), properties).euid == euid
