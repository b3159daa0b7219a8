"""Numbers of small tensors in a job without numbers: indices, counts, conditions. They are computed beside their shapes,
so that what the script reads of them is what it would be. Of large tensors it is known where they are the same throughout:
the answers of `finite.py`."""

from collections.abc import Iterator
from typing import Any

from .finite import Finite

MOST, MOST_FLOATS = 4096, 16
"""Elements: larger tensors are data or weights."""
_NAME = "_narrows_value"
_STALE, _ONE = "_narrows_stale", "_narrows_one"
"""Marks of a storage of numbers, which all views of them share: an op that had no numbers has changed it; and one element
stands for all."""


class Values:
    def __init__(self, torch: Any, kind: Any) -> None:
        from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
            _disable_current_modes,
        )

        self.torch, self.kind, self.off = torch, kind, _disable_current_modes
        self.finite = Finite(torch, self)

    def get(self, tensor: Any) -> Any:
        """The tensor with its numbers; None if they are not known."""
        found = getattr(tensor, _NAME, None) if isinstance(tensor, self.kind) else tensor
        if found is None or found.layout is not self.torch.strided or hasattr(found.untyped_storage(), _STALE):
            return None
        return found

    def set(self, fake: Any, value: Any) -> None:
        setattr(fake, _NAME, value)

    def known(self, func: Any, args: Any, kwargs: Any) -> Any:
        with self.off(), self.torch.no_grad():
            return func(*args, **kwargs)

    def made(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What the op makes of numbers; None where not all of them are known, or where it cannot be run so."""
        try:
            return self.known(func, self._real(args), self._real(kwargs))
        except Exception:
            return None

    def follow(self, func: Any, args: Any, kwargs: Any, made: Any) -> None:
        """Run the op with numbers too, where all that it is given has them and what it makes is small. What it changes in
        place has changed so; where it cannot be run so, numbers that it would have changed are forgotten."""
        outputs = list(self._tensors(made))
        changed = list(self._changed(func, args, kwargs)) if func._schema.is_mutable else []
        if self.finite.keeps(func):
            changed = [tensor for tensor in changed if tensor is not args[1]]
        try:
            for output, value in zip(outputs, self._numbers(func, args, kwargs, outputs, changed), strict=True):
                if isinstance(output, self.kind):
                    self.set(output, value)
        except Exception:
            for tensor in changed:
                value = self.get(tensor)
                if value is not None:
                    setattr(value.untyped_storage(), _STALE, True)

    def _numbers(self, func: Any, args: Any, kwargs: Any, outputs: list[Any], changed: list[Any]) -> list[Any]:
        """Of each output. Raises where they cannot be told."""
        if any(hasattr(value.untyped_storage(), _ONE) for value in map(self.get, changed) if value is not None):
            raise LookupError
        try:
            if all(map(self._small, outputs)):
                return list(self._tensors(self.known(func, self._real(args), self._real(kwargs))))
        except LookupError:
            pass
        (output,) = outputs
        one = self.finite.answer(func, args)
        if one is None:
            if output.dtype is not self.torch.bool or changed or self.torch.Tag.pointwise not in func.tags:
                raise LookupError
            one = self.known(func, self._real(args, one=True), self._real(kwargs, one=True))
        return [self._throughout(one, output)]

    def _throughout(self, one: Any, output: Any) -> Any:
        """One number for all of a tensor."""
        value = self.known(one.expand, (output.shape,), {})
        if self._small(output):
            return self.known(value.clone, (), {"memory_format": self.torch.contiguous_format})
        setattr(value.untyped_storage(), _ONE, True)
        return value

    def _small(self, value: Any) -> bool:
        many = MOST_FLOATS if value.dtype.is_floating_point or value.dtype.is_complex else MOST
        return bool(value.layout is self.torch.strided and value.numel() <= many)

    def _tensors(self, value: Any) -> Iterator[Any]:
        """Those that an op made, or is given at one place."""
        if isinstance(value, self.torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (each for each in value if isinstance(each, self.torch.Tensor))

    def _changed(self, func: Any, args: Any, kwargs: Any) -> Iterator[Any]:
        """Tensors that an op changes in place, by what its schema says."""
        for at, argument in enumerate(func._schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                yield from self._tensors(args[at] if at < len(args) else kwargs.get(argument.name))

    def _real(self, value: Any, one: bool = False) -> Any:
        """With numbers in place of tensors without. `one`: each tensor must be the same throughout, and is one number."""
        if isinstance(value, self.torch.Tensor):
            found = self.get(value)
            if found is None or (found is value and not self._small(value)):
                raise LookupError
            if not one:
                return found
            if any(step for step, size in zip(found.stride(), found.shape, strict=True) if size > 1):
                raise LookupError
            return self.known(found.as_strided, ((), ()), {"storage_offset": found.storage_offset()})
        if isinstance(value, (list, tuple)):
            return type(value)(self._real(each, one) for each in value)
        if isinstance(value, dict):
            return {key: self._real(item, one) for key, item in value.items()}
        return value
