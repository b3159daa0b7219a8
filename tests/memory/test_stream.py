"""Which step stands for the job."""

from narrows.memory.stream import representative, settled, trains
from narrows.spool.record import CALL, UPDATE, Process
from tests.fakes import process

SITES = [[3, -1, "aten.mm.default", ("train.py", 1), False, "cpu"]]


def job(*ends: tuple[int, int, int]) -> Process:
    """Of each step: its optimizer, bytes that it takes at its peak; and of what kind its end is."""
    streams = [
        {
            "number": number, "who": who, "begin": [], "events": [2 * number, -2 * number - 1], "storages": [2 * number],
            "sizes": [size], "sites": [0], "kinds": [0], "ops": [], "calls": [], "since": 0,
        }
        for number, (who, size, _) in enumerate(ends)
    ]  # fmt: skip
    told = [{"number": number, "boundary": kind, "who": who} for number, (who, _, kind) in enumerate(ends)]
    return process((), memory_sites=[{"sites": SITES, "modules": []}], stream=streams, memory_step=told)


def peak(process: Process, ends: int = 0) -> int:
    stream = representative(process, ends)
    return stream.peak[0] if stream is not None else 0


def steps(*sizes: int, who: int = 0) -> list[tuple[int, int, int]]:
    return [(who, size, UPDATE) for size in sizes]


def test_a_smaller_batch_at_the_end_does_not_stand_for_the_others() -> None:
    assert peak(job(*steps(90, 100, 100, 5))) == 100


def test_nor_does_a_first_step_in_which_the_state_is_made() -> None:
    assert peak(job(*steps(500, 100, 100))) == 100
    assert peak(job(*steps(500))) == 500


def test_of_two_optimizers_the_larger_one_stands_whenever_its_turn_is() -> None:
    critic, generator = steps(10)[0], (1, 70, UPDATE)
    assert peak(job(critic, critic, critic, generator, critic, critic, critic, generator, critic)) == 70


def test_only_so_many_ends_as_another_run_came_to() -> None:
    every = job(*steps(90, 100, 100, 120))
    assert (peak(every), peak(every, 3)) == (120, 100)


def test_calls_before_the_first_update_are_no_steps() -> None:
    assert peak(job((0, 900, CALL), (0, 900, CALL), *steps(90, 100, 100))) == 100


def test_of_a_job_that_does_not_train_the_largest_call() -> None:
    every = job((0, 10, CALL), (0, 30, CALL), (0, 20, CALL))
    assert (peak(every), peak(every, 1), trains(every)) == (30, 10, False)


def test_optimizers_have_their_state_after_the_second_update_of_each() -> None:
    two = job(*steps(1, 1), (1, 1, UPDATE), *steps(1), (1, 1, UPDATE))
    assert [settled(two, ends) for ends in (1, 2, 4, 5)] == [False, True, False, True]
