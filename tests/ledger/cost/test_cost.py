from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.ledger.cost import cost
from tests.fakes import op, tensor


@given(m=st.integers(1, 64), n=st.integers(1, 64), k=st.integers(1, 64))
def test_matrix_product(m: int, n: int, k: int) -> None:
    found = cost(op("mm", tensor(m, k), tensor(k, n), out=tensor(m, n)))
    assert found.flops == 2 * m * n * k
    assert found.bytes_read == 4 * (m * k + k * n)
    assert found.bytes_written == 4 * m * n
    assert found.by_shape


@pytest.mark.parametrize(
    ("call", "flops"),
    [
        (op("addmm", tensor(8), tensor(4, 16), tensor(16, 8), out=tensor(4, 8)), 2 * 4 * 16 * 8),
        (op("bmm", tensor(3, 4, 5), tensor(3, 5, 6), out=tensor(3, 4, 6)), 2 * 3 * 4 * 5 * 6),
        (op("linear", tensor(2, 7, 16), tensor(8, 16), tensor(8), out=tensor(2, 7, 8)), 2 * 14 * 16 * 8),
        (op("einsum", "bij,bjk->bik", (tensor(2, 3, 4), tensor(2, 4, 5)), out=tensor(2, 3, 5)), 2 * 2 * 3 * 4 * 5),
        (op("convolution", tensor(2, 3, 8, 8), tensor(16, 3, 3, 3), None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1,
            out=tensor(2, 16, 8, 8)), 2 * 2 * 16 * 64 * 27),
        (op("convolution_backward", tensor(2, 16, 8, 8), tensor(2, 3, 8, 8), tensor(16, 3, 3, 3), (16,), (1, 1), (1, 1),
            (1, 1), False, (0, 0), 1, (True, True, True), out=tensor(1)), 2 * 2 * 2 * 16 * 64 * 27),
        (op("_scaled_dot_product_flash_attention_for_cpu", *[tensor(1, 2, 10, 4)] * 3, 0.0, True,
            out=tensor(1, 2, 10, 4)), 0.5 * 2 * 20 * 10 * 8),
        (op("relu", tensor(100), out=tensor(100)), 100),
        (op("add_", tensor(100), tensor(100), out=tensor(100)), 100),
        (op("_foreach_add_", (tensor(10), tensor(20)), 1), 30),
        (op("view", tensor(10), (5, 2), out=tensor(5, 2)), 0),
        (op("sum", tensor(10, 10), (0,), out=tensor(10)), 100),
    ],
)  # fmt: skip
def test_known_ops(call: Any, flops: float) -> None:
    found = cost(call)
    assert found.flops == flops
    assert found.by_shape


def test_a_lookup_reads_its_rows_and_a_dense_gradient_writes_the_table() -> None:
    table, rows = tensor(1000, 8), tensor(4, dtype="int64")
    assert cost(op("embedding", table, rows, out=tensor(4, 8))).bytes_read == 4 * 32 + 32
    back = cost(op("embedding_dense_backward", tensor(4, 8), rows, 1000, -1, False, out=table))
    assert back.bytes_written == 4 * 8000 + 128


def test_an_unknown_op_is_classed_by_its_bytes() -> None:
    found = cost(op("mystery::op", tensor(10), out=tensor(5)))
    assert (found.flops, found.bytes_read, found.bytes_written, found.by_shape) == (0, 40, 20, False)


@pytest.mark.parametrize("name", ["mm", "convolution", "einsum", "_fused_adam_", "lstm", "copy_", "nll_loss_forward"])
def test_a_record_that_makes_no_sense_never_raises(name: str) -> None:
    assert not cost(op(name)).by_shape or cost(op(name)).flops == 0


@pytest.mark.torch
def test_products_agree_with_torchs_own_counter() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode

    from narrows.probe.windows.ops import describe
    from narrows.spool.read import _outputs, value
    from narrows.spool.record import Op

    counted: list[float] = []
    kinds: list[bool] = []

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            library, _, rest = str(func).partition(".")
            listed = _lists([describe(a, torch) for a in args])
            call = Op(
                name=rest.split(".")[0] if library == "aten" else f"{library}::{rest.split('.')[0]}", overload="",
                arguments=tuple(value(a) for a in listed), outputs=_outputs(_lists(describe(result, torch))),
                state="forward", count=1, ns=1, fastest_ns=1,
            )  # fmt: skip
            found = cost(call)
            kinds.append(found.by_shape)
            if found.kind in ("matmul", "convolution"):
                counted.append(found.flops)
            return result

    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(8 * 64, 32), torch.nn.GELU(), torch.nn.LayerNorm(32), torch.nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters())
    x, y = torch.randn(4, 3, 16, 16), torch.randint(0, 10, (4,))
    with FlopCounterMode(display=False) as reference, Recorder():
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    assert sum(counted) == pytest.approx(reference.get_total_flops())
    assert sum(kinds) / len(kinds) > 0.99


def _lists(item: Any) -> Any:
    return [_lists(part) for part in item] if isinstance(item, (list, tuple)) else item
