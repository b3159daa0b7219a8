"""What is said of a job, from the runs that it had."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from narrows.fit import answers
from narrows.fit.limit import Limit
from narrows.fit.ways import Tools
from narrows.fit.wish import Wish
from narrows.memory.ledger import Rest
from narrows.report.capacity import Capacity
from narrows.spool.record import Process
from tests import fakes
from tests.memory.streams import storage, stream

STEP = stream((1, 2), (3,), {1: storage(400, kind=1), 2: storage(800, kind=3), 3: storage(400, "backward", kind=2)})


def job(ranks: int = 1, local: int | None = None, **events: Any) -> Process:
    made = fakes.process((), start={"local_ranks": local}, **events)
    return Process(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, "ranks": ranks})


def told(process: Process, limit: Limit | None = None) -> Capacity:
    seen = answers.Seen(process=process, real=True, stream=STEP, traced=None, off=None, rest=Rest(), ratios={})
    wish = Wish(words=("train.py",), out=Path("."))
    tools = Tools(step=lambda ways: None, times=lambda sets: [])
    found = answers.capacity(seen, limit or Limit(bytes=1 << 30, kind="data"), None, None, {}, wish, lambda size: None,
                             tools, batch_missing=None)  # fmt: skip
    return msgspec.convert(msgspec.to_builtins(found), Capacity)


def test_what_each_of_several_ranks_would_need() -> None:
    found = told(job(memory_blocks={"blocks": [(100, 50)]}))
    assert {shard.strategy for shard in found.shards} == {"ddp", "zero-1", "zero-2", "fsdp"}
    sizes = {shard.ranks: shard.needed_bytes for shard in found.shards if shard.strategy == "fsdp"}
    assert sizes[2] - sizes[4] == (400 + 400 + 800) // 4


def test_a_rank_of_several_has_its_buckets_or_its_share_already() -> None:
    assert told(job(ranks=2)).shards == []


def test_other_optimizers_are_for_the_parameters_that_are_learned() -> None:
    needs = {each.name: each.needed_bytes for each in told(job(memory_owners={"learned": [1]})).optimizers}
    assert needs["Adam"] - needs["SGD"] == 800
    assert told(job()).optimizers == []


@pytest.mark.parametrize(("ranks", "local", "beside"), [(1, None, 1), (4, None, 4), (8, 4, 4), (1, 2, 2)])
def test_ranks_on_this_machine(ranks: int, local: int | None, beside: int) -> None:
    seen = answers.Seen(
        process=job(ranks, local), real=True, stream=STEP, traced=None, off=None, rest=Rest(), ratios={}
    )
    assert (seen.beside, seen.device) == (beside, 0)


@pytest.mark.parametrize("kind", ["machine", "cgroup", "asked"])
def test_a_control_group_counts_what_the_kernel_keeps(kind: Any) -> None:
    plain = told(job())
    found = told(job(), Limit(bytes=1 << 30, kind=kind, ranks=2))
    assert found.needed_bytes - plain.needed_bytes >= answers.KERNEL
    assert (found.limit_kind, found.limit_ranks) == (kind, 2)
