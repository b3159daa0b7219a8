"""Ops whose output is as large as their input's numbers say: as large as these are known to say, else as large as it can
be. And one whose size only it knows."""

from typing import Any

from . import packing, reading
from .values import Values


def largest(torch: Any, values: Values) -> dict[Any, Any]:
    """By op: what makes its output where torch cannot say the shape, as not all that it is given has numbers."""
    aten = torch.ops.aten

    def empty(x: Any, *sizes: int) -> Any:
        return torch.empty(sizes, dtype=torch.int64, device=x.device)

    def number(x: Any, found: str) -> int | None:
        """What is found in a tensor of integers; None if they are not known."""
        known = values.get(x)
        return values.known(lambda: int(getattr(known, found)()), (), {}) if known is not None else None

    def count(x: Any) -> int:
        found = number(x, "count_nonzero")
        return int(x.numel()) if found is None else found

    def nonzero(x: Any) -> Any:
        return empty(x, count(x), x.dim())

    def select(x: Any, mask: Any) -> Any:
        times = torch.broadcast_shapes(x.shape, mask.shape).numel() // max(1, mask.numel())
        return x.new_empty(count(mask) * times)

    def index(x: Any, indices: Any) -> Any:
        made = []
        for each in indices:
            if each is not None and each.dtype in (torch.bool, torch.uint8):
                made.extend(nonzero(each).unbind(1))
            else:
                made.append(each)
        return aten.index.Tensor(x, made)

    def unique(x: Any, ordered: bool = True, inverse: bool = False, counts: bool = False) -> Any:
        return x.new_empty(x.numel()), empty(x, *x.shape), empty(x, x.numel())

    def unique_dim(x: Any, dim: int, *args: Any, **kwargs: Any) -> Any:
        return x.new_empty(x.shape), empty(x, x.shape[dim]), empty(x, x.shape[dim])

    def consecutive(x: Any, inverse: bool = False, counts: bool = False, dim: int | None = None) -> Any:
        if dim is not None:
            return unique_dim(x, dim)
        return x.new_empty(x.numel()), empty(x, *(x.shape if inverse else (0,))), empty(x, x.numel() if counts else 0)

    # Of these two there is no largest: an unknown number is taken for what it is taken for where it is read.
    def repeat(repeats: Any, output_size: int | None = None) -> Any:
        if output_size is None:
            output_size = number(repeats, "sum")
        return empty(repeats, repeats.numel() * reading.number(repeats.dtype) if output_size is None else output_size)

    def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
        most = number(x, "max") if x.numel() else -1
        length = max(minlength, (reading.number(x.dtype) if most is None else most) + 1)
        if weights is None:
            return empty(x, length)
        return weights.new_empty(length, dtype=None if weights.dtype is torch.float32 else torch.float64)

    def ctc(chances: Any, targets: Any, lengths: Any, ends: Any, *args: Any, **kwargs: Any) -> Any:
        """Of each sequence its loss, and at each time the chances of twice as many states as its target is long, and one."""
        batch = chances.shape[1]
        most = number(ends, "max") if isinstance(ends, torch.Tensor) else max(ends)
        if most is None:
            most = targets.shape[1] if targets.dim() > 1 else -(-targets.numel() // batch)
        return chances.new_empty(batch), chances.new_empty(batch, chances.shape[0], 2 * most + 1)

    def ctc_backward(gradient: Any, chances: Any, *args: Any, **kwargs: Any) -> Any:
        return torch.empty_like(chances)

    return {
        aten._ctc_loss.default: ctc,
        aten._ctc_loss.Tensor: ctc,
        aten._ctc_loss_backward.default: ctc_backward,
        aten._ctc_loss_backward.Tensor: ctc_backward,
        aten.nonzero.default: nonzero,
        aten.masked_select.default: select,
        aten.index.Tensor: index,
        aten._unique2.default: unique,
        aten.unique_dim.default: unique_dim,
        aten.unique_consecutive.default: consecutive,
        aten.repeat_interleave.Tensor: repeat,
        aten.bincount.default: bincount,
        aten._pack_padded_sequence.default: packing.packed(torch, values),
    }


MOST_ELEMENTS = 1 << 24
"""Of the sequences that a layer is run on for its buffer."""


class Workspace:
    """oneDNN's recurrent layers keep a buffer for the backward pass whose size torch's shapes leave out. The layer is run
    once, for real, on zeros; on fewer sequences where they would be too much, as its buffer grows with their number."""

    def __init__(self, torch: Any, values: Values) -> None:
        self.torch, self.values = torch, values
        self.op = getattr(torch.ops.aten, "mkldnn_rnn_layer", None)
        self.seen: dict[Any, int] = {}

    def is_for(self, func: Any) -> bool:
        return self.op is not None and func is self.op.default

    def added(self, args: Any, kwargs: Any, made: Any) -> Any:
        tensor = self.torch.Tensor
        if not self.torch.is_grad_enabled():
            return made
        batch = args[0].shape[1]
        key = tuple(tuple(each.shape) if isinstance(each, tensor) else str(each) for each in args)
        if key not in self.seen:
            count = max(1, min(batch, MOST_ELEMENTS * batch // max(1, args[0].numel() + made[0].numel())))
            self.seen[key] = self._run(args, kwargs, batch, count) * batch // count
        return (*made[:3], args[0].new_empty(self.seen[key], dtype=self.torch.uint8))

    def _run(self, args: Any, kwargs: Any, batch: int, count: int) -> int:
        """Bytes for so many sequences. Time x batch x width is the layout here; states have the batch before the width."""
        torch = self.torch

        def real(value: Any) -> Any:
            if not isinstance(value, torch.Tensor):
                return value
            sizes = list(value.shape)
            if value is args[0] or (value.dim() == 3 and sizes[1] == batch):
                sizes[1] = count
            elif value.dim() == 2 and sizes[0] == batch and value not in weights:
                sizes[0] = count
            return torch.zeros(sizes, dtype=value.dtype)

        weights = _Same(args[1:5])
        with self.values.off(), torch.enable_grad():  # without, there is no buffer
            made = torch.ops.aten.mkldnn_rnn_layer.default(*map(real, args), **kwargs)
            return int(made[3].numel() * made[3].element_size())


class _Same:
    """Membership by identity: tensors that are compared would be computed with."""

    def __init__(self, members: Any) -> None:
        self.ids = {id(member) for member in members}

    def __contains__(self, value: Any) -> bool:
        return id(value) in self.ids
