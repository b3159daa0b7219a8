"""A recorded call, built again at its smallest size.

Values are encoded as the probe writes them: a tensor `["T", [shape], "float32", layout]` (`c` contiguous, `l` channels
last, `n` neither, `s` sparse), a list or tuple `["L", ...]`, a dtype `["D", name]`, a device `["V", type]`, anything
else `["?"]`, and plain values as themselves.
"""

from typing import Any, NamedTuple

import torch

EXTENTS = frozenset(
    "size normalized_shape output_size input_size input_sizes self_size shape sizes repeats bias_sizes num_weights"
    " N C HxW group num_groups length k n m steps num_samples embed_dim num_heads num_head chunks".split()
)
"""Arguments that say how large something is: they shrink as the tensors do."""
POSITIONS = frozenset(["index", "start", "storage_offset"])
"""Arguments that point into a tensor: the first element is always there."""
WHOLE = 1 << 62
"""The extent of calls that are made as large as they were: no dimension is larger."""


class Sizes(NamedTuple):
    extent: int
    """Of each dimension, if it was not smaller."""
    integer: int
    """What tensors of integers are filled with."""


class Unknown(Exception):
    """A value that the probe could not write down."""


def arguments(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> tuple[list[Any], dict[str, Any]]:
    """The call's arguments by the rules that hold for most ops. Raises `Unknown`."""
    named = {a.name: a for a in function._schema.arguments}
    positional = [_argument(a.name, value, sizes) for a, value in zip(function._schema.arguments, args, strict=False)]
    keywords = {}
    for name, value in kw.items():
        if value == ["?"]:  # a memory format, a generator: the default will do
            continue
        if name in named:
            keywords[name] = _argument(name, value, sizes)
    return positional, keywords


def _argument(name: str, encoded: Any, sizes: Sizes) -> Any:
    made = value(encoded, sizes)
    if isinstance(made, bool) or made is None:
        return made
    if name in EXTENTS:
        return [_extent(n, sizes) for n in made] if isinstance(made, list) else _extent(made, sizes)
    if name in POSITIONS and isinstance(made, int):
        return 0
    if name == "end" and isinstance(made, (int, float)):
        return 1
    if name == "pad" and isinstance(made, list):
        return [min(max(n, 0), 1) for n in made]
    return made


def _extent(number: Any, sizes: Sizes) -> Any:
    return min(number, sizes.extent) if isinstance(number, int) else number


def value(encoded: Any, sizes: Sizes) -> Any:
    if not isinstance(encoded, list):
        return float(encoded) if encoded in ("inf", "-inf", "nan") else encoded  # JSON has no such numbers
    kind, *rest = encoded or ["?"]
    if kind == "T":
        shape = [min(n, sizes.extent) for n in rest[0]]
        return tensor(shape, rest[1], rest[2], sizes.integer, random=sizes.extent == WHOLE)
    if kind == "L":
        return [value(item, sizes) for item in rest]
    if kind == "D":
        return getattr(torch, rest[0])
    if kind == "V":
        return torch.device("cpu" if rest[0] != "meta" else "meta")
    raise Unknown


def tensor(shape: list[int], dtype: str, layout: str, integer: int = 0, *, random: bool = False) -> Any:
    """Ones (what an op in place multiplies by again and again must not vanish), zeros for indices, True for masks. As large as
    it was, random numbers above 0: a maximum over a window takes twice as long of those, as it cannot be foreseen; of what is
    no number (the root of -1) some ops take 40 times as long."""
    if layout == "s":
        raise Unknown
    kind = getattr(torch, dtype)
    if kind.is_floating_point and random:
        made = torch.rand(shape).to(kind)
    elif kind.is_floating_point or kind.is_complex or kind is torch.bool:
        made = torch.ones(shape, dtype=kind)
    else:
        made = torch.full(shape, integer, dtype=kind)
    return made.contiguous(memory_format=torch.channels_last) if layout == "l" and len(shape) == 4 else made
