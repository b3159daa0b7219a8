import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


def c(*shape: int) -> object:
    return t(*shape, dtype="complex64")


@pytest.mark.parametrize(
    ("op", "flops"),
    [
        (call("_fft_c2c", c(3, 16), (1,), 0, True, out=c(3, 16)), 5 * 48 * 4),
        (call("_fft_c2c", c(8, 16), (0, 1), 0, True, out=c(8, 16)), 5 * 128 * 7),
        (call("_fft_r2c", t(3, 16), (1,), 0, True, out=c(3, 9)), 2.5 * 48 * 4),
        (call("_fft_c2r", c(3, 9), (1,), 0, 16, out=t(3, 16)), 2.5 * 48 * 4),
        (call("fft_rfft", t(3, 16), out=c(3, 9)), 2.5 * 48 * 4),
        (call("fft_irfft", c(3, 9), out=t(3, 16)), 2.5 * 48 * 4),
        (call("fft_fft2", c(8, 16), out=c(8, 16)), 5 * 128 * 7),
        (call("fft_fftn", c(8, 16), out=c(8, 16)), 5 * 128 * 7),
    ],
)
def test_transforms(op: object, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.dtype, found.by_shape) == (flops, "float32", True)
