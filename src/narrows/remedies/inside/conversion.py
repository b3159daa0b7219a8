"""Models that compute in another dtype, while all that is around them stays as the script made it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from . import nested, within
from .living import Living


def compute_in(
    torch: Any, remedy: str, came: Any, goes: Any, *, wanted: Callable[[Any], bool], default: bool = False
) -> None:
    """Convert each outermost model whose floating parameters are all `came`, at its first call, to `goes`.

    Tensors of dtype `came` that it is given are cast, and so are its answers, back: the loss, the targets and the
    script's own arithmetic do not change. The same goes for each part of it that has numbers, which a script may call
    by itself. With `default`, it goes for the tensors that a forward makes, too. If the first call fails, the model gets
    its parameters back, and the call is made as it would have been. Once it is not `wanted` any more, it is `came` again.
    """
    roots: Any = weakref.WeakSet()
    mark = f"_narrows_{remedy}"
    """An attribute of what was converted, and of its parts that have numbers: a copy of one has it, too."""
    seen: Any = weakref.WeakSet()
    optimizers = Living(torch.optim.Optimizer)

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

    def back(module: Any) -> None:
        """With all of each root that it has a part in common with."""
        mine = set(module.modules())
        for root in [module, *(each for each in roots if not mine.isdisjoint(each.modules()))]:
            roots.discard(root)
            for part in root.modules():
                if vars(part).pop(mark, False):
                    _cast(part, goes, came)
                    _cast_state(torch, optimizers.of(torch.optim.Optimizer), part, goes, came)

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if mark in vars(module):
            if wanted(module):
                return call_converted(call, module, args, kwargs)
            within.fault(remedy, RuntimeError("the model learns after all: it goes on from rounded weights"))
            back(module)
        if module in seen:
            return call(module, *args, **kwargs)
        back(module)  # parts of it that were called before it was
        # None of its parts will be converted without the others.
        seen.update(module.modules())
        if not _is_in(torch, module, came) or not wanted(module):
            return call(module, *args, **kwargs)
        parameters = [(p, p.data, p.grad, p.grad.data if p.grad is not None else None) for p in module.parameters()]
        buffers = [(m, n, b) for m in module.modules() for n, b in m.named_buffers(recurse=False)]
        try:
            _cast(module, came, goes)
            output = call_converted(call, module, args, kwargs)
        except Exception as error:
            within.fault(remedy, error)
            for parameter, data, gradient, held in parameters:
                parameter.grad = None
                parameter.data = data
                if gradient is not None:
                    gradient.data = held
                    parameter.grad = gradient
            for owner, name, buffer in buffers:
                setattr(owner, name, buffer)
            return call(module, *args, **kwargs)
        _cast_state(torch, optimizers.of(torch.optim.Optimizer), module, came, goes)
        roots.add(module)
        for part in module.modules():
            if part is module or _has_numbers(part):
                vars(part)[mark] = True
        within.note(remedy, model=type(module).__name__, parameters=len(parameters))
        return output

    within.through(torch, make)


def _is_in(torch: Any, module: Any, dtype: Any) -> bool:
    # A parallel wrapper has buckets for gradients of the dtype that it found.
    floating = [p for p in module.parameters() if p.is_floating_point()]
    parallel = isinstance(module, torch.nn.parallel.DistributedDataParallel)
    return bool(floating) and not parallel and all(p.dtype is dtype for p in floating)


def _has_numbers(module: Any) -> bool:
    """A part without any, such as a loss, takes what it is given in whatever dtype that has."""
    return any(t.is_floating_point() for held in (module.parameters(), module.buffers()) for t in held)


def _cast(module: Any, came: Any, goes: Any) -> None:
    """What is in another dtype than `came` stays in it."""
    module._apply(lambda held: held.to(goes) if held.dtype is came else held)


def _cast_state(torch: Any, optimizers: list[Any], module: Any, came: Any, goes: Any) -> None:
    """What an optimizer has kept of the parameters: loaded from a checkpoint, or made before their model was called."""
    for optimizer in optimizers:
        for parameter in module.parameters():
            state = optimizer.state.get(parameter)
            for name, value in list(state.items()) if isinstance(state, dict) else ():
                if name != "step":  # a count, in a dtype of its own
                    state[name] = nested.cast(torch, value, came, goes)
