"""What makes room, over a fake machine on which each remedy has a known effect."""

from collections.abc import Sequence

import pytest

from narrows.trials.arm import Arm
from narrows.trials.bench import Bench
from narrows.trials.option import Option
from narrows.trials.room import make_room
from narrows.trials.rounds import Result
from narrows.trials.search import Found, Room, search
from tests.trials.machine import Machine, option


def made(machine: Machine, *options: Option, limit: int, faster: tuple[Option, ...] = ()) -> Found:
    """`faster`: what the search for speed is given."""
    bench = Bench(run=machine.together, deadline=1e9, memory_bytes=1000, clock=lambda: machine.now)
    found = search(lambda kept: faster, bench)
    return make_room(found, options, bench, limit)


def why(found: Found) -> dict[str, str]:
    return {verdict.option.name: verdict.why for verdict in found.verdicts}


def memory(remedy: str, value: bool | int = True) -> Option:
    return option(remedy, value, kind="memory")


def test_a_job_that_fits_is_left_alone() -> None:
    machine = Machine({}, room={"a=True": 0.5})
    found = made(machine, memory("a"), limit=100)
    assert found.kept == ()
    assert found.room == Room(limit=100, before=100, after=100)
    assert "a=True" not in machine.ran


def test_without_a_limit_it_is_measured_and_nothing_is_kept() -> None:
    found = made(Machine({"a=True": 1.2}, room={"a=True": 0.5}), memory("a"), memory("b"), limit=0)
    assert found.kept == ()
    assert why(found) == {"a=True": "room", "b=True": "no room"}
    assert [round(v.memory or 0, 2) for v in found.verdicts] == [0.5, 1.0]


def test_of_those_with_which_it_fits_the_fastest_is_kept() -> None:
    machine = Machine({"a=True": 1.5, "b=True": 1.1, "c=True": 1.0}, room={"a=True": 0.4, "b=True": 0.7, "c=True": 0.9})
    found = made(machine, memory("a"), memory("b"), memory("c"), limit=75)
    assert [o.remedy for o in found.kept] == ["b"]
    assert why(found) == {"a=True": "room", "b=True": "kept", "c=True": "room"}
    assert found.room == Room(limit=75, before=100, after=70)
    assert found.combined is not None
    assert (round(found.combined.ratio, 2), found.combined.pairs) == (0.91, 6)
    assert machine.ran.count("b=True") == 2 + 6


def test_one_that_fits_by_a_hair_is_kept_only_where_no_other_fits() -> None:
    room = {"tight=True": 0.74, "wide=True": 0.5}
    found = made(Machine({"wide=True": 1.5}, room=room), memory("tight"), memory("wide"), limit=75)
    assert [o.remedy for o in found.kept] == ["wide"]
    found = made(Machine({}, room=room), memory("tight"), limit=75)
    assert [o.remedy for o in found.kept] == ["tight"]


def test_where_none_is_enough_the_cheapest_bytes_come_first() -> None:
    machine = Machine({"a=True": 1.5, "b=True": 1.1}, room={"a=True": 0.5, "b=True": 0.7})
    found = made(machine, memory("a"), memory("b"), limit=40)
    assert [o.remedy for o in found.kept] == ["b", "a"]
    assert found.room == Room(limit=40, before=100, after=35)


def test_another_setting_of_a_remedy_stands_in_its_place() -> None:
    machine = Machine({"parts=2": 1.01, "parts=4": 1.6, "b=True": 1.3},
                      room={"parts=2": 0.7, "parts=4": 0.5, "b=True": 0.95})  # fmt: skip
    found = made(machine, memory("parts", 2), memory("parts", 4), memory("b"), limit=48)
    assert [o.name for o in found.kept] == ["parts=4", "b=True"]


def test_where_nothing_reaches_it_what_was_there_stays() -> None:
    machine = Machine({"fast=True": 0.5, "a=True": 1.5}, room={"a=True": 0.5})
    found = made(machine, memory("a"), limit=10, faster=(option("fast"),))
    assert [o.remedy for o in found.kept] == ["fast"]
    assert found.room == Room(limit=10, before=100, after=100, least=50)
    assert why(found)["a=True"] == "room"


def test_what_is_faster_may_already_make_room() -> None:
    machine = Machine({"fast=True": 0.5, "a=True": 1.5}, room={"a=True": 0.5, "fast=True": 0.6})
    found = made(machine, memory("a"), limit=70, faster=(option("fast"),))
    assert [o.remedy for o in found.kept] == ["fast"]
    assert found.room == Room(limit=70, before=100, after=60)


def test_other_results_are_refused_whatever_room_they_make() -> None:
    machine = Machine({}, losses={"a=True": (3.0, 9.0, 9.0, 9.0, 9.0, 9.0)}, room={"a=True": 0.2})
    found = made(machine, memory("a"), limit=50)
    assert found.kept == ()
    assert why(found) == {"a=True": "parity"}


def test_an_interrupt_ends_it() -> None:
    """After a round there are pairs of each, which are not to be gone on with."""
    machine = Machine({"a=True": 1.5}, room={"a=True": 0.5, "b=True": 0.7})
    together = machine.together

    def interrupted(arms: Sequence[Arm]) -> list[Result]:
        if "a=True" in machine.ran:
            raise KeyboardInterrupt
        return together(arms)

    bench = Bench(run=interrupted, deadline=1e9, memory_bytes=1000, clock=lambda: machine.now)
    found = search(lambda kept: (), bench)
    with pytest.raises(KeyboardInterrupt):
        make_room(found, [memory("a"), memory("b")], bench, 75)
    assert machine.ran.count("a=True") == 1
