"""What a generation keeps: first what only looks like it, then caches that grow and caches that have all of their room."""

from dataclasses import replace

import pytest

from narrows.memory.cache import cache, calls, largest
from narrows.memory.ledger import Rest, ledger
from narrows.memory.stream import BUFFER, Storage, Stream
from tests import fakes
from tests.memory.streams import storage, stream

WEIGHT, ROOM, KEYS = 1, 2, 100


def call(number: int, storages: dict[int, Storage], begin: tuple[int, ...], *events: int, fed: tuple[int, ...] = (),
         written: tuple[int, ...] = ()) -> Stream:  # fmt: skip
    made = stream(begin, events, storages, fed=frozenset(fed), written=frozenset(written))
    return replace(made, number=number)


def held(sizes: list[int], *, fed: bool = True, state: str = "forward", module: str = "Net.attention") -> list[Stream]:
    """Calls that each leave a storage (100, 101 ...) and drop the one that the call before them left."""
    storages = {KEYS + i: storage(size, state, module, op="cat.default") for i, size in enumerate(sizes)}
    found = [call(0, storages, (), KEYS)]
    for i in range(1, len(sizes)):
        before = KEYS + i - 1
        found.append(call(i, storages, (before,), before + 1, -before - 1, fed=(before,) if fed else ()))
    return found


def filled(kind: int = 0, *, written: bool = True) -> list[Stream]:
    storages = {ROOM: storage(900, "tail", kind=kind, op="zeros.default"), WEIGHT: storage(50, "tail", kind=1)}
    later = [call(i, storages, (1, ROOM), fed=(ROOM,), written=(ROOM,) if written else ()) for i in range(1, 8)]
    return [call(0, storages, (), 1, ROOM), *later]


def filled_early() -> list[Stream]:
    """A hidden state goes from call to call; a buffer is partly filled by the second one and read by none after it."""
    every = held([10] * 9)
    buffer = storage(900, "tail", kind=BUFFER, op="zeros.default")
    storages = {**every[0].storages, ROOM: buffer}
    found = [replace(each, storages=storages, begin=(ROOM, *each.begin)) for each in every]
    return [*found[:1], replace(found[1], written=frozenset({ROOM})), *found[2:]]


NONE = {
    "nothing": [],
    "a hidden state is as large as ever": held([10] * 9),
    "a list of outputs is not given again": held([10 * i for i in range(1, 9)], fed=False),
    "tokens are put together outside of the model": held([10 * i for i in range(1, 9)], state="loss", module=""),
    "two calls are no generation": held([10, 20, 30]),
    "data are given and not changed": filled(written=False),
    "weights": filled(kind=1),
    "room that only an early call filled a piece of": filled_early(),
    "one that becomes less": held([10, 20, 30, 40, 10, 5, 3]),
}


@pytest.mark.parametrize("name", NONE)
def test_no_cache(name: str) -> None:
    assert cache(NONE[name]) is None


def test_a_job_that_trains_has_none() -> None:
    ends = [{"number": 0, "boundary": 1}, {"number": 1, "boundary": 0}]
    assert calls(fakes.process((), memory_step=ends)) == []


def test_keys_and_values_that_are_put_together_anew_in_each_call() -> None:
    # The first call leaves a view of what is three times as large.
    every = held([300, 200, 210, 220, 230, 240])
    found = cache(every)
    assert found is not None
    assert (found.bytes_per_call, len(found.calls)) == (10, 6)
    assert found.storages == set(range(KEYS, KEYS + 6)), "what the last call leaves is one, though nobody is given it"
    parts = ledger(every[3], Rest(), found.storages).parts
    assert {name: size for name, size in parts.items() if size} == {"cache": 210 + 220}


def test_a_list_of_pieces() -> None:
    storages = {KEYS + i: storage(7, "forward", "Net.attention") for i in range(8)}
    before = [tuple(range(KEYS, KEYS + i)) for i in range(8)]
    found = cache([call(i, storages, before[i], KEYS + i, fed=before[i]) for i in range(8)])
    assert found is not None
    assert (found.bytes_per_call, len(found.calls)) == (7, 8)


def test_each_generation_begins_anew() -> None:
    first, second = held([10, 20, 30, 40, 50]), held([10, 20, 30, 40, 50, 60, 70])
    moved = [
        replace(
            each, begin=tuple(n + 50 for n in each.begin), fed=frozenset(n + 50 for n in each.fed),
            events=tuple(e + 50 if e >= 0 else e - 50 for e in each.events),
            storages={n + 50: s for n, s in each.storages.items()},
        )
        for each in second
    ]  # fmt: skip
    found = cache([*first, *moved])
    assert found is not None
    assert (found.bytes_per_call, len(found.calls)) == (10, 7)
    assert len(found.storages) == 12


@pytest.mark.parametrize("kind", [0, BUFFER])
def test_room_for_all_of_it(kind: int) -> None:
    every = filled(kind)
    found = cache(every)
    assert found is not None
    assert (found.storages, found.bytes_per_call, len(found.calls)) == ({ROOM}, 0, 8)
    parts = ledger(every[2], Rest(), found.storages).parts
    assert (parts["cache"], parts["parameters"], parts["held"]) == (900, 50, 0)


def test_two_models_that_take_turns() -> None:
    one, other = held([10 * i for i in range(1, 8)]), filled()
    turns = [each for pair in zip(one, other, strict=False) for each in (pair[0], replace(pair[1], who=1))]
    found = cache(turns)
    assert found is not None
    assert ROOM in found.storages
    assert KEYS in found.storages


@pytest.mark.parametrize(
    ("needed", "limit", "calls"),
    [([500, 110, 120, 130, 140, 150], 499, 0), ([50, 110, 120, 130, 140, 150], 125, 3),
     ([50, 110, 120, 130, 140, 150], 150, 6), ([50, 110, 120, 130, 140, 150], 179, 8)],
    ids=["the prompt is too much", "fewer than were seen", "as many", "more"],
)  # fmt: skip
def test_the_longest_generation(needed: list[int], limit: int, calls: int) -> None:
    assert largest(needed, 10, limit) == calls


def test_one_that_has_its_room_has_no_longest_generation() -> None:
    assert largest([10, 10, 10, 10], 0, 100) is None
