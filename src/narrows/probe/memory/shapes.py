"""Ops whose output is as large as their input's numbers say, as large as it can be; and one whose size only it knows."""

from typing import Any

from .values import Values


def largest(torch: Any) -> dict[Any, Any]:
    """By op: what makes its output where torch cannot say the shape."""
    aten = torch.ops.aten

    def nonzero(x: Any) -> Any:
        return torch.empty(x.numel(), x.dim(), dtype=torch.int64, device=x.device)

    def select(x: Any, mask: Any) -> Any:
        return x.new_empty(max(x.numel(), mask.numel()))

    def index(x: Any, indices: Any) -> Any:
        made = []
        for each in indices:
            if each is not None and each.dtype in (torch.bool, torch.uint8):
                made.extend(nonzero(each).unbind(1))
            else:
                made.append(each)
        return aten.index.Tensor(x, made)

    def unique(x: Any, *args: Any, **kwargs: Any) -> Any:
        places = torch.empty(x.shape, dtype=torch.int64, device=x.device)
        return x.new_empty(x.numel()), places, torch.empty(x.numel(), dtype=torch.int64, device=x.device)

    return {
        aten.nonzero.default: nonzero,
        aten.masked_select.default: select,
        aten.index.Tensor: index,
        aten._unique2.default: unique,
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
