"""Memory is taken from the kernel and given back to it in each step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.ledger.pages import per_step, seconds
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Memory goes back to the kernel in each step",
        "{pages:,.0f} pages are taken, cleared and given back in a step: about {ms:.2f} ms.",
        "Keep freed memory in the process: MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_MAX_=0, or jemalloc; a fused optimizer "
        "makes fewer temporary tensors.",
    ),
    "zh": (
        "内存每一步都还给内核",
        "每一步取得、清零并归还 {pages:,.0f} 页：约 {ms:.2f} 毫秒。",
        "让释放的内存留在进程里：MALLOC_TRIM_THRESHOLD_ 与 MALLOC_MMAP_MAX_=0，或 jemalloc；融合优化器产生的临时张量更少。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    pages = per_step(view.process, view.steps.per_step)
    threads = view.process.threads or 1
    spent = min(seconds(pages, threads, view.ceilings), view.seconds("bandwidth"))
    if view.share(spent) > 0.05:
        yield view.finding(
            "memory-returned",
            TEXT,
            cause="bandwidth",
            seconds=spent,
            remedies=["malloc", "fused-optimizer"],
            pages=pages,
            ms=1e3 * spent,
        )
