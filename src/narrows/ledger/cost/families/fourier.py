"""Fourier transforms: 5 n log2 n flops for n complex values, half of that if input or output is real.

The radix-2 count that FFTW's benchmark uses (http://www.fftw.org/speed/method.html).
"""

from math import log2, prod
from typing import Any

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, results, tensor
from narrows.spool.record import Op, Tensor


def transform(values: Tensor, dims: Any, *, real: bool) -> float:
    """Flops of a transform of `values` (on the side that has all of them) along `dims`."""
    along = prod(values.shape[d] for d in (dims if isinstance(dims, tuple) else (dims,)))
    return (2.5 if real else 5.0) * values.elements * log2(max(1, along))


@formula("_fft_c2c", "_fft_r2c", kind="other")
def _from_all(op: Op) -> Work:
    values = tensor(op, 0, "self")
    return Work(flops=transform(values, argument(op, 1, "dim"), real=op.name == "_fft_r2c"))


@formula("_fft_c2r", kind="other")
def _to_real(op: Op) -> Work:
    return Work(flops=transform(results(op)[0], argument(op, 1, "dim"), real=True))


_DIMS = {"fft2": (-2, -1), "fftn": None, "fft": -1}
"""Dimensions that a transform is along if the call does not say; None: all."""
_COMPOSITE = [f"fft_{form}{kind}" for kind in _DIMS for form in ("", "i", "r", "ir")] + ["fft_hfft", "fft_ihfft"]


@formula(*_COMPOSITE, kind="other")
def _composite(op: Op) -> Work:
    """Under inference mode: (values, n, dim). The larger side has all values."""
    before, after = tensor(op, 0, "self"), results(op)[0]
    values = before if before.elements >= after.elements else after
    kind = op.name[op.name.rindex("fft") :]
    dims = argument(op, 2, "dim", _DIMS[kind])
    every = tuple(range(len(values.shape)))
    real = not all(t.dtype.startswith("complex") for t in (before, after))
    return Work(flops=transform(values, every if dims is None else dims, real=real))


@formula("fft_fftshift", "fft_ifftshift", kind="copy")
def _shift(op: Op) -> Work:
    return Work()
