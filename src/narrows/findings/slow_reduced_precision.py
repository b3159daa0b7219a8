"""Reduced precision that this machine runs slower than full precision."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Reduced precision is slow on this machine",
        "{part:.0%} of the step is in {dtype}, which this machine does {times:.1f} times slower than float32.",
        "Use float32 here, or bfloat16 if its ceiling is higher (narrows ceiling).",
    ),
    "zh": (
        "低精度在这台机器上更慢",
        "一步中有 {part:.0%} 是 {dtype}，这台机器上它比 float32 慢 {times:.1f} 倍。",
        "在这里使用 float32；如果 bfloat16 的上限更高（narrows ceiling），用 bfloat16。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    rates = view.ceilings.flops
    for dtype in ("float16", "bfloat16"):
        spent = sum(k.seconds for k in view.kernels if k.dtype == dtype and k.bound == "compute")
        rate, full = rates.get(dtype, 0.0), rates.get("float32", 0.0)
        if rate and full > 1.1 * rate and view.share(spent) > 0.05:
            yield view.finding(
                "slow-reduced-precision",
                TEXT,
                cause="compute",
                seconds=spent * (1 - rate / full),
                remedies=["float32"],
                basis="modelled",
                dtype=dtype,
                part=view.share(spent),
                times=full / rate,
            )
