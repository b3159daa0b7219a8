"""No rank is the slowest, and yet all wait: in each step for another one."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Ranks wait for each other in turn",
        "{ms:.2f} ms of each step goes to waiting for whichever rank is the slowest in it; the one that is so most often, "
        "rank {rank}, is it in {often:.0%} of the steps.",
        "Give all ranks the same amount of work in each step (batches of like lengths, or of so many tokens), look for work "
        "that comes in bursts, or exchange less often (gradient accumulation).",
    ),
    "zh": (
        "各进程轮流互相等待",
        "每一步有 {ms:.2f} 毫秒在等待这一步里最慢的进程；最常成为最慢的是进程 {rank}，占 {often:.0%} 的步。",
        "让每一步里各进程的工作量相同（长度相近的批次，或固定的 token 数），查找成批出现的工作，或减少交换次数（梯度累积）。",
    ),
}
SMALLEST = 0.05
"""Share of the step. Ranks that do the same differ by a few percent from step to step, on any machine."""


def find(view: View) -> Iterator[Finding]:
    if view.together is None:
        return
    waiting = view.together.ranks[view.together.critical].waiting
    if view.share(waiting) > SMALLEST:
        most = max(view.together.ranks, key=lambda each: each.slowest)
        yield view.finding(
            "ranks-in-turn",
            TEXT,
            cause="communication",
            seconds=waiting,
            ms=1e3 * waiting,
            rank=most.rank,
            often=most.slowest,
        )
