"""Gradients are exchanged in fewer bits, or in fewer numbers."""

from __future__ import annotations

import functools
import importlib
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "ddp-compress"
CLASS = "numerics"
RANKS = True
TEXT = {
    "en": (
        "Gradients are compressed for their exchange",
        "bf16 and fp16 round what is exchanged to 8 and 11 bits of mantissa. PowerSGD exchanges two thin factors of each "
        "matrix, and adds what that leaves out to the next step's gradient.",
    ),
    "zh": (
        "压缩后再交换梯度",
        "bf16 与 fp16 把交换的数舍入到 8 位与 11 位尾数。PowerSGD 只交换每个矩阵的两个低秩因子，遗漏的部分加到下一步的梯度中。",
    ),
}
HALVES = {"bf16": "bfloat16", "fp16": "float16"}
POWER = "powersgd-"
"""And the rank of the factors."""
RANK = 4
LEFT = 0.3
"""Of the exchange, with PowerSGD: its latency, and what is too small for factors (Vogels et al., 2019)."""
BEGIN = 10
"""Steps whose gradients are exchanged whole before: those of the first are the most delicate."""


def candidates(view: View) -> list[Candidate]:
    parallel, spent = estimates.parallel(view), estimates.exchange(view)
    if not parallel or not estimates.all_in(view, "float32"):
        return []
    # Each of the two casts reads in one precision and writes in the other.
    casts = 2 * 1.5 * estimates.exchanged(view) / view.ceilings.bandwidth
    found = [Candidate(value=name, seconds=spent / 2 - casts) for name in HALVES]
    found.append(Candidate(value=f"{POWER}{RANK}", seconds=(1 - LEFT) * spent - 2 * casts))
    return [each for each in found if view.share(each.seconds) >= estimates.WORTH]


def apply(torch: Any, value: str) -> None:
    parallel = exchange.wrapped(torch)
    if parallel is None:
        return
    seen: weakref.WeakSet[Any] = weakref.WeakSet()
    original = parallel.forward

    @functools.wraps(original)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Not when it is made: a hook can be registered only once, and the script may have its own.
        if self not in seen:
            seen.add(self)
            try:
                _register(torch, self, value)
                within.note(NAME, exchange=value)
            except Exception as error:
                within.fault(NAME, error)
        return original(self, *args, **kwargs)

    parallel.forward = forward


def _register(torch: Any, model: Any, value: str) -> None:
    """Raises whatever speaks against it, which is the same on all ranks."""
    group = model.process_group
    held = [p for p in model.parameters() if p.requires_grad]
    if model._comm_hooks:
        raise ValueError("the script exchanges gradients in its own way")
    if any(p.dtype != torch.float32 for p in held):
        raise ValueError("gradients are in fewer bits already")
    if model.mixed_precision is not None or any(getattr(each, "sparse", False) for each in model.modules()):
        raise ValueError("gradients are exchanged in another form")
    if value in HALVES:
        dtype = getattr(torch, HALVES[value])
        # A backend that does not know the precision says so here, before anything is exchanged.
        torch.distributed.all_reduce(torch.ones(1, dtype=dtype, device=held[0].device), group=group)
        # As torch's own, which refuses bfloat16 where it does not know the backend to have it.
        model.register_comm_hook(group, lambda group, bucket: _halved(torch, dtype, group, bucket.buffer()))
    else:
        power = importlib.import_module("torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook")
        factors = int(value.removeprefix(POWER))
        state = power.PowerSGDState(group, matrix_approximation_rank=factors, start_powerSGD_iter=BEGIN)
        model.register_comm_hook(state, power.powerSGD_hook)


def _halved(torch: Any, dtype: Any, group: Any, gradients: Any) -> Any:
    """The future of a bucket's mean over the ranks. Divided first, as sums may be too large for float16."""
    sent = gradients.to(dtype).div_(torch.distributed.get_world_size(group))
    exchanged = torch.distributed.all_reduce(sent, group=group, async_op=True).get_future()
    return exchanged.then(lambda done: gradients.copy_(done.value()[0]))


def by_hand(value: str) -> str:
    if value in HALVES:
        return (
            "def halve(state, bucket):\n"
            f"    sent = bucket.buffer().to(torch.{HALVES[value]}).div_(torch.distributed.get_world_size())\n"
            "    exchanged = torch.distributed.all_reduce(sent, async_op=True).get_future()\n"
            "    return exchanged.then(lambda done: bucket.buffer().copy_(done.value()[0]))\n"
            "model.register_comm_hook(None, halve)"
        )
    return (
        "from torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook import PowerSGDState, powerSGD_hook\n"
        f"state = PowerSGDState(None, matrix_approximation_rank={value.removeprefix(POWER)}, start_powerSGD_iter={BEGIN})\n"
        "model.register_comm_hook(state, powerSGD_hook)"
    )
