"""Whatever comes and goes: places do not get lost, and nobody loses his to somebody who has more."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.web.fairness import Place, Places, Turns

OWNERS = st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["take", "work", "rest", "leave"]), OWNERS, st.integers(0, 9)), max_size=60)


class Model:
    """The rules again, by counting."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.resting: list[str] = []
        self.working: list[str] = []
        self.gone: list[str] = []

    def take(self, name: str) -> bool:
        if len(self.resting) + len(self.working) == self.number:
            if not self.resting:
                return False
            most = max(Counter(each[0] for each in self.resting).values())
            lost = self.gone[-1]
            assert lost in self.resting
            mine = [each for each in self.resting if each[0] == lost[0]]
            assert (len(mine), mine[0]) == (most, lost)
            self.resting.remove(lost)
        self.resting.append(name)
        return True


@given(number=st.integers(1, 5), steps=STEPS)
@settings(max_examples=200, deadline=None)
def test_places_are_given_and_taken_by_the_rules(number: int, steps: list[tuple[str, str, int]]) -> None:
    model, places, held = Model(number), Places(number), dict[str, Place]()
    for count, (step, owner, choice) in enumerate(steps):
        name = f"{owner}{count}"
        if step == "take":
            place = places.take(owner, lambda name=name: model.gone.append(name))  # type: ignore[misc]
            assert (place is not None) == model.take(name)
            if place is not None:
                held[name] = place
        elif held:
            name = sorted(held)[choice % len(held)]
            getattr(held[name], step)()
            if step == "work" and name in model.resting:
                model.resting.remove(name)
                model.working.append(name)
            elif step == "rest" and name in model.working:
                model.working.remove(name)
                model.resting.append(name)
            elif step == "leave":
                del held[name]
                for having in (model.resting, model.working):
                    if name in having:
                        having.remove(name)


@given(waiting=st.lists(OWNERS, max_size=30))
@settings(max_examples=200, deadline=None)
def test_nobody_is_served_twice_while_somebody_waits(waiting: list[str]) -> None:
    turns = Turns[tuple[str, int]]()
    for number, owner in enumerate(waiting):
        turns.join(owner, (owner, number))
    left, served = Counter(waiting), Counter[str]()
    while turns:
        owner, _ = turns.next()
        left[owner] -= 1
        served[owner] += 1
        assert all(served[owner] <= served[other] + 1 for other in left if left[other])
    assert served == Counter(waiting)
