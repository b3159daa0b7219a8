"""A job whose tensors have shapes and no numbers: a model larger than the machine can be looked at so.

The script runs as it is, under torch's FakeTensorMode. Its data are real for as long as the loader makes them. Where
the script asks for a number that nobody knows, it is given one (1, or False), and where a shape depends on numbers, the
largest that it could be. What comes of that is compared with a real run wherever there is one.
"""

import weakref
from typing import Any

from . import feeding, reading, shapes
from .values import Values

_READS = ("aten::_local_scalar_dense", "aten::item")


class Fake:
    def __init__(self, torch: Any) -> None:
        from torch._subclasses.fake_tensor import (  # type: ignore[import-not-found,unused-ignore]
            DataDependentOutputException,
            DynamicOutputShapeException,
            FakeTensor,
            FakeTensorMode,
        )

        self.torch, self.kind = torch, FakeTensor
        self.unknown, self.shapeless = DataDependentOutputException, DynamicOutputShapeException
        self.mode = FakeTensorMode(allow_non_fake_inputs=True)
        self.kept: dict[int, Any] = {}
        """Fake tensors that stand for real ones, for as long as those are there."""
        self.references: dict[int, Any] = {}
        self.largest = shapes.largest(torch)
        self.values = Values(torch, FakeTensor)
        self.workspace = shapes.Workspace(torch, self.values)

    def start(self) -> None:
        self.mode.__enter__()
        reading.install(self.torch, self.kind, self.values)
        reading.moving(self.torch)
        feeding.install(self.torch, self.kind)
        self.torch.save = lambda *args, **kwargs: None
        self.torch.distributions.Distribution.set_default_validate_args(False)

    def of(self, value: Any) -> Any:
        """The fake tensor that stands for a real one."""
        if isinstance(value, self.kind):
            return value
        made = self.mode.fake_tensor_converter.from_real_tensor(self.mode, value)
        storage = value.untyped_storage()
        address = storage._cdata
        if address not in self.kept:
            self.kept[address] = made
            self.references[address] = weakref.ref(storage, lambda _: self._gone(address))
        return made

    def _gone(self, address: int) -> None:
        self.kept.pop(address, None)
        self.references.pop(address, None)

    def call(self, func: Any, args: Any, kwargs: Any) -> Any:
        if func.name() in _READS:
            value = self.values.get(args[0])
            return reading.number(args[0].dtype) if value is None else self.values.known(func, (value,), {})
        try:
            made = func(*args, **kwargs)
        except self.shapeless:
            make = self.largest.get(func)
            if make is None:
                raise
            made = make(*args, **kwargs)
        if self.workspace.is_for(func):
            made = self.workspace.added(args, kwargs, made)
        self.values.follow(func, args, kwargs, made)
        return made
