"""Numbers as people read them."""

import pytest

from narrows.report.format import number, rate, seconds, share, size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (float("nan"), "-"), (0.0, "0"), (1.2e-7, "0.12 µs"), (77.7e-6, "77.7 µs"), (0.0411, "41.1 ms"),
        (0.9999, "1.00 s"), (41.2, "41.2 s"), (119.2, "119 s"), (200, "3 min 20 s"), (7325, "2 h 2 min"),
        (-0.002, "-2.00 ms"),
    ],
)  # fmt: skip
def test_seconds(value: float | None, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.0%"), (0.0001, "<0.1%"), (0.0123, "1.2%"), (0.486, "49%"), (1, "100%")]
)
def test_share(value: float, text: str) -> None:
    assert share(value) == text


def test_the_others() -> None:
    assert (size(1536 << 20), size(12), rate(2.2e11, "flop/s"), number(0.9123), number(1e-9)) == (
        "1.50 GiB", "12 B", "220 Gflop/s", "0.912", "1e-09",
    )  # fmt: skip
