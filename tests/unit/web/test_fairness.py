"""Who makes room and who is next; the property tests are in ``tests/property/test_fairness.py``."""

import pytest

from argus_py.web.fairness import Place, Places, Turns, neighbourhood


class House:
    """Places, with a record of who had to go."""

    def __init__(self, number: int) -> None:
        self.places = Places(number)
        self.gone: list[str] = []

    def take(self, name: str) -> Place | None:
        """``name``: the owner, with a number behind it."""
        return self.places.take(name[0], lambda: self.gone.append(name))

    def fill(self, *names: str) -> dict[str, Place]:
        taken = {name: self.take(name) for name in names}
        assert not self.gone
        return {name: place for name, place in taken.items() if place is not None}


def test_nobody_goes_while_there_are_places() -> None:
    house = House(2)
    house.fill("a1", "b1")
    assert house.gone == []


def test_who_has_most_loses_the_one_that_has_rested_longest() -> None:
    house = House(4)
    house.fill("a1", "b1", "b2", "b3")
    assert house.take("c1") is not None
    assert house.gone == ["b1"]


def test_a_newcomer_who_has_most_himself_makes_room_for_himself() -> None:
    house = House(3)
    house.fill("b1", "a1", "a2")
    assert house.take("a3") is not None
    assert house.gone == ["a1"]


def test_who_comes_again_and_again_drives_out_nobody_who_has_less() -> None:
    house = House(3)
    house.fill("b1", "a1", "a2")
    for number in range(3, 50):
        house.take(f"a{number}")
    assert "b1" not in house.gone


def test_at_work_nobody_is_disturbed() -> None:
    house = House(3)
    places = house.fill("a1", "a2", "b1")
    places["a1"].work()
    house.take("c1")
    assert house.gone == ["a2"]


def test_there_is_no_place_when_all_are_at_work() -> None:
    house = House(2)
    for place in house.fill("a1", "b1").values():
        place.work()
    assert house.take("c1") is None
    assert house.gone == []


def test_who_rests_again_is_the_last_to_be_asked() -> None:
    house = House(3)
    places = house.fill("a1", "a2", "b1")
    places["a1"].work()
    places["a1"].rest()
    house.take("c1")
    assert house.gone == ["a2"]


@pytest.mark.parametrize("at_work", [False, True])
def test_a_place_that_is_left_is_free_once(at_work: bool) -> None:
    house = House(2)
    place = house.fill("a1", "b1")["a1"]
    if at_work:
        place.work()
    place.leave()
    place.leave()
    house.take("c1")
    assert house.gone == []
    house.take("c2")
    assert house.gone != []


def test_a_place_that_was_taken_away_is_nobodys_any_more() -> None:
    house = House(1)
    lost = house.fill("a1")["a1"]
    house.take("b1")
    lost.work()
    lost.rest()
    lost.leave()
    house.take("c1")
    assert house.gone == ["a1", "b1"]


def test_owners_take_turns() -> None:
    turns = Turns[str]()
    for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
        turns.join(name[0], name)
    assert [turns.next() for _ in range(6)] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert not turns


def test_who_has_left_is_not_served() -> None:
    turns = Turns[str]()
    for name in ("a1", "a2", "b1"):
        turns.join(name[0], name)
    turns.leave("a", "a1")
    turns.leave("b", "b1")
    turns.leave("b", "b1")
    turns.leave("c", "c1")
    assert turns.next() == "a2"
    assert not turns


def test_machines_of_one_ipv6_network_are_one() -> None:
    networks = {neighbourhood(address) for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")}
    assert networks == {"2001:db8::", "2001:db8:0:1::"}


def test_addresses_of_ipv4_are_each_for_itself() -> None:
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")
    assert neighbourhood("::ffff:192.0.2.1") == "192.0.2.1"


def test_a_link_local_address_may_name_its_interface() -> None:
    assert neighbourhood("fe80::1%eth0") == "fe80::"
