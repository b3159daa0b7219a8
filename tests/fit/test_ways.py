from collections.abc import Sequence
from dataclasses import replace

from narrows.fit.cheapest import Way
from narrows.fit.limit import Limit
from narrows.fit.ways import Tools, ways
from narrows.memory.capacity import Frame
from tests.memory.streams import step

AROUND = Frame(fixed=100, files=0, broken=0.0)
CHECKPOINT: Way = ("activation-checkpointing", True)
BF16: Way = ("autocast-bf16", True)
MALLOC: Way = ("malloc-unbroken", True)


def tools(asked: list[tuple[Way, ...]]) -> Tools:
    def times(sets: Sequence[Sequence[Way]]) -> Sequence[float | None]:
        asked.extend(tuple(each) for each in sets)
        return [1.25 for _ in sets]

    return Tools(step=lambda several: None, times=times)


def test_what_saves_nothing_is_left_out_and_not_timed() -> None:
    asked: list[tuple[Way, ...]] = []
    now = AROUND.needed(step(8))
    found, together = ways(
        {CHECKPOINT: step(4), BF16: step(8)}, AROUND, Limit(bytes=10 * now, kind="asked"), now, tools(asked)
    )
    assert [(way.remedy, way.fits, way.time) for way in found] == [("activation-checkpointing", True, 1.25)]
    assert asked == [(CHECKPOINT,)]
    assert together is None


def test_what_is_enough_is_said_with_what_it_costs() -> None:
    now, limit = AROUND.needed(step(8)), AROUND.needed(step(5))
    found, together = ways({CHECKPOINT: step(4)}, AROUND, Limit(bytes=limit, kind="asked"), now, tools([]))
    assert together is not None
    assert (together.ways, together.fits, together.time) == (["activation-checkpointing"], True, 1.25)
    assert together.needed_bytes == found[0].needed_bytes == AROUND.needed(step(4))


def test_bytes_of_a_process_count_with_the_addresses_behind_nothing() -> None:
    around = replace(AROUND, beyond=7)
    now = around.needed(step(8))
    found, _ = ways({MALLOC: 90}, around, Limit(bytes=now, kind="asked"), now, tools([]))
    assert found[0].needed_bytes == 97


def test_what_saves_next_to_nothing_counts_only_where_the_job_does_not_fit() -> None:
    asked: list[tuple[Way, ...]] = []
    roomy, tight = (Limit(bytes=size, kind="asked") for size in (1000, 999))
    assert ways({MALLOC: 995}, AROUND, roomy, 1000, tools(asked)) == ([], None)
    assert asked == []
    found, together = ways({MALLOC: 995}, AROUND, tight, 1000, tools(asked))
    assert [way.needed_bytes for way in found] == [995]
    assert together is not None
