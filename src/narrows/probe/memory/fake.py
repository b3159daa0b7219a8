"""A job whose tensors have shapes and no numbers: a model larger than the machine can be looked at so.

The script runs as it is, under torch's FakeTensorMode. Its data are real for as long as the loader makes them. Where
the script asks for a number that nobody knows, it is given one (1, or False), and where a shape depends on numbers, the
largest that it could be. What comes of that is compared with a real run wherever there is one.
"""

import weakref
from typing import Any

from . import feeding, packing, reading, saved, shapes
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
        self.values = Values(torch, FakeTensor)
        self.largest = shapes.largest(torch, self.values)
        self.workspace = shapes.Workspace(torch, self.values)

    def start(self) -> None:
        self.mode.__enter__()
        reading.install(self.torch, self.kind, self.values)
        reading.moving(self.torch)
        feeding.install(self.torch, self.kind)
        packing.install(self.torch, self.values)
        saved.install(self.torch, self.kind, self.values)
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
        made = self._made(func, args, kwargs)
        if self.workspace.is_for(func):
            made = self.workspace.added(args, kwargs, made)
        self.values.follow(func, args, kwargs, made)
        return made

    def _made(self, func: Any, args: Any, kwargs: Any) -> Any:
        make = self.largest.get(func)
        if make is not None:
            known = self.values.made(func, args, kwargs)
            return make(*args, **kwargs) if known is None else self._shaped(known)
        try:
            return func(*args, **kwargs)
        except (self.unknown, self.shapeless):
            known = self.values.made(func, args, kwargs)
            if known is not None:
                return self._shaped(known)
            if [str(each.type) for each in func._schema.returns] == ["bool"]:  # whether tensors are equal, or close
                return reading.number(self.torch.bool)
            raise

    def _shaped(self, known: Any) -> Any:
        """Fake tensors of the shapes of these."""
        if isinstance(known, (list, tuple)):
            return type(known)(map(self._shaped, known))
        return self.torch.empty_like(known) if isinstance(known, self.torch.Tensor) else known
