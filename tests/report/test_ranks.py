"""What a report says of a job of several ranks, in each face and language."""

from dataclasses import replace as changed

import pytest
from msgspec.structs import replace

from narrows.ledger.account import account
from narrows.ledger.ranks import together
from narrows.report.faces import markdown, summary
from narrows.report.language import words
from narrows.report.model import Link
from narrows.report.ranks import communication, critical, place, ranks
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.report import sample

SYNC = op("c10d::allreduce_", (tensor(250_000),), state="backward", ms=0.5, count=2)
MM = op("mm", tensor(512, 512), tensor(512, 512), out=tensor(512, 512), ms=3.0)
LINK = Link(ranks=2, backend="gloo", latency_seconds=1e-4, bandwidth=1e9, by_size=[])
CEILINGS = replace(fakes.CEILINGS, collective={"all-reduce": LINK})


def both() -> list[object]:
    fast = process(boundaries(forward=4.0, backward=2.0, wait=4.0), window("ops", ops=(MM, SYNC)))
    slow = process(boundaries(forward=4.0, backward=2.0, tail=3.0, wait=1.0), window("ops", ops=(MM, SYNC)))
    return [changed(fast, rank=0, ranks=2), changed(slow, rank=1, ranks=2)]


def test_each_ranks_row_of_communication_is_exchange_and_waiting() -> None:
    every = both()
    accounts = [account(p, lambda _: 5e-6, CEILINGS) for p in every]
    found = together(every)
    assert critical(accounts, found) == 1
    shown = ranks(every, accounts, found, "/")
    assert [round(1e3 * rank.waits_for_others_seconds, 6) for rank in shown] == [3.0, 0.0]
    for rank in shown:
        row = next(row.seconds for row in rank.ledger if row.cause == "communication")
        assert rank.exchange_seconds is not None
        assert row == pytest.approx(rank.waits_for_others_seconds + rank.exchange_seconds)
    assert (shown[1].slower_in, round(1e3 * (shown[1].costs_seconds or 0), 6)) == ("tail", 3.0)
    told = communication(every[1], accounts[1], shown, found, CEILINGS, "/")
    assert told is not None
    assert told.exchange_seconds == shown[1].exchange_seconds
    assert (told.bytes_per_step, told.critical_rank) == (2_000_000, 1)
    assert told.ceiling_seconds == pytest.approx(2 * 1.1e-3)
    assert told.link_share == pytest.approx(0.22)


def test_ranks_that_do_not_step_together_have_no_split() -> None:
    every = both()
    accounts = [account(p, lambda _: 5e-6, CEILINGS) for p in every]
    shown = ranks(every, accounts, None, "/")
    assert critical(accounts, None) == 1
    assert [rank.exchange_seconds for rank in shown] == [None, None]
    assert shown[0].waits_for_others_seconds > shown[1].waits_for_others_seconds == 0
    assert communication(every[1], accounts[1], shown, None, CEILINGS, "/") is None


def test_a_place_is_told_from_where_the_user_was() -> None:
    assert place(("/home/me/train.py", 4), "/home/me") == "train.py:4"
    assert place(("/opt/lib.py", 4), "/home/me") == "/opt/lib.py:4"
    assert place(None, "/") is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_faces_say_it(lang: str) -> None:
    report, say = sample.two_ranks(), words(lang)
    told = dict(reversed(summary.communication(report, say)))
    assert "75.0 MiB" in told[say("exchanged")]
    assert "train.py:41" in told["all-reduce"]
    assert told[say("clocks")] == "250 ms"
    assert say("phase.next") in summary.ranks(report, say)[0][3]
    assert f"## {say('exchanges')}" in markdown.render(report, say)
    assert all("{" not in text for text in told.values())


def test_clocks_of_one_machine_are_not_spoken_of() -> None:
    report = sample.two_ranks()
    assert report.communication is not None
    near = replace(report, communication=replace(report.communication, clock_offset_seconds=1e-4))
    assert words("en")("clocks") not in dict(summary.communication(near, words("en")))
    assert summary.communication(sample.training(), words("en")) == []
