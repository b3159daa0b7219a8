"""The ceilings of an environment without torch, measured for less than a second."""

import importlib

import pytest

pytest.importorskip("tensorflow")


def test_it_has_all_that_a_report_asks_for() -> None:
    import msgspec

    from narrows.report.model import Ceilings

    bench = importlib.import_module("narrows.machine.bench.tensorflow_only")
    values = bench.measure(0.1, 1 << 17)
    busy = values.pop("busy")
    found = msgspec.convert(values, Ceilings)
    assert busy == 0.0
    assert found.flops["float32"] > 1e8
    assert found.convolution["float32"] > 1e7
    assert [size for size, _ in found.bandwidth_by_size] == [1 << 14, 1 << 15, 1 << 16, 1 << 17]
    assert found.bandwidth > 1e7
    assert 0 < found.dispatch_seconds < 1e-2


def test_small_sizes_are_moved_many_times_in_a_call() -> None:
    bench = importlib.import_module("narrows.machine.bench.tensorflow_only")
    assert bench.repeats(1 << 14) == 256
    assert bench.repeats(1 << 30) == 1
