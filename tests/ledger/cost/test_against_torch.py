"""The same flops as `torch.utils.flop_counter`, where that counts."""

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional
pytestmark = pytest.mark.torch

COUNTED = ("matmul", "convolution", "attention")


def compare(run: Callable[[], Any]) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from narrows.ledger.cost import cost
    from tests.ledger.cost.recorder import Recorder

    with FlopCounterMode(display=False) as reference, Recorder() as recorder:
        result = run()
        if result.requires_grad:
            result.sum().backward()
    found = [cost(op) for op in recorder.ops]
    assert reference.get_total_flops() > 0
    assert sum(c.flops for c in found if c.kind in COUNTED) == reference.get_total_flops()
    assert all(c.by_shape for c in found)


def x(*shape: int) -> Any:
    return torch.randn(*shape, requires_grad=True)


@pytest.mark.parametrize(
    "run",
    [
        lambda: x(5, 7) @ x(7, 3),
        lambda: torch.addmm(x(3), x(5, 7), x(7, 3)),
        lambda: torch.bmm(x(4, 5, 7), x(4, 7, 3)),
        lambda: torch.baddbmm(x(4, 5, 3), x(4, 5, 7), x(4, 7, 3)),
        lambda: functional.linear(x(2, 5, 7), x(3, 7), x(3)),
        lambda: torch.einsum("bij,bjk->bik", x(4, 5, 7), x(4, 7, 3)),
    ],
)
def test_products(run: Callable[[], Any]) -> None:
    compare(run)


@pytest.mark.parametrize(
    "run",
    [
        lambda: functional.conv1d(x(2, 3, 20), x(4, 3, 5), x(4), stride=2),
        lambda: functional.conv2d(x(2, 3, 9, 9), x(4, 3, 3, 3), x(4), padding=1),
        lambda: functional.conv2d(x(2, 3, 9, 9), x(4, 3, 3, 3), dilation=2),
        lambda: functional.conv3d(x(2, 3, 6, 6, 6), x(4, 3, 3, 3, 3)),
        lambda: functional.conv_transpose2d(x(2, 3, 5, 5), x(3, 4, 3, 3), stride=2),
        lambda: functional.conv2d(torch.randn(2, 3, 9, 9), x(4, 3, 3, 3)),  # no gradient of the input
        lambda: functional.conv2d(torch.randn(2, 4, 9, 9), torch.randn(8, 2, 3, 3), groups=2),
    ],
)
def test_convolutions(run: Callable[[], Any]) -> None:
    compare(run)


def attention(*, causal: bool) -> Any:
    return functional.scaled_dot_product_attention(x(2, 4, 8, 16), x(2, 4, 8, 16), x(2, 4, 8, 16), is_causal=causal)


@pytest.mark.parametrize(("causal", "scale"), [(False, 1.0), (True, 0.5)])
def test_attention_forward_and_backward(causal: bool, scale: float) -> None:
    """Torch's counter does not know the CPU's kernel, so its formulas are asked. They do not halve a causal one."""
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    from narrows.ledger.cost import cost
    from tests.ledger.cost.recorder import Recorder

    with Recorder() as recorder:
        attention(causal=causal).sum().backward()
    found = [c.flops for c in map(cost, recorder.ops) if c.kind == "attention"]
    shape = (2, 4, 8, 16)
    expected = [sdpa_flop_count(shape, shape, shape), sdpa_backward_flop_count(shape, shape, shape, shape)]
    assert found == [scale * flops for flops in expected]
