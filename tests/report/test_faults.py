"""What is said of ranks, in sentences: nothing where all went well, and of whom the job ended else."""

from dataclasses import replace as other

import pytest
from msgspec.structs import replace

from narrows.job.facts import Facts
from narrows.report.faults import told, warnings
from narrows.report.language import words
from narrows.spool.record import Process
from tests.ledger.test_faults import END, LOST, failed, launcher, rank, stuck

FACTS = Facts(id="", created="", narrows="", command=["train.py"], cwd="/job", ended="error", exit_code=1)
SAY = words("en")


def said(facts: Facts, *processes: Process) -> tuple[str, list[str]]:
    found, fault = told(facts, processes, SAY)
    return fault, warnings(facts, processes, found, fault, SAY)


@pytest.mark.parametrize("end", [{"end": END}, {}])
def test_of_ranks_that_ran_to_their_end_nothing_is_said(end: dict[str, object]) -> None:
    fine = replace(FACTS, ended="ok", exit_code=0)
    assert told(fine, [rank(0, **end), rank(1, **end)], SAY) == ([], "")
    assert said(fine, rank(0, **end), rank(1, **end)) == ("", [])


def test_workers_that_outlive_their_loop_came_to_its_end() -> None:
    """Those of Ray stand until it ends them; the job ends well."""
    fine, after = replace(FACTS, ended="ok", exit_code=0), stuck("tail", 9)
    assert said(fine, rank(0, stuck=after), rank(1, stuck=after)) == ("", [])
    assert said(replace(FACTS, ended="stopped"), rank(0, stuck=after), rank(1, stuck=after))[0]
    fault, _ = said(fine, rank(0, stuck=stuck("wait", 9)), rank(1, stuck=after))
    assert fault.startswith("rank 1 stood still")


def test_a_rank_that_failed_is_named_with_its_step_and_line() -> None:
    fault, _ = said(FACTS, launcher((11, 1)), rank(0, end=LOST), rank(1, end=failed("ValueError: bad sample")))
    assert fault == "rank 1 failed after 20 steps at train.py:7: ValueError: bad sample"


def test_a_rank_that_was_killed_while_memory_ran_out() -> None:
    fault, _ = said(replace(FACTS, memory_kills=1), launcher((11, -9)), rank(0), rank(1))
    assert fault == "rank 1 was killed (SIGKILL) after 20 steps; the kernel killed for memory meanwhile"


def test_a_network_that_was_cut_is_nobodys_fault() -> None:
    fault, _ = said(FACTS, launcher((10, 1), (11, 1)), rank(0, end=LOST), rank(1, end=LOST))
    assert fault.startswith("the ranks lost their connection to each other: rank 0")
    assert "pair.cc" not in fault


def test_a_hang_is_a_warning_where_the_job_was_stopped_as_asked() -> None:
    stopped = replace(FACTS, ended="stopped", exit_code=0)
    ranks = rank(0, stuck=stuck("wait", 9)), rank(1, stuck=stuck("loss", 12))
    fault, (warning,) = said(stopped, *ranks)
    assert warning == f"Not all ranks moved on: {fault}."
    assert fault.startswith(
        "rank 1 stood still after 20 steps at train.py:12 (between forward and backward), and the others"
    )


def test_a_job_that_was_started_again_says_why() -> None:
    fine = replace(FACTS, ended="ok", exit_code=0)
    second = [rank(n, pid=20 + n, start=9, end=END) for n in range(2)]
    fault, (warning,) = said(fine, launcher((11, -9)), rank(0, end=LOST), rank(1), *second)
    assert (fault, warning) == ("", "The ranks were started again: rank 1 was killed (SIGKILL) after 20 steps.")


def test_ends_after_different_numbers_of_steps_are_told() -> None:
    _, (warning,) = said(replace(FACTS, ended="ok"), rank(0, steps=30, end=END), rank(1, end=END))
    assert warning == "Ranks came to their ends after different numbers of steps: rank 0 30, rank 1 20."


def test_versions_that_differ_are_told_in_both_languages() -> None:
    mixed = rank(0, end=END), rank(1, end=END, torch={"t": 0, "version": "2.12.1"})
    fine = replace(FACTS, ended="ok")
    assert said(fine, *mixed)[1] == ["Ranks run different versions of torch: rank 0 2.13.0, rank 1 2.12.1."]
    assert "2.12.1" in warnings(fine, mixed, [], "", words("zh"))[0]


def test_one_process_is_no_rank() -> None:
    assert said(FACTS, other(rank(0, end=failed("ValueError: x")), ranks=1)) == ("", [])
