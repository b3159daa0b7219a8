"""Most of the step is the cost of getting ops to run, since there are many and each does little."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Many small ops",
        "{calls:.0f} ops in a step of {step:.2f} ms; getting them to run takes {ms:.2f} ms, {each:.0f} µs each.",
        "Make each op do more: a larger batch, torch.compile, or fused versions of the layers.",
    ),
    "zh": (
        "大量小算子",
        "一步 {step:.2f} 毫秒里有 {calls:.0f} 个算子；调度它们要 {ms:.2f} 毫秒，每个 {each:.0f} 微秒。",
        "让每个算子做更多：更大的批、torch.compile，或融合的层。",
    ),
}

KERAS: Text = {
    "en": (
        TEXT["en"][0],
        TEXT["en"][1],
        "Make each call do more: larger batches, jit_compile=True, or several steps in a call"
        " (compile(steps_per_execution=...)).",
    ),
    "zh": (
        TEXT["zh"][0],
        TEXT["zh"][1],
        "让每次调用做更多：更大的批、jit_compile=True，或一次调用执行多步（compile(steps_per_execution=...)）。",
    ),
}

SLOWEST = 200e-6
"""Seconds. An op takes 2 microseconds to dispatch, and some tens with autograd and Python around it, out of the caches. What
takes longer is held up by something else: threads that wait for a core."""


def find(view: View) -> Iterator[Finding]:
    torch = view.framework == "torch"
    # What Keras' own Python takes is no op's, and has findings of its own.
    spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state != "trainer")
    calls = sum(k.calls for k in view.kernels if k.state != "next")
    if view.share(spent) > 0.25 and calls >= 20 and spent / calls < SLOWEST:
        yield view.finding(
            "many-small-ops",
            TEXT if torch else KERAS,
            cause="overhead",
            seconds=spent,
            remedies=["compile", "larger-batch"] if torch else ["keras-jit", "keras-steps-per-execution"],
            calls=calls,
            step=1e3 * view.step,
            ms=1e3 * spent,
            each=1e6 * spent / calls,
        )
