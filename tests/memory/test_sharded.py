from narrows.memory.ledger import PROCESS, TENSORS, Ledger
from narrows.memory.sharded import gathered, needed
from tests import fakes

PARTS = {
    **dict.fromkeys((*TENSORS, *PROCESS), 0),
    "parameters": 400,
    "gradients": 400,
    "optimizer": 800,
    "activations": 90,
}
LEDGER = Ledger(parts=PARTS, activations=(), temporaries=(), models={})


def test_one_rank_is_the_job_itself() -> None:
    for strategy in ("ddp", "zero-1", "zero-2", "fsdp"):
        assert needed(LEDGER, strategy, 1, 50) == 1690  # type: ignore[arg-type]


def test_data_parallel_ranks_hold_all_and_buckets() -> None:
    assert needed(LEDGER, "ddp", 8, 50) == 1690 + 400


def test_what_each_strategy_cuts() -> None:
    assert needed(LEDGER, "zero-1", 4, 50) == 1690 + 400 - 600
    assert needed(LEDGER, "zero-2", 4, 50) == 1690 + 400 - 600 - 300
    assert needed(LEDGER, "fsdp", 4, 100) == 1690 - 600 - 300 - 300 + 100


def test_two_blocks_are_whole_at_one_time_and_what_is_in_none() -> None:
    def whole(*blocks: tuple[int, int]) -> int:
        return gathered(fakes.process((), memory_blocks={"blocks": blocks}), LEDGER)

    assert whole((50, 30)) == 30 + 2 * 50
    assert whole((50, 30), (10, 200)) == 200 + 2 * 10
    assert whole((300, 0)) == 400  # no more than there is
    assert whole((0, 400)) == 400


def test_a_model_of_which_nothing_is_known_is_whole() -> None:
    assert gathered(fakes.process(()), LEDGER) == 400
