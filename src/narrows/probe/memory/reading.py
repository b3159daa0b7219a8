"""What a script does with tensors that torch has no answer for where they have no numbers: reading, copying, moving."""

import functools
from typing import Any

from .. import job
from .values import Values

assumed = 0
"""Numbers that were made up."""


def number(dtype: Any) -> Any:
    """What an unknown number is taken for: neither a reason to stop nor to divide by 0."""
    global assumed
    assumed += 1
    if str(dtype) == "torch.bool":
        return False
    return 1.0 if dtype.is_floating_point else 1


def install(torch: Any, kind: Any, values: Values) -> None:
    """`tolist` and `numpy` read the memory itself, where a fake tensor has none."""
    tensor = torch.Tensor
    lists, arrays = tensor.tolist, tensor.numpy

    @functools.wraps(lists)
    def tolist(self: Any) -> Any:
        if not isinstance(self, kind):
            return lists(self)
        if values.get(self) is not None:
            return lists(values.get(self))
        made = number(self.dtype)
        for size in reversed(self.shape):
            made = [made] * size
        return made

    @functools.wraps(arrays)
    def numpy(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self, kind):
            return arrays(self, *args, **kwargs)
        if values.get(self) is not None:
            return arrays(values.get(self), *args, **kwargs)
        import numpy as library  # the job asked for an array, so it is there

        return library.ones(tuple(self.shape), dtype=str(self.dtype).removeprefix("torch."))

    copies = tensor.__deepcopy__

    @functools.wraps(copies)
    def __deepcopy__(self: Any, memo: Any) -> Any:  # noqa: N807
        if not isinstance(self, kind) or id(self) in memo:
            return copies(self, memo)
        made = self.detach().clone()
        if isinstance(self, torch.nn.Parameter):
            made = torch.nn.Parameter(made, self.requires_grad)
        memo[id(self)] = made
        return made

    formats = tensor.__format__

    @functools.wraps(formats)
    def __format__(self: Any, spec: str) -> str:  # noqa: N807
        # torch's own formats the number only of what is a tensor and of no other class.
        return format(self.item(), spec) if isinstance(self, kind) and not self.dim() else formats(self, spec)

    tensor.tolist, tensor.numpy, tensor.__deepcopy__, tensor.__format__ = tolist, numpy, __deepcopy__, __format__
    tensor.__repr__ = lambda self, **kwargs: f"tensor(..., size={tuple(self.shape)})"


def moving(torch: Any) -> None:
    """`Module.to` and the like swap a fake parameter's insides, which nothing else may refer to; here it is replaced."""
    made: dict[int, Any] = {}

    def _apply(self: Any, fn: Any, recurse: bool = True) -> Any:
        for child in self.children() if recurse else ():
            child._apply(fn)
        for name, old in list(self._parameters.items()):
            if old is None:
                continue
            if id(old) not in made:
                with torch.no_grad():
                    new = fn(old)
                # Kept with the old one, so that tied weights stay tied and an id is not used again.
                made[id(old)] = (old if new is old else torch.nn.Parameter(new, old.requires_grad), old)
            self._parameters[name] = made[id(old)][0]
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    torch.nn.Module._apply = _apply


def told() -> None:
    job.spool.event("assumed", numbers=assumed)
