"""What the model keeps for its backward pass waits in the host's memory, and not in the device's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "activation-offload"
CLASS = "memory"
ROOM = (True,)
TEXT = {
    "en": (
        "What is kept for the backward pass waits in pinned memory of the host",
        "Nothing but time: each such tensor is copied to the host and back. Pinned memory cannot be swapped.",
    ),
    "zh": ("为反向传播保存的张量存放在主机锁页内存", "只影响时间：每个张量往返拷贝一次。锁页内存不能换出。"),
}


def candidates(view: View) -> list[Candidate]:
    if not estimates.trains(view) or not view.process.cuda or not estimates.passing(view):
        return []
    memory = view.process.last("memory")
    held = sum(memory.get(part) or 0 for part in ("parameters", "gradients", "optimizer"))
    rate = (view.ceilings.host_to_device or {}).get("pinned")
    there_and_back = 2 * ((memory.get("device_peak") or 0) - held) / rate if rate else 0.0
    return [Candidate(value=True, seconds=-there_and_back)]


def possible(process: Process) -> bool:
    return process.cuda


def apply(torch: Any, value: bool) -> None:
    noted: list[bool] = []

    def make(call: Any, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        first = next(module.parameters(), None)
        if first is None or not first.is_cuda or within.infers(torch, module):
            return call(module, *args, **kwargs)
        if not noted:
            noted.append(True)
            within.note(NAME, model=type(module).__name__)
        with torch.autograd.graph.save_on_cpu(pin_memory=True):
            return call(module, *args, **kwargs)

    within.through(torch, make)


def by_hand(value: bool) -> str:
    return "with torch.autograd.graph.save_on_cpu(pin_memory=True):\n    output = model(x)"
