"""Fair shares between clients: whoever takes much, by malice or by accident, takes it from himself first.

``Places`` bounds how many there are of something and says who has to make room, ``Turns`` says who is next. Both are
for one event loop, and know clients by ``neighbourhood``: many may share an address, few have many networks.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


def neighbourhood(address: str) -> str:
    """Who is treated as one: an address of IPv4, a network of 64 bits of IPv6, of which one machine may use any number.

    >>> neighbourhood("192.0.2.1"), neighbourhood("2001:db8::1:2:3:4")
    ('192.0.2.1', '2001:db8::')
    """
    if ":" not in address:
        return address
    full = ipaddress.IPv6Address(address)
    return str(full.ipv4_mapped or ipaddress.IPv6Address(full.packed[:8] + bytes(8)))


class Place:
    """Somebody's place: at rest, where ``give_way`` may be called, or at work, where it is not."""

    __slots__ = ("_places", "give_way", "owner")

    def __init__(self, places: "Places", owner: str, give_way: Callable[[], None]) -> None:
        self._places = places
        self.owner = owner
        self.give_way = give_way

    def work(self) -> None:
        self._places.work(self)

    def rest(self) -> None:
        self._places.rest(self)

    def leave(self) -> None:
        self._places.leave(self)


class Places:
    """A number of places; if all are taken, the owner with most at rest gives up the one that rests longest.

    That may be the newcomer himself: what moves is worth more than what stands.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._resting: dict[str, dict[Place, None]] = {}
        self._working: set[Place] = set()

    def take(self, owner: str, give_way: Callable[[], None]) -> Place | None:
        """A place at rest; None: all the others are at work. ``give_way`` is told that the place is gone."""
        if not self._free and not self._make_room():
            return None
        self._free -= 1
        place = Place(self, owner, give_way)
        self._resting.setdefault(owner, {})[place] = None
        return place

    def work(self, place: Place) -> None:
        if self._stops_resting(place):
            self._working.add(place)

    def rest(self, place: Place) -> None:
        if place in self._working:
            self._working.remove(place)
            self._resting.setdefault(place.owner, {})[place] = None

    def leave(self, place: Place) -> None:
        """Does nothing if it was taken away."""
        if place in self._working:
            self._working.remove(place)
            self._free += 1
        elif self._stops_resting(place):
            self._free += 1

    def _stops_resting(self, place: Place) -> bool:
        resting = self._resting.get(place.owner, {})
        if place not in resting:
            return False
        del resting[place]
        if not resting:
            del self._resting[place.owner]
        return True

    def _make_room(self) -> bool:
        if not self._resting:
            return False
        most = max(self._resting.values(), key=len)
        place = next(iter(most))
        self.leave(place)
        place.give_way()
        return True


class Turns(Generic[T]):
    """A queue in which owners take turns: nobody is served twice before everybody who waits was served once."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, dict[T, None]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def join(self, owner: str, item: T) -> None:
        self._lines.setdefault(owner, {})[item] = None

    def leave(self, owner: str, item: T) -> None:
        """Does nothing if it does not wait."""
        line = self._lines.get(owner, {})
        line.pop(item, None)
        if not line:
            self._lines.pop(owner, None)

    def next(self) -> T:
        """Takes it out. Raises StopIteration: nobody waits."""
        owner, line = next(iter(self._lines.items()))
        item = next(iter(line))
        self.leave(owner, item)
        if line:
            self._lines.move_to_end(owner)
        return item
