"""The optimizer updates one parameter after the other."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The optimizer loops over the parameters",
        "{name} runs {calls:.0f} ops for {tensors} parameters; {ms:.2f} ms of the update is not arithmetic.",
        "Pass fused=True (or foreach=True) to the optimizer.",
    ),
    "zh": (
        "优化器逐个参数更新",
        "{name} 为 {tensors} 个参数运行了 {calls:.0f} 个算子；更新中有 {ms:.2f} 毫秒不是算术。",
        "给优化器传 fused=True（或 foreach=True）。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    optimizers = view.process.events.get("optimizer", ())
    tensors = sum(o["tensors"] for o in optimizers)
    calls = sum(k.calls for k in view.kernels if k.state == "optimizer" and k.cost.kind != "view")
    spent = sum(e.seconds for e in view.entries if e.state == "optimizer" and e.cause == "overhead")
    if view.framework != "torch":  # Keras' optimizers have no other way, and compiling is another finding's
        return
    if tensors >= 4 and calls > 2 * tensors and view.share(spent) > 0.05:
        slow = max(optimizers, key=lambda o: o["tensors"])
        yield view.finding(
            "optimizer-loop",
            TEXT,
            cause="overhead",
            seconds=spent,
            where=view.at(slow["where"]),
            remedies=["fused-optimizer"],
            name=slow["class"],
            calls=calls,
            tensors=tensors,
            ms=1e3 * spent,
        )
