from dataclasses import replace
from typing import Any

import pytest

from narrows.ledger.faults import attempts, culprits, differences, fates, rank_processes, uneven
from narrows.spool.record import STATES, Process
from tests import fakes

END = {"t": 9_000_000_000, "error": None}


def rank(number: int, *, steps: int = 20, pid: int = 0, parent: int = 1, start: int = 0, **events: Any) -> Process:
    made = fakes.process(fakes.boundaries(steps, forward=1.0, backward=1.0), **events)
    return replace(made, pid=pid or 10 + number, parent=parent, rank=number, ranks=2, start_ns=start)


def launcher(*failed: tuple[int, int]) -> Process:
    said = [{"t": 5, "pid": pid, "code": code} for pid, code in failed]
    return fakes.process((), failed=said, end=[{"t": 9, "error": "ChildFailedError: train.py FAILED"}])


def stuck(state: str, line: int) -> dict[str, Any]:
    return {"t": 5_000_000_000, "state": STATES.index(state), "where": ["/job/train.py", line, "main"]}


def failed(error: str, line: int = 7) -> dict[str, Any]:
    return {**END, "error": error, "user": ["/job/train.py", line]}


LOST = failed("RuntimeError: [../gloo/transport/tcp/pair.cc:542] Connection closed by peer [127.0.0.1]:4242", 9)


def test_ranks_that_ran_to_their_end_are_to_blame_for_nothing() -> None:
    found = fates([rank(0, end=END), rank(1, end=END)])
    assert [(f.how, f.steps) for f in found] == [("finished", 20)] * 2
    assert not culprits(found)
    assert not uneven(found)


def test_one_process_has_no_ranks() -> None:
    assert not fates([fakes.process(fakes.boundaries(5, forward=1.0), end=END)])


def test_what_a_rank_starts_is_no_rank() -> None:
    child = rank(0, pid=77, parent=10, steps=0)
    worker = rank(1, pid=78, parent=11, steps=0, worker={"t": 1, "parent": 11})
    assert [[p.pid for p in each] for each in rank_processes([rank(0), rank(1), child, worker])] == [[10], [11]]


@pytest.mark.parametrize(
    ("zero", "one", "codes", "blamed", "how"),
    [
        ({}, {}, [(11, -9)], [1], "killed"),
        ({"end": LOST}, {}, [(10, 1), (11, -9)], [1], "killed"),
        ({"end": LOST}, {"end": failed("ValueError: bad sample")}, [(10, 1), (11, 1)], [1], "failed"),
        ({}, {"end": END}, [(11, 3)], [1], "exit"),
        ({"end": LOST}, {"end": LOST}, [(10, 1), (11, 1)], [], "lost"),
        ({"end": LOST}, {"end": END}, [(10, 1)], [1], "finished"),
        ({"stuck": stuck("wait", 9)}, {"stuck": stuck("loss", 12)}, [], [1], "stood"),
        ({"stuck": stuck("communication", 9)}, {"stuck": stuck("backward", 12)}, [], [1], "stood"),
        ({"stuck": stuck("wait", 9)}, {"stuck": stuck("wait", 9)}, [], [], "stood"),
        ({"stuck": stuck("wait", 9)}, {"end": failed("ValueError: late")}, [(11, 1)], [1], "failed"),
        ({"stuck": stuck("communication", 9)}, {}, [], [1], "ended"),
        ({"end": failed("KeyboardInterrupt: ")}, {"end": failed("KeyboardInterrupt: ")}, [], [], "ended"),
    ],
)
def test_who_the_others_ended_for(
    zero: dict[str, Any], one: dict[str, Any], codes: list[tuple[int, int]], blamed: list[int], how: str
) -> None:
    found = fates([launcher(*codes), rank(0, **zero), rank(1, **one)])
    assert [f.rank for f in culprits(found)] == blamed
    assert found[1].how == how


def test_a_rank_that_moved_on_did_not_stand() -> None:
    early = {**stuck("wait", 9), "t": 1}
    assert [f.how for f in fates([rank(0, stuck=early), rank(1)])] == ["ended", "ended"]


def test_where_it_stood_is_its_line() -> None:
    found = fates([rank(0, stuck=stuck("wait", 9)), rank(1, stuck=stuck("loss", 12))])
    assert [(f.state, f.where) for f in found] == [("wait", "/job/train.py:9"), ("loss", "/job/train.py:12")]


def test_an_elastic_restart_is_another_attempt() -> None:
    first = [rank(0, pid=10, end=LOST), rank(1, pid=11, end=failed("ValueError: once"))]
    second = [rank(0, pid=20, start=9, steps=50, end=END), rank(1, pid=21, start=9, steps=50, end=END)]
    before, after = attempts(fates([launcher((11, 1)), *first, *second]))
    assert [f.rank for f in culprits(before)] == [1]
    assert not culprits(after)
    assert {f.steps for f in after} == {50}


def test_ends_after_different_numbers_of_steps() -> None:
    assert uneven(fates([rank(0, steps=30, end=END), rank(1, steps=20, end=END)]))
    assert not uneven(fates([rank(0, steps=21, end=END), rank(1, steps=20, end=END)]))


def told(number: int, *words: tuple[str, int]) -> Process:
    made = rank(number)
    start = {"t": 0, "python": "3.11.9", "words": [list(word) for word in words]}
    return replace(made, events={**made.events, "start": (start,)})


def test_ranks_that_were_told_the_same_do_not_differ() -> None:
    same = (("", 1), ("--lr", 2), ("", 3))
    assert not differences([told(n, *same, ("--local-rank", 10 + n)) for n in range(2)])


def test_the_option_in_which_ranks_differ_is_named() -> None:
    ranks = [told(n, ("", 1), ("--lr", 2), ("", 3 + n)) for n in range(2)]
    assert differences(ranks) == {"words": {0: "--lr", 1: "--lr"}}


def test_versions_that_differ() -> None:
    other = rank(1, torch={"t": 0, "version": "2.12.1"})
    assert differences([rank(0), other]) == {"torch": {0: "2.13.0", 1: "2.12.1"}}
