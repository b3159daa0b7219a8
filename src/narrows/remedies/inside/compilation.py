"""torch.compile for outermost models, in place: the module stays the same object, with the same parameter names."""

from __future__ import annotations

import os
import shutil
import weakref
from typing import TYPE_CHECKING, Any

from .. import estimates
from . import within

if TYPE_CHECKING:
    from narrows.findings.view import View

FUSED = ("elementwise", "normalisation", "softmax", "reduction", "copy", "random")
"""Kinds of ops that are compiled into loops, which read and write once for several of them."""
LEFT = 0.4
"""Of the time of what is fused, at least."""
LEFT_OF_OVERHEAD = 0.5
"""Guards are checked at each call, and products are still called one by one."""


def possible(view: View) -> bool:
    """A compiler is there, and the job does not compile already."""
    return (view.process.cuda or _compiler()) and not estimates.compiled(view)


def _compiler() -> bool:
    told = os.environ.get("CXX")
    return any(shutil.which(name) for name in ((told,) if told else ("c++", "g++", "clang++")))


def saving(view: View) -> float:
    """Seconds of a step: as many ops as before, in fewer passes over memory, without Python between them."""
    fused = sum(
        k.seconds
        for k in view.kernels
        if k.state in estimates.MODEL and k.bound == "bandwidth" and k.cost.kind in FUSED
    )
    return (1 - LEFT) * fused + (1 - LEFT_OF_OVERHEAD) * estimates.spent(view, "overhead")


def compile_outermost(torch: Any, remedy: str, device: str = "", **how: Any) -> None:
    """`device`: only models whose parameters are there."""
    framed: Any = weakref.WeakKeyDictionary()

    def change(module: Any, args: Any, kwargs: Any) -> None:
        there = next(module.parameters()).device.type
        if device and there != device:
            return
        if not _compiler() and there == "cpu":
            raise FileNotFoundError("no C++ compiler")
        import torch._dynamo
        import torch._functorch.config
        import torch._inductor.config

        # A forward that cannot be compiled runs as it would have, instead of ending the job.
        torch._dynamo.config.suppress_errors = True
        # So does one whose backward cannot: it is compiled along with it, and not when the job runs backward.
        if hasattr(torch._functorch.config, "force_non_lazy_backward_lowering"):
            torch._functorch.config.force_non_lazy_backward_lowering = True
        # Dropout draws what it would have drawn: it stays an op of its own, and the job learns the same.
        torch._inductor.config.fallback_random = True
        # By default, hooks that are registered or removed after the first call are not noticed.
        torch._dynamo.config.skip_nnmodule_hook_guards = False
        if type(module).__module__.startswith("torch.nn.modules."):
            # torch does not compile code of its own that nobody calls: it gets a caller that can be compiled.
            framed[module] = torch.compile(_caller(module), **how)
        else:
            module.compile(**how)
        within.note(remedy, model=type(module).__name__)

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        compiled = framed.get(module)
        return call(module, *args, **kwargs) if compiled is None else compiled(call, *args, **kwargs)

    within.through(torch, make)
    within.first_call(torch, within.careful(remedy, change))


def _caller(module: Any) -> Any:
    def caller(call: Any, *args: Any, **kwargs: Any) -> Any:
        return call(module, *args, **kwargs)

    return caller
