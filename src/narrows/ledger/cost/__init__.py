"""What one call of an op costs, from its shapes: floating-point operations and bytes.

A formula for each op stands in `families/`, one file for each family. An op without one is classed by the bytes of its
tensors. The conventions:

- a multiply-add is 2 flops; what an op adds once to a product (a bias, `addmm`'s first argument) is not counted, as in
  `torch.utils.flop_counter`;
- elementwise arithmetic is weighted as in F. H. McMahon's Livermore Fortran Kernels (UCRL-53745, 1986): 1 for an
  addition, multiplication or comparison, 4 for a division or square root, 8 for a transcendental function. The weights
  are a convention; ops that consist of such arithmetic are bound by memory under any;
- each input is read once and each output written once, so bytes are the least that the op can move;
- a gather reads the rows that it returns, not the table; a scatter in place writes the ones that it is given.
"""

from dataclasses import dataclass
from math import isfinite

from narrows.ledger.cost.registry import Entry, find, formula, names
from narrows.ledger.cost.traffic import inputs, outputs, real, results, size, tensors, total, widest
from narrows.spool.record import Op, Tensor

__all__ = ["Cost", "cost", "formula", "inputs", "names", "outputs"]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one call."""

    flops: float
    bytes_read: float
    bytes_written: float
    dtype: str
    """Of the arithmetic; complex arithmetic is counted in real operations of `float32` or `float64`."""
    by_shape: bool
    """False: no formula for this call. It is classed by the bytes of its tensors, and its flops are 0."""
    kind: str
    """`matmul`, `convolution`, `attention`, `rnn`, `embedding`, `normalisation`, `softmax`, `reduction`,
    `elementwise`, `copy`, `index`, `optimizer`, `view` (nothing is computed or moved), `random` or `other`."""


def cost(op: Op) -> Cost:
    """The cost of one call. Never raises: a record that makes no sense is classed by its bytes."""
    entry = None
    try:
        entry = find(op.name)
        found = _by_shape(op, entry)
    except Exception:  # a record is data from elsewhere: whatever is wrong with it is no reason to fail
        found = None
    return found or _by_bytes(op, "other" if entry is None else entry.kind)


def _by_shape(op: Op, entry: Entry | None) -> Cost | None:
    everything = tensors((op.arguments, tuple(op.keywords.values()), op.outputs))
    if entry is None:
        unseen = op.raw is not None and ["?"] in list(op.raw[1])  # it had tensors that nothing is known of
        nothing = None if everything or unseen else _cost(0.0, 0.0, 0.0, "float32", "other")
        return nothing
    if not entry.sparse and any(tensor.layout == "s" for tensor in everything):
        return None
    work = entry.formula(op)
    if work is None:
        return None
    read = total(inputs(op)) if work.read is None else work.read
    written = total(results(op)) if work.written is None else work.written
    if not all(isfinite(number) and number >= 0 for number in (work.flops, read, written)):
        return None
    return _cost(work.flops, read, written, real(work.dtype or widest(op)), work.kind or entry.kind)


def _cost(flops: float, read: float, written: float, dtype: str, kind: str) -> Cost:
    return Cost(
        flops=float(flops),
        bytes_read=float(read),
        bytes_written=float(written),
        dtype=dtype,
        by_shape=True,
        kind=kind,
    )


def _by_bytes(op: Op, kind: str) -> Cost:
    """All tensors, in and out. Beside a sparse one only new dense outputs are known to be touched in full."""
    read = written = 0.0
    dtype = "float32"
    try:
        taken, given = inputs(op), results(op)
        sparse = any(tensor.layout == "s" for tensor in taken + given)
        if not sparse:
            read = sum(map(_size, taken))
        if not (sparse and op.name.endswith("_")):
            written = sum(map(_size, given))
        dtype = real(str(widest(op)))
    except Exception:
        pass
    return Cost(flops=0.0, bytes_read=read, bytes_written=written, dtype=dtype, by_shape=False, kind=kind)


def _size(tensor: Tensor) -> float:
    """Bytes; 0 for a shape that makes no sense."""
    try:
        found = size(tensor)
    except Exception:
        return 0.0
    return found if isfinite(found) and found > 0 else 0.0
