from narrows.memory.capacity import Frame, frame, largest
from narrows.memory.ledger import Rest
from tests.memory.streams import step


def test_the_largest_that_fits_and_not_one_more() -> None:
    around = Frame(fixed=1000, files=0, broken=0.0)

    def needed(batch: int) -> int:
        return around.needed(step(batch))

    found = largest(needed, 50_000)
    assert found is not None
    assert needed(found) <= 50_000 < needed(found + 1)


def test_nothing_fits() -> None:
    assert largest(lambda size: 10 * size, 9) is None


def test_one_fits() -> None:
    assert largest(lambda size: 10 * size, 10) == 1


def test_a_job_that_does_not_grow_ends() -> None:
    assert largest(lambda size: 5, 9) is not None


def test_the_heaps_waste_goes_with_what_is_in_it() -> None:
    rest = Rest(framework=100, files=10, own=5, resident_peak=336 + 100 + 10 + 5 + 168)
    around = frame(step(4), rest)
    assert around.broken == 0.5
    assert around.needed(step(4)) == 336 + 100 + 168
    assert around.needed(step(8)) == step(8).peak[0] * 1.5 + 100


def test_a_step_that_was_run_takes_what_it_took_and_what_the_limit_counts_besides() -> None:
    around = Frame(fixed=1000, files=0, broken=0.0, beyond=500, tables=0.25)
    held = step(8)
    taken = held.peak[0] + 1000 + held.small // 2
    assert around.corrected(held, taken).needed(held) == around.counted(taken) == taken + round(taken / 4) + 500


def test_a_step_that_took_less_than_its_tensors_and_the_framework_takes_that() -> None:
    around = Frame(fixed=1000, files=0, broken=0.5)
    held = step(8)
    taken = held.peak[0] + 900
    found = around.corrected(held, taken)
    assert found.needed(held) == taken
    assert found.needed(step(16)) == step(16).peak[0] + 900
