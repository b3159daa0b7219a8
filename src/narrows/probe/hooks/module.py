"""Outermost model calls: `torch.nn.Module.__call__`.

Inner calls are the hot path (a step may have hundreds), so for them the replacement does exactly what torch's own
wrapper does, plus one test of a global.
"""

import weakref
from _thread import get_ident
from typing import Any

from .. import inputs, job, outputs, places, state

inside = False
_known: dict[int, tuple[Any, int]] = {}
models: list[Any] = []
"""Weak references to the models seen, in order: their index is the `who` of a model call."""
NOT_A_MODEL = -1


def install(torch: Any) -> None:
    module = torch.nn.Module
    original = module.__call__
    grad_enabled = torch.is_grad_enabled
    loss_class = torch.nn.modules.loss._Loss
    compiling = torch.compiler.is_compiling
    same_as_known = getattr(original, "__code__", None) is not None and original.__code__.co_names == (
        "_compiled_call_impl",
        "_call_impl",
    )

    if job.settings.get("curve"):
        outputs.start()
    samples = 0
    told: list[object] = []

    def outermost(self: Any, args: Any, kwargs: Any) -> Any:
        global inside
        known = _known.get(id(self))  # an entry goes when its module does, so an id is never somebody else's
        who = _introduce(self, loss_class) if known is None else known[1]
        at = state.now_in
        if who == NOT_A_MODEL or at not in _STARTS or get_ident() != state.thread:
            return original(self, *args, **kwargs)
        nonlocal samples
        spool = job.spool
        gradients = grad_enabled()
        if places.learning:
            places.learn("model")
        inside = True
        evaluates = job.updates and not gradients
        if evaluates and not told:
            told.append(places.here())
            job.spool.event("evaluation", where=told[0])
        state.enter(state.EVALUATE if evaluates else state.FORWARD)
        try:
            output = original(self, *args, **kwargs)
            if outputs.wanted and not job.updates:
                outputs.note(output)
            return output
        finally:
            state.leave(at if evaluates else state.LOSS)  # what follows an evaluation is no loss
            inside = False
            job.forwards += 1
            if not spool.records & 15 or spool.records < 64:
                samples = _batch_size(args, kwargs)
            if inputs.wanted and gradients:
                inputs.note(args, kwargs)
            job.samples += samples
            if gradients:
                job.flags |= job.GRADIENTS
            if self.training:
                job.flags |= job.TRAINING
            if look is not None:
                look(self, args, kwargs)
            if not job.updates:
                job.boundary(job.CALL, who)

    if same_as_known:

        def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
            if inside or compiling():
                if self._compiled_call_impl is not None:
                    return self._compiled_call_impl(*args, **kwargs)
                return self._call_impl(*args, **kwargs)
            return outermost(self, args, kwargs)
    else:

        def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
            if inside or compiling():
                return original(self, *args, **kwargs)
            return outermost(self, args, kwargs)

    __call__.__qualname__, __call__.__name__, __call__.__module__ = (
        original.__qualname__,
        original.__name__,
        original.__module__,
    )
    module.__call__ = __call__


look: Any = None
"""Set by a window that wants to see the arguments of the outermost call."""

_STARTS = frozenset((*state.GAPS, state.OPTIMIZER))


def _introduce(module: Any, loss_class: type) -> int:
    """Give a module its number, or NOT_A_MODEL to a loss, a metric or a transform: it has no parameters."""
    who = NOT_A_MODEL
    try:
        if not isinstance(module, loss_class):
            parameters = list(module.parameters())
            if parameters:
                who = len(models)
                models.append(weakref.ref(module))
                job.spool.event("model", who=who, **_describe(module, parameters))
        key = id(module)
        _known[key] = (weakref.ref(module, lambda _: _known.pop(key, None)), who)
    except Exception as error:
        job.quiet(error)
    return who


def _describe(module: Any, parameters: list[Any]) -> dict[str, Any]:
    inner = module
    while type(inner).__name__ in ("DistributedDataParallel", "OptimizedModule", "DataParallel"):
        inner = getattr(inner, "module", None) or getattr(inner, "_orig_mod", inner)
        if inner is None:
            break
    dtypes: dict[str, int] = {}
    for parameter in parameters:
        name = str(parameter.dtype).removeprefix("torch.")
        dtypes[name] = dtypes.get(name, 0) + parameter.numel()
    return {
        "class": type(module).__name__,
        "inner": type(inner).__name__,
        "parameters": sum(dtypes.values()),
        "bytes": sum(p.numel() * p.element_size() for p in parameters),
        "dtypes": dtypes,
        "compiled": type(module).__name__ == "OptimizedModule" or module._compiled_call_impl is not None,
        "data_parallel": type(module).__name__ == "DataParallel",
        "devices": len(module.device_ids) if type(module).__name__ == "DataParallel" else None,
        "device": parameters[0].device.type,
        "where": places.here(),
    }


def _batch_size(args: Any, kwargs: Any) -> int:
    try:
        return int(shape(args, kwargs)[0])
    except Exception:
        return 0


def shape(args: Any, kwargs: Any) -> Any:
    """Of the first tensor (a list or dict of tensors counts as its first). Raises where there is none."""
    value = args[0] if args else next(iter(kwargs.values()))
    while not hasattr(value, "shape"):
        value = next(iter(value.values())) if hasattr(value, "values") else value[0]
    return value.shape
