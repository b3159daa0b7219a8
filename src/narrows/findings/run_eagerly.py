"""A step of TensorFlow runs op by op from Python, where one call of a graph could do it."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The step runs op by op",
        "{calls:.0f} ops are called from Python one after the other; getting them to run takes {ms:.2f} ms of each step.",
        "{advice}",
    ),
    "zh": (
        "一步在 Python 里逐个算子执行",
        "{calls:.0f} 个算子从 Python 里逐个调用；调度它们每一步要 {ms:.2f} 毫秒。",
        "{advice}",
    ),
}
ADVICE = {
    "keras": "Leave out run_eagerly=True (and tf.config.run_functions_eagerly): Keras then makes one graph of the step.",
    "tensorflow": "Put the step into one function and decorate it with @tf.function.",
}
IN_GRAPH = 5e-6
"""Seconds: what an op costs in a graph instead, with the executor around it."""
EAGER = ("forward", "backward", "optimizer")
"""States that the clock sees only outside of a graph."""


def find(view: View) -> Iterator[Finding]:
    if view.framework == "torch":
        return
    told = view.process.first("trainer").get("run_eagerly") or view.process.last("tensorflow").get("eager")
    ran = sum(view.steady.seconds[state] for state in EAGER)
    outside = not view.process.first("trainer") and not view.process.last("traced").get("functions")
    if not told and not (outside and view.steps.type == "training" and view.share(ran) > 0.3):
        return
    calls = sum(k.calls for k in view.kernels)
    spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state in (*EAGER, "graph"))
    if view.share(spent) > 0.1:
        yield view.finding(
            "run-eagerly",
            TEXT,
            cause="overhead",
            seconds=max(0.0, spent - calls * IN_GRAPH),
            where=view.at(view.process.first("trainer").get("where")),
            remedies=["keras-graph"] if view.framework == "keras" else [],
            basis="modelled",
            calls=calls,
            ms=1e3 * spent,
            advice=ADVICE[view.framework],
        )
