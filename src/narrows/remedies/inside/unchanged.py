"""Whether a model is what it was when something was made of it. Asked at each call, so it is cheap."""

from __future__ import annotations

import ctypes
from typing import Any

WIDTH = 4


class Parts:
    """Of a model: what it is made of, and whether somebody looks at the calls inside of it."""

    def __init__(self, torch: Any, module: Any) -> None:
        parts = list(module.modules())
        self.parameters = list(module.parameters())
        self.hooks = _hooks(torch, parts)
        self.entries = [
            (held, name, value)
            for part in parts
            for held in (part._modules, part._parameters, part._buffers)
            for name, value in held.items()
        ]
        self.entries += [(vars(part), "training", part.training) for part in parts]

    def looked_at(self) -> bool:
        return any(self.hooks) and any(not _of_torch(hook) for held in self.hooks for hook in held.values())

    def same(self) -> bool:
        for held, name, value in self.entries:
            if held.get(name) is not value:
                return False
        return True


def _hooks(torch: Any, parts: list[Any]) -> list[Any]:
    """The dictionaries in which torch keeps them: empty ones stay the same objects."""
    general = torch.nn.modules.module
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    shared = [vars(general)[f"_global{name}"] for name in names if f"_global{name}" in vars(general)]
    return shared + [vars(part)[name] for part in parts for name in names if name in vars(part)]


def _of_torch(hook: Any) -> bool:
    """One that makes a weight, as weight norm does, and looks at nothing."""
    return type(hook).__module__.startswith("torch.nn.utils.")


class Numbers:
    """Of a model's parameters and buffers: where they are, how often they were changed, and a few of their numbers.

    What is written past torch's own count of changes (through `.data`, or numpy) is seen by those few: who changes a
    model in that way changes all of it.
    """

    def __init__(self, torch: Any, module: Any) -> None:
        held = [*module.parameters(), *module.buffers()]
        self.tensors = [t for t in held if t.layout is torch.strided and not t.is_inference()]
        self.places, self.counts = self._places(), self._counts()
        # Read where they lie, as a view of each would take ten times as long. Those of a device would be waited for.
        self.cells = [cell for t in self.tensors if t.device.type == "cpu" for cell in _cells(t)]
        self.numbers = [cell.value for cell in self.cells]

    def same(self) -> bool:
        if self._counts() != self.counts or self._places() != self.places:
            return False
        return [cell.value for cell in self.cells] == self.numbers

    def _places(self) -> list[int]:
        return [t.data_ptr() for t in self.tensors]

    def _counts(self) -> list[int]:
        return [t._version for t in self.tensors]


def _cells(tensor: Any) -> list[Any]:
    """Four bytes each, at the begin, in the middle and at the end of its memory."""
    size = tensor.numel() * tensor.element_size()
    there = tensor.untyped_storage().nbytes() - tensor.storage_offset() * tensor.element_size()
    if WIDTH <= size <= there:  # whatever its strides are
        return [ctypes.c_uint32.from_address(tensor.data_ptr() + at) for at in (0, size // 8 * 4, size // 4 * 4 - 4)]
    return [ctypes.c_uint8.from_address(tensor.data_ptr())] if size else []
