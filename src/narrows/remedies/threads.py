"""Ops run on another number of threads."""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "threads"
CLASS = "exact"
TEXT = {
    "en": ("Ops run on another number of threads", "Rounding: sums are split into other parts."),
    "zh": ("算子改用另一个线程数运行", "舍入：求和的切分方式不同。"),
}
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
START = 4e-6
"""Seconds in which an op wakes its threads and waits for the last of them."""
PARALLEL = 0.8
"""Of an op's work, what more threads share."""
SHARED = 1 << 17
"""Bytes: torch does not split what is smaller."""
ONCE = r"set_num_threads"


def candidates(view: View) -> list[Candidate]:
    if view.process.cuda:
        return []
    from narrows.findings import oversubscription

    used = in_use(view)
    share = max(1, view.cores // estimates.local_ranks(view))
    now, known = seconds(view, used), oversubscription.measured(view)
    found = []
    for wanted in sorted({1, share} - {used}):
        saved = sum(known.values()) if known is not None and wanted == share else now - seconds(view, wanted)
        if view.share(saved) >= 0.02:
            found.append(Candidate(value=wanted, seconds=saved))
    return found


def beyond(value: int) -> list[int]:
    return [other for other in (value // 2, 2 * value) if 1 <= other <= (os.cpu_count() or 1)]


def in_use(view: View) -> int:
    return int(view.process.last("torch").get("threads") or 1)


def seconds(view: View, threads: int) -> float:
    """What the step's ops take on so many threads, as far as that depends on them."""
    used = in_use(view)
    makers = [w.last("fetches") for w in view.workers]
    busy: float = sum(m["cpu_ns"] / max(1, m["until"] - m["since"]) for m in makers if "until" in m)
    # The other ranks have as many workers of their own.
    free = max(1.0, view.cores / estimates.local_ranks(view) - busy)

    def share(count: int) -> float:
        """Of the time on one thread."""
        at_once = min(count, free)
        # Too many threads wait for each other's turn on a core.
        return (1 - PARALLEL + PARALLEL / at_once) * (1 + 0.5 * (1 - at_once / count))

    shared = [k for k in view.kernels if k.calls and (k.flops > k.bytes or k.bytes / k.calls > SHARED)]
    work = sum(k.seconds for k in shared) / share(used) * share(threads)
    return work + (sum(k.calls for k in shared) * START if threads > 1 else 0.0)


def apply(torch: Any, value: int) -> None:
    """The script's own calls are overruled; those of threads and worker processes that have their own number are not."""
    original = torch.set_num_threads
    process = os.getpid()

    @functools.wraps(original)
    def set_num_threads(number: int) -> None:
        mine = os.getpid() == process and threading.current_thread() is threading.main_thread() and not _child()
        original(value if mine else number)

    before = torch.get_num_threads()
    original(value)
    torch.set_num_threads = set_num_threads
    within.note(NAME, before=before, threads=value)


def _child() -> bool:
    """Whether multiprocessing has started this process: a loader's worker that was spawned."""
    import multiprocessing

    return multiprocessing.parent_process() is not None


def environment(value: int) -> dict[str, str]:
    return dict.fromkeys(VARIABLES, str(value))


def by_hand(value: int) -> str:
    return f"torch.set_num_threads({value})  # and OMP_NUM_THREADS={value}"


def edit(source: str, value: int) -> str | None:
    from narrows.edits.arguments import argument
    from narrows.edits.setting import plain, setting

    if not plain(source, ONCE):
        return None
    changed = argument(source, "torch.set_num_threads", str(value))
    return setting(source, "torch", f"torch.set_num_threads({value})", ONCE) if changed == source else changed
