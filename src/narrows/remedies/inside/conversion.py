"""Models that compute in another dtype, while all that is around them stays as the script made it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from . import nested, within


def compute_in(
    torch: Any, remedy: str, came: Any, goes: Any, *, wanted: Callable[[Any], bool], default: bool = False
) -> None:
    """Convert each outermost model whose floating parameters are all `came`, at its first call, to `goes`.

    Tensors of dtype `came` that it is given are cast, and so are its answers, back: the loss, the targets and the
    script's own arithmetic do not change. With `default`, the same goes for the tensors that a forward makes. If that
    call fails, the model gets its parameters back, and the call is made as it would have been.
    """
    converted: Any = weakref.WeakSet()
    seen: Any = weakref.WeakSet()

    def call_converted(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        args, kwargs = nested.cast(torch, args, came, goes), nested.cast(torch, kwargs, came, goes)
        before = torch.get_default_dtype()
        if default and before is came:
            torch.set_default_dtype(goes)
        try:
            output = call(module, *args, **kwargs)
        finally:
            if default and before is came:
                torch.set_default_dtype(before)
        return nested.cast(torch, output, goes, came)

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if module in converted:
            return call_converted(call, module, args, kwargs)
        if module in seen:
            return call(module, *args, **kwargs)
        seen.add(module)
        if not _is_in(torch, module, came) or not wanted(module):
            return call(module, *args, **kwargs)
        parameters = [(p, p.data) for p in module.parameters()]
        buffers = [(m, n, b) for m in module.modules() for n, b in m.named_buffers(recurse=False)]
        try:
            module.to(goes)
            output = call_converted(call, module, args, kwargs)
        except Exception as error:
            within.fault(remedy, error)
            for parameter, data in parameters:
                parameter.data = data
            for owner, name, buffer in buffers:
                setattr(owner, name, buffer)
            return call(module, *args, **kwargs)
        converted.add(module)
        within.note(remedy, model=type(module).__name__, parameters=len(parameters))
        return output

    within.through(torch, make)


def _is_in(torch: Any, module: Any, dtype: Any) -> bool:
    # A parallel wrapper has buckets for gradients of the dtype that it found.
    floating = [p for p in module.parameters() if p.is_floating_point()]
    parallel = isinstance(module, torch.nn.parallel.DistributedDataParallel)
    return bool(floating) and not parallel and all(p.dtype is dtype for p in floating)
