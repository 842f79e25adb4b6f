"""Which certificate is shown to the PAP."""

from pathlib import Path

import pytest

from argus_py.cli.pap_admin.arguments import Arguments, ParseError
from argus_py.cli.pap_admin.credentials import HOST_CERTIFICATE, HOST_KEY, Credential, User, choose


def given(**options: str) -> Arguments:
    return Arguments((), {name: (value,) for name, value in options.items()})


def user(folder: Path, euid: int = 1000, **environment: str) -> User:
    return User(euid, folder / "home", environment, folder / "tmp")


def test_a_proxy_of_the_options_is_its_own_key(tmp_path: Path) -> None:
    somebody = user(tmp_path, X509_USER_PROXY="/other")
    assert choose(given(proxy="/p"), somebody) == Credential(Path("/p"), Path("/p"))


def test_certificate_and_key_of_the_options_come_before_the_environment(tmp_path: Path) -> None:
    somebody = user(tmp_path, X509_USER_PROXY="/other")
    assert choose(given(cert="/c", key="/k"), somebody) == Credential(Path("/c"), Path("/k"))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"cert": "/c"}, "Option --cert requires also option --key."),
        ({"key": "/k"}, "Option --key requires also option --cert."),
        ({"proxy": "/p", "cert": "/c", "key": "/k"}, "Conflicting options --proxy and --cert."),
        ({"proxy": "/p", "key": "/k"}, "Conflicting options --proxy and --key."),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, options: dict[str, str], error: str) -> None:
    with pytest.raises(ParseError) as caught:
        choose(given(**options), user(tmp_path))
    assert str(caught.value) == error


def test_root_shows_the_certificate_of_the_host(tmp_path: Path) -> None:
    chosen = choose(given(), user(tmp_path, 0, X509_USER_PROXY="/p"))
    assert (chosen.certificate, chosen.key) == (HOST_CERTIFICATE, HOST_KEY)
    assert chosen.told == f"using {HOST_CERTIFICATE} and {HOST_KEY}"


@pytest.mark.parametrize("euid", [0, 1000])
def test_certificate_and_key_of_the_environment(tmp_path: Path, euid: int) -> None:
    chosen = choose(given(), user(tmp_path, euid, X509_USER_CERT="/c", X509_USER_KEY="/k"))
    assert (chosen.certificate, chosen.key) == (Path("/c"), Path("/k"))
    with pytest.raises(ParseError, match="X509_USER_CERT and X509_USER_KEY"):
        choose(given(), user(tmp_path, euid, X509_USER_CERT="/c"))


def test_a_user_is_looked_up_in_the_usual_places_in_order(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="Unable to find a certificate or a proxy"):
        choose(given(), user(tmp_path))
    globus = tmp_path / "home/.globus"
    globus.mkdir(parents=True)
    for name in ("usercert.pem", "userkey.pem"):
        (globus / name).touch()
    assert choose(given(), user(tmp_path)).certificate == globus / "usercert.pem"
    proxy = tmp_path / "tmp/x509up_u1000"
    proxy.parent.mkdir()
    proxy.touch()
    assert choose(given(), user(tmp_path)) == Credential(proxy, proxy, f"using proxy {proxy}")
    pair = {"X509_USER_CERT": "/c", "X509_USER_KEY": "/k"}
    assert choose(given(), user(tmp_path, 1000, **pair)).certificate == Path("/c")
    chosen = choose(given(), user(tmp_path, 1000, **pair, X509_USER_PROXY="/p"))
    assert chosen.told == "using proxy (from environment X509_USER_PROXY)  /p"
