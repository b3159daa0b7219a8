"""Batches come in pinned memory, and are copied to the device while the host goes on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "pin-memory"
CLASS = "exact"
TEXT = {
    "en": (
        "Batches are pinned, and copied to the device without waiting",
        "Nothing, unless the script writes into a batch on the host after it has sent it. Pinned memory cannot be swapped.",
    ),
    "zh": ("批数据锁页，并异步拷贝到设备", "结果不变，除非脚本在发送之后又改写主机上的批。锁页内存不能换出。"),
}


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    if not view.process.cuda or not loader or loader.get("pin_memory"):
        return []
    saved = view.seconds("transfer")
    rates = view.ceilings.host_to_device or {}
    if rates.get("pinned") and rates.get("pageable"):
        saved *= max(0.0, 1 - rates["pageable"] / rates["pinned"])
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    if not torch.backends.cuda.is_built():
        return

    def change(loader: Any, given: dict[str, Any]) -> None:
        if not given["pin_memory"] and torch.cuda.device_count():
            given.update(pin_memory=True)
            within.note(NAME, workers=given["num_workers"])

    within.arguments(NAME, torch.utils.data.DataLoader, change)
    tensor = torch.Tensor
    for name in ("to", "cuda"):
        setattr(tensor, name, _without_waiting(getattr(tensor, name)))


def _without_waiting(original: Any) -> Any:
    """Copies from pinned memory to a device: what comes after them on the device waits for them by itself. Copies to
    the host must be waited for, since the script reads what they wrote."""

    @functools.wraps(original)
    def copy(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.is_cpu and "non_blocking" not in kwargs and self.is_pinned():
            try:
                return original(self, *args, non_blocking=True, **kwargs)
            except TypeError:  # given by position
                pass
        return original(self, *args, **kwargs)

    return copy


def by_hand(value: bool) -> str:
    return "DataLoader(..., pin_memory=True)\nbatch = batch.to(device, non_blocking=True)"
