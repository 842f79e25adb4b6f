"""Collections stand still while a policy is made, and go on as before."""

import gc

import pytest

from argus_py.xacml.making_room import give_memory_back, no_collections


def test_cycles_are_not_collected_meanwhile() -> None:
    assert gc.isenabled()
    with no_collections():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_failure_does_not_leave_them_off() -> None:
    with pytest.raises(ValueError, match="no policy"), no_collections():
        raise ValueError("no policy")
    assert gc.isenabled()


def test_who_had_them_off_finds_them_off() -> None:
    gc.disable()
    try:
        with no_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_much_that_is_new_counts_as_old() -> None:
    with no_collections():
        made = [[number] for number in range(150_000)]
    assert gc.get_count()[0] < 10_000
    assert gc.get_freeze_count() == 0
    assert len(made) == 150_000


def test_memory_can_be_given_back_at_any_time() -> None:
    give_memory_back()
    give_memory_back()
