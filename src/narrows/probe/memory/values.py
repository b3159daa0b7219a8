"""Numbers of small tensors in a job without numbers: indices, counts, conditions. They are computed beside their shapes,
so that what the script reads of them is what it would be."""

from typing import Any

MOST, MOST_FLOATS = 4096, 16
"""Elements: larger tensors are data or weights."""
_NAME = "_narrows_value"


class Values:
    def __init__(self, torch: Any, kind: Any) -> None:
        from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
            _disable_current_modes,
        )

        self.torch, self.kind, self.off = torch, kind, _disable_current_modes

    def get(self, fake: Any) -> Any:
        """The tensor with its numbers; None if they are not known."""
        return getattr(fake, _NAME, None)

    def known(self, func: Any, args: Any, kwargs: Any) -> Any:
        with self.off(), self.torch.no_grad():
            return func(*args, **kwargs)

    def follow(self, func: Any, args: Any, kwargs: Any, made: Any) -> None:
        """Run the op with numbers too, where all that it is given has them and what it makes is small. What it changes in
        place has changed so; where it cannot be run so, numbers that it would have changed are forgotten."""
        tensor = self.torch.Tensor
        outputs = [made] if isinstance(made, tensor) else [m for m in made if isinstance(m, tensor)] if isinstance(
            made, (list, tuple)) else []  # fmt: skip
        try:
            if not all(map(self._small, outputs)):
                raise LookupError
            real = self.known(func, self._real(args), self._real(kwargs))
            for output, value in zip(outputs, [real] if isinstance(real, tensor) else real, strict=True):
                if isinstance(output, self.kind):
                    setattr(output, _NAME, value)
        except Exception:
            for output in outputs:
                if self.get(output) is not None:
                    setattr(output, _NAME, None)

    def _small(self, value: Any) -> bool:
        many = MOST_FLOATS if value.dtype.is_floating_point or value.dtype.is_complex else MOST
        return bool(value.layout is self.torch.strided and value.numel() <= many)

    def _real(self, value: Any) -> Any:
        if isinstance(value, self.kind):
            found = self.get(value)
            if found is None:
                raise LookupError
            return found
        if isinstance(value, self.torch.Tensor):
            if not self._small(value):
                raise LookupError
            return value
        if isinstance(value, (list, tuple)):
            return type(value)(map(self._real, value))
        if isinstance(value, dict):
            return {key: self._real(item) for key, item in value.items()}
        return value
