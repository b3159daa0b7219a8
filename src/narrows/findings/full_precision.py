"""Matrix products in float32, where this machine has a dtype that is faster."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Full precision where a faster dtype is at hand",
        "{part:.0%} of the step is float32 products; this machine does bfloat16 {times:.1f} times as fast.",
        "Try bfloat16 autocast, and compare the loss.",
    ),
    "zh": (
        "有更快的数据类型可用",
        "一步中有 {part:.0%} 是 float32 的矩阵乘和卷积；这台机器上 bfloat16 快 {times:.1f} 倍。",
        "试试 bfloat16 autocast，并比较损失。",
    ),
}


KERAS: Text = {
    "en": (
        TEXT["en"][0],
        TEXT["en"][1],
        "Try keras.mixed_precision.set_global_policy('mixed_bfloat16'), and compare the loss.",
    ),
    "zh": (
        TEXT["zh"][0],
        TEXT["zh"][1],
        "试试 keras.mixed_precision.set_global_policy('mixed_bfloat16')，并比较损失。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    torch, rates = view.framework == "torch", view.ceilings.flops
    spent = sum(k.seconds for k in view.kernels if k.dtype == "float32" and k.bound == "compute")
    if not rates.get("float32") or not rates.get("bfloat16"):
        return
    times = rates["bfloat16"] / rates["float32"]
    if times > 1.3 and view.share(spent) > 0.2:
        yield view.finding(
            "full-precision",
            TEXT if torch else KERAS,
            cause="compute",
            seconds=spent * (1 - 1 / times),
            remedies=["autocast-bf16"] if torch else ["keras-mixed-precision"],
            basis="modelled",
            part=view.share(spent),
            times=times,
        )
