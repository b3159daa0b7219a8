"""The link between ranks: the fit on points that are known, the cache, and a real measurement."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from narrows.machine import table
from narrows.machine.links import fit, links, parse, rising
from narrows.report.model import Link
from tests import fakes
from tests.machine.conftest import Interpreter

SIZES = [1 << n for n in range(10, 25, 2)]
LATENCY, BANDWIDTH = 2e-4, 1.5e9
EXACT = [(size, LATENCY + size / BANDWIDTH) for size in SIZES]


def test_exact_points_are_fitted_exactly() -> None:
    assert fit(EXACT) == pytest.approx((LATENCY, BANDWIDTH))


def test_small_messages_count_as_much_as_large_ones() -> None:
    noisy = [(size, spent * (1.1 if i % 2 else 0.9)) for i, (size, spent) in enumerate(EXACT)]
    latency, bandwidth = fit(noisy)
    assert latency == pytest.approx(LATENCY, rel=0.15)
    assert bandwidth == pytest.approx(BANDWIDTH, rel=0.15)


def test_neither_is_ever_negative() -> None:
    latency, bandwidth = fit([(1 << 10, 1e-9), (1 << 20, 2e-3), (1 << 24, 8e-2)])
    assert latency == 0
    assert bandwidth > 0
    latency, bandwidth = fit([(1 << 10, 2e-4), (1 << 20, 2e-4), (1 << 24, 1e-4)])
    assert latency > 0
    assert bandwidth > 0


def test_a_small_message_takes_no_longer_than_a_large_one() -> None:
    assert rising([(1, 5.0), (2, 9.0), (4, 3.0), (8, 4.0)]) == [(1, 3.0), (2, 3.0), (4, 3.0), (8, 4.0)]


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"all-reduce": []}', '{"flops": {"float32": 1}}'])
def test_what_is_no_answer_is_none(text: str) -> None:
    assert parse(text, 2, "gloo") is None


def test_it_is_measured_once_for_each_number_of_ranks(
    interpreter: Callable[[str], Interpreter], tmp_path: Path
) -> None:
    fake = interpreter(f"print({json.dumps({'all-reduce': EXACT})!r})")
    for ranks in (2, 2, 4, 1):
        found = links(fake.path, ranks, "9.9", cache=tmp_path / "cache")
        assert (found is None) == (ranks == 1)
        assert found is None or found["all-reduce"].ranks == ranks
    assert [words[1:] for words in fake.asked()] == [["--ranks", str(n), "--backend", "gloo"] for n in (2, 4)]


def test_a_refresh_keeps_what_was_faster_before(interpreter: Callable[[str], Interpreter], tmp_path: Path) -> None:
    slower = [[size, 2 * spent] for size, spent in EXACT]
    for points, refresh in ((EXACT, False), (slower, True)):
        fake = interpreter(f"print({json.dumps({'all-reduce': points})!r})")
        found = links(fake.path, 2, "9.9", cache=tmp_path / "cache", refresh=refresh)
        assert found is not None
        assert found["all-reduce"].latency_seconds == pytest.approx(LATENCY)
    broken = interpreter("sys.exit(3)")
    assert links(broken.path, 2, "9.9", cache=tmp_path / "cache", refresh=True) == found


def test_the_table_shows_them() -> None:
    link = Link(ranks=2, backend="gloo", latency_seconds=1e-4, bandwidth=1e9, by_size=[])
    rows = table._rows(replace(fakes.CEILINGS, collective={"all-reduce": link}))
    assert ("all-reduce, 2 ranks (gloo), latency", 1e-4, "s") in rows
    assert ("all-reduce, 2 ranks (gloo), bandwidth", 1e9, "B/s") in rows


@pytest.mark.torch
def test_two_processes_of_this_machine(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = links(sys.executable, 2, "real", cache=tmp_path)
    assert found is not None
    assert set(found) == {"all-reduce", "all-gather", "reduce-scatter", "point-to-point"}
    for link in found.values():
        assert link.latency_seconds >= 0
        assert link.bandwidth > 0
        assert [size for size, _ in link.by_size] == SIZES
