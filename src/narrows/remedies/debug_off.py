"""Anomaly detection stays off."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "debug-off"
CLASS = "exact"
TEXT = {
    "en": ("Anomaly detection stays off", "A NaN in a gradient no longer stops the job."),
    "zh": ("不启用异常检测", "梯度中出现 NaN 不再使作业停止。"),
}
PART = 0.6
"""Of the overhead, what is anomaly detection's: a stack for each op, a test of each gradient."""


def candidates(view: View) -> list[Candidate]:
    if not any(mode["anomaly"] for mode in view.process.events.get("mode", ())):
        return []
    spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state in ("forward", "loss", "backward"))
    return [Candidate(value=True, seconds=PART * spent)] if view.share(PART * spent) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    """All ways to switch it on end in this one function."""
    original = torch.set_anomaly_enabled
    noted: list[bool] = []

    @functools.wraps(original)
    def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
        if enabled and not noted:
            noted.append(True)
            within.note(NAME)
        original(False, check_nan)

    torch.set_anomaly_enabled = set_anomaly_enabled


def by_hand(value: bool) -> str:
    return "torch.autograd.set_detect_anomaly(False)  # and no detect_anomaly()"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.arguments import argument, instead

    changed = argument(source, "torch.autograd.set_detect_anomaly", "False")
    changed = changed and argument(changed, "torch.set_anomaly_enabled", "False")
    return changed and instead(changed, "torch.autograd.detect_anomaly", "set_detect_anomaly", "False")
