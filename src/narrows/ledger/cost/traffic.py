"""The tensors of a call and their bytes.

Each input counts once with the shape it has in the call, so a broadcast view (`expand`) counts in full, and a tensor
that is passed twice counts twice: a record does not say which tensors share memory.
"""

from collections.abc import Iterable
from math import prod
from typing import Any

from narrows.spool.record import ITEM_BYTES, Op, Tensor

_MORE_ITEM_BYTES = {
    "quint8": 1, "qint8": 1, "qint32": 4, "quint4x2": 1, "uint16": 2, "uint32": 4, "uint64": 8, "complex32": 4,
    "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1,
}  # fmt: skip
_FLOATING = (
    "float64", "complex128", "float32", "complex64", "bfloat16", "float16", "complex32", "float8_e4m3fn",
    "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
)  # fmt: skip
"""Widest first."""
_WRITTEN_KEYWORDS = frozenset(
    "out grad_input grad_weight grad_bias output values indices max min max_values max_indices min_indices total_weight"
    " save_mean save_invstd result".split()
)
"""Keyword tensors of an `out=` call, which only receives them (`out0`, `out1` ... beside these)."""


def tensors(value: Any) -> list[Tensor]:
    """All tensors in a value, however deep in tuples."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def inputs(op: Op) -> list[Tensor]:
    """The tensors that a call reads, in order."""
    read = [value for name, value in op.keywords.items() if not _receives(op, name)]
    return tensors(op.arguments) + tensors(read)


def outputs(op: Op) -> list[Tensor]:
    """The tensors that a call returns, in order."""
    return tensors(op.outputs)


def results(op: Op) -> list[Tensor]:
    """The tensors that a call writes: what it returns, or what it changes if it returns nothing."""
    found = outputs(op)
    if not found:
        found = tensors([value for name, value in op.keywords.items() if _receives(op, name)])
    if not found and op.name.endswith("_") and op.arguments:
        found = tensors(op.arguments[0])
    return found


def _receives(op: Op, name: str) -> bool:
    if name in _WRITTEN_KEYWORDS:
        return op.name != "segment_reduce"  # the one op that takes `indices` as a keyword
    return name.rstrip("0123456789") == "out"


def size(tensor: Tensor) -> float:
    """Bytes of a dense tensor. 0 for a sparse one: how many of its values are stored is not in the record."""
    if tensor.layout == "s":
        return 0.0
    return float(tensor.elements * item_bytes(tensor.dtype))


def item_bytes(dtype: str) -> int:
    return ITEM_BYTES.get(dtype) or _MORE_ITEM_BYTES.get(dtype, 4)


def total(found: Iterable[Tensor]) -> float:
    """Bytes of all of them."""
    return sum(map(size, found), start=0.0)


def elements(found: Iterable[Tensor]) -> float:
    """Elements of all of them."""
    return float(sum(tensor.elements for tensor in found))


def largest(op: Op) -> float:
    """Elements of the largest result; of the largest input, if there is none."""
    return float(max(tensor.elements for tensor in results(op) or inputs(op)))


def widest(op: Op) -> str:
    """The dtype that a call computes in: the widest floating one among its inputs, else among its outputs, else
    that of its first tensor. A 0-dimensional tensor does not widen others, as in torch's type promotion."""
    taken = inputs(op)
    for group in ([tensor for tensor in taken if tensor.shape], taken, outputs(op)):
        found = {tensor.dtype for tensor in group}
        for dtype in _FLOATING:
            if dtype in found:
                return dtype
    everything = taken + outputs(op)
    return everything[0].dtype if everything else "float32"


def argument(op: Op, index: int, name: str, default: Any = None) -> Any:
    """An argument by position or by name. Torch leaves trailing defaults out of a call."""
    if name in op.keywords:
        return op.keywords[name]
    return op.arguments[index] if index < len(op.arguments) else default


def tensor(op: Op, index: int, name: str) -> Tensor:
    """A tensor argument; ValueError if there is none."""
    found = argument(op, index, name)
    if not isinstance(found, Tensor):
        raise ValueError(f"{op.name}: no tensor {name}")
    return found


def width(found: Tensor) -> int:
    """Elements of a row: the size of the last dimension."""
    return found.shape[-1] if found.shape else 1


def rows(found: Tensor) -> float:
    """How many rows there are: the product of all sizes but the last."""
    return float(prod(found.shape[:-1]))


def real(dtype: str) -> str:
    """The dtype of the real arithmetic that complex arithmetic is made of."""
    return {"complex128": "float64", "complex64": "float32", "complex32": "float16"}.get(dtype, dtype)


def multiply_add(dtype: str) -> float:
    """Flops of one multiply-add: 2, or 8 if complex (4 multiplications and 4 additions)."""
    return 8.0 if dtype.startswith("complex") else 2.0
