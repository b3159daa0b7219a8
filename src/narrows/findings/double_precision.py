"""Arithmetic runs in double precision."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Double precision",
        "{part:.0%} of the step is in float64, which this machine does {times:.1f} times slower than float32.",
        "Find where float64 comes in (a NumPy array without dtype, set_default_dtype) and convert to float32.",
    ),
    "zh": (
        "使用了双精度",
        "一步中有 {part:.0%} 是 float64，这台机器上它比 float32 慢 {times:.1f} 倍。",
        "找到 float64 的来源（没有指定 dtype 的 NumPy 数组、set_default_dtype），转成 float32。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    double = sum(k.seconds for k in view.kernels if k.dtype == "float64" and k.state != "next")
    rates = view.ceilings.flops
    if view.share(double) > 0.05 and rates.get("float64"):
        times = max(2.0, rates.get("float32", 0.0) / rates["float64"])
        yield view.finding(
            "double-precision",
            TEXT,
            cause="compute",
            seconds=double * (1 - 1 / times),
            where=view.at(view.process.first("model").get("where")),
            remedies=["float32"],
            basis="modelled",
            part=view.share(double),
            times=times,
        )
