"""torch.compile for outermost models, in place: the module stays the same object, with the same parameter names."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from . import estimates, within

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
    compiler = estimates.cuda(view) or any(shutil.which(name) for name in ("c++", "g++", "clang++"))
    return compiler and not estimates.compiled(view)


def saving(view: View) -> float:
    """Seconds of a step: as many ops as before, in fewer passes over memory, without Python between them."""
    fused = sum(
        k.seconds
        for k in view.kernels
        if k.state in estimates.MODEL and k.bound == "bandwidth" and k.cost.kind in FUSED
    )
    return (1 - LEFT) * fused + (1 - LEFT_OF_OVERHEAD) * estimates.spent(view, "overhead")


def compile_outermost(torch: Any, remedy: str, **how: Any) -> None:
    def change(module: Any, args: Any, kwargs: Any) -> None:
        # A loss has no parameters, and compiles into nothing worth it.
        import torch._dynamo

        # What cannot be compiled runs as it would have, instead of ending the job.
        torch._dynamo.config.suppress_errors = True
        module.compile(**how)
        within.note(remedy, model=type(module).__name__)

    within.first_call(torch, within.careful(remedy, change))
