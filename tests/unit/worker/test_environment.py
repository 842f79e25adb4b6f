from argus_py.worker.environment import payload_environment

CALLER = {
    "HOME": "/home/pilot",
    "PATH": "/bin",
    "LANG": "C",
    "X509_USER_PROXY": "/tmp/pilot",
    "GLEXEC_ENV": "packed",
    "GLEXEC_CLIENT_CERT": "/tmp/u",
    "LD_PRELOAD": "evil.so",
    "MALLOC_CHECK_": "3",
    "PYTHONPATH": "/tmp",
    "SUDO_UID": "1",
}


def test_own_variables_and_preserved_ones_alone_come_through() -> None:
    assert payload_environment(CALLER, ["LANG", "MISSING"], "/home/user", "/tmp/copy") == {
        "LANG": "C",
        "GLEXEC_ENV": "packed",
        "GLEXEC_CLIENT_CERT": "/tmp/u",
        "HOME": "/home/user",
        "X509_USER_PROXY": "/tmp/copy",
    }


def test_nothing_preserves_hostile_variables_the_home_or_the_proxy_of_the_pilot() -> None:
    kept = payload_environment(CALLER, CALLER, "/home/user", None)
    assert kept.keys() == {"PATH", "LANG", "SUDO_UID", "GLEXEC_ENV", "GLEXEC_CLIENT_CERT", "HOME"}
    assert kept["HOME"] == "/home/user"
