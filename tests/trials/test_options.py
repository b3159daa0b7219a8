"""Which remedies are asked about a job."""

from dataclasses import replace
from pathlib import Path

from narrows.spool.record import CALL
from narrows.trials.options import options, room
from narrows.trials.wish import Wish
from tests import fakes
from tests.remedies.parallel_job import exchanging

WISH = Wish(
    words=("train.py",), out=Path(), recipe=Path(), budget=1.0, classes=frozenset({"exact", "numerics", "memory"})
)  # fmt: skip
OPTIMIZER = {"class": "SGD", "gradient_bytes": 1000, "where": None, "fused": None, "foreach": None, "tensors": 4}


def test_what_is_for_ranks_is_not_asked_about_one_process() -> None:
    view = exchanging(parallel={})
    alone = fakes.view(replace(view.process, ranks=1))
    names = {option.remedy for option in (*options(WISH, alone), *room(WISH, alone))}
    assert not [name for name in names if name.startswith(("ddp-", "zero-"))]


def test_what_ranks_exchange_may_be_less_and_what_they_hold_shared() -> None:
    view = exchanging(parallel={"bucket_bytes": 1 << 30}, wait=20.0)
    assert {"ddp-buckets", "ddp-compress"} <= {option.remedy for option in options(WISH, view)}
    assert {"ddp-bucket-view", "zero-1"} <= {option.remedy for option in room(WISH, view)}


def test_what_runs_a_script_several_times_over_is_only_tried_by_its_name() -> None:
    loader = {"workers": 0, "batch_size": 32, "batches": 100, "epoch": 0, "where": None}
    view = fakes.view(fakes.process(fakes.boundaries(next=30.0, forward=4.0), loader=loader, optimizer=OPTIMIZER))
    assert "distribute" not in {option.remedy for option in options(WISH, view)}
    named = replace(WISH, only=frozenset({"distribute"}))
    assert {option.remedy for option in options(named, view)} == {"distribute"}


def test_what_could_find_nothing_to_change_makes_no_room() -> None:
    answers = tuple(replace(b, backwards=0) for b in fakes.boundaries(kind=CALL, forward=4.0))
    trains = fakes.view(
        fakes.process(fakes.boundaries(forward=4.0, backward=4.0), optimizer={**OPTIMIZER, "class": "SGD"})
    )
    only = {"bf16-weights", "inference-mode"}
    assert only <= {option.remedy for option in room(WISH, fakes.view(fakes.process(answers)))}
    assert not only & {option.remedy for option in room(WISH, trains)}
    assert "optimizer-8bit" not in {option.remedy for option in room(WISH, trains)}
