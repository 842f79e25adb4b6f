from argus_py.cli.probe_wn import name_of


def test_who_has_no_name_is_called_by_number() -> None:
    assert name_of(0) == "root"
    assert name_of(4_000_000_000) == "4000000000"
