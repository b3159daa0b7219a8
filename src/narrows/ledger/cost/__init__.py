"""What an op costs, from its shapes: floating-point operations and bytes, for one call.

One file for each family of ops; a formula registers itself by aten name. An op without one is classed by the bytes
of its arguments and results. Each input is read once and each output written once; an operand that an op updates
in place is both. Transcendental functions count as one operation: by any other convention, too, the ops that use
them are bound by memory.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from narrows.spool.record import Op, Tensor

Formula = Callable[[Op], "Cost | None"]
formulas: dict[str, Formula] = {}
FLOATING = ("float64", "float32", "bfloat16", "float16", "complex64", "complex128")


@dataclass(frozen=True, kw_only=True)
class Cost:
    flops: float
    bytes_read: float
    bytes_written: float
    dtype: str
    """Of the arithmetic."""
    by_shape: bool
    """False: no formula for this op, so its tensors' bytes and nothing else."""
    kind: str
    """`matmul`, `convolution`, `attention`, `rnn`, `embedding`, `elementwise`, `view` ..."""


def formula(*names: str) -> Callable[[Formula], Formula]:
    """Register a formula for these aten names. It may return None: this call has no known cost."""

    def register(function: Formula) -> Formula:
        for name in names:
            formulas[name] = function
        return function

    return register


def cost(op: Op) -> Cost:
    """The cost of one call of the op. Never raises: a record that makes no sense is classed by its bytes."""
    _load()
    known = formulas.get(op.name)
    if known is None and op.name.endswith("_") and not op.name.startswith("_"):
        known = formulas.get(op.name[:-1])
    if known is not None:
        try:
            found = known(op)
        except (TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError):
            found = None
        if found is not None:
            return found
    return plain(op, kind="other", by_shape=False)


def tensors(value: Any) -> list[Tensor]:
    """All tensors in a value, however nested."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for item in value for t in tensors(item)]
    return []


def inputs(op: Op) -> list[Tensor]:
    return tensors(op.arguments) + tensors(tuple(op.keywords.values()))


def outputs(op: Op) -> list[Tensor]:
    return tensors(op.outputs)


def dtype_of(found: list[Tensor]) -> str:
    """The dtype of the arithmetic: the first floating one."""
    return next((t.dtype for t in found if t.dtype in FLOATING), found[0].dtype if found else "float32")


def total(found: list[Tensor]) -> float:
    return float(sum(t.bytes for t in found))


def plain(op: Op, *, kind: str, flops: float = 0.0, by_shape: bool = True, read: float | None = None,
          written: float | None = None, dtype: str | None = None) -> Cost:  # fmt: skip
    """Every tensor argument read once, every result written once, unless said otherwise."""
    taken, given = inputs(op), outputs(op)
    if written is None:
        written = total(given)
        if not given and (op.name.endswith("_") or op.name.startswith("_f")) and taken:
            written = taken[0].bytes  # in place, and returns nothing
    return Cost(
        flops=max(0.0, flops),
        bytes_read=max(0.0, total(taken) if read is None else read),
        bytes_written=max(0.0, written),
        dtype=dtype or dtype_of(taken + given),
        by_shape=by_shape,
        kind=kind,
    )


_loaded = False


def _load() -> None:
    global _loaded
    if not _loaded:
        _loaded = True
        for module in pkgutil.iter_modules(__path__):
            importlib.import_module(f"{__name__}.{module.name}")
