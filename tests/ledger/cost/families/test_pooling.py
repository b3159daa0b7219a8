import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t

IMAGE, POOLED = t(2, 3, 8, 8), t(2, 3, 4, 4)


@pytest.mark.parametrize("kernel", [(2, 2), (2,), 2])
def test_a_comparison_for_each_element_of_each_window(kernel: object) -> None:
    found = cost(call("max_pool2d_with_indices", IMAGE, kernel, (2, 2), out=(POOLED, ids(2, 3, 4, 4))))
    assert (found.flops, found.bytes_read, found.bytes_written) == (96 * 4, 4 * 384, 12 * 96)


def test_dimensions_are_in_the_name() -> None:
    assert cost(call("avg_pool1d", t(2, 3, 8), (4,), out=t(2, 3, 2))).flops == 48
    assert cost(call("max_pool3d_with_indices", t(1, 1, 4, 4, 4), 2, out=(t(1, 1, 2, 2, 2),))).flops == 64


def test_gradients_do_not_read_the_input() -> None:
    back = call("max_pool2d_with_indices_backward", POOLED, IMAGE, (2, 2), (2, 2), (0, 0), (1, 1), False,
                ids(2, 3, 4, 4), out=IMAGE)  # fmt: skip
    assert (cost(back).flops, cost(back).bytes_read, cost(back).bytes_written) == (96, 12 * 96, 4 * 384)
    average = cost(call("avg_pool2d_backward", POOLED, IMAGE, (2, 2), (2, 2), (0, 0), False, True, None, out=IMAGE))
    assert (average.flops, average.bytes_read) == (384, 384)


def test_adaptive_windows_cover_the_input() -> None:
    assert cost(call("_adaptive_avg_pool2d", IMAGE, (4, 4), out=POOLED)).flops == 384
    back = cost(call("_adaptive_avg_pool2d_backward", POOLED, IMAGE, out=IMAGE))
    assert (back.flops, back.bytes_read) == (384, 384)
