"""Gradients travel in float32, and the step waits for them."""

from collections.abc import Iterator

from narrows.findings.exchange import SMALL_BYTES, gradients, total
from narrows.findings.view import Text, View
from narrows.ledger.kernels import bandwidth_at
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Gradients are exchanged in float32",
        "{mib:.1f} MiB of float32 gradients are exchanged in each step, and {ms:.2f} ms of it wait for them; bfloat16 is half"
        " of the bytes.",
        "Register a hook that casts what is sent: model.register_comm_hook(None, bf16_compress_hook) of"
        " torch.distributed.algorithms.ddp_comm_hooks.default_hooks with NCCL, one of your own with gloo; compare the loss.",
    ),
    "zh": (
        "梯度以 float32 交换",
        "每一步交换 {mib:.1f} MiB 的 float32 梯度，其中 {ms:.2f} 毫秒在等待；bfloat16 只要一半的字节。",
        "注册一个在发送前转换类型的钩子：用 NCCL 时是 torch.distributed.algorithms.ddp_comm_hooks.default_hooks 的"
        " model.register_comm_hook(None, bf16_compress_hook)，用 gloo 时自己写一个；并比较损失。",
    ),
}
MUCH = 0.1
"""Of the step: what waits for less is not worth other numbers."""
CONVERTED = 2 * (1 + 0.5)
"""Bytes that move to and from memory for each byte of a gradient: it is read and half of it written, and back again."""


def find(view: View) -> Iterator[Finding]:
    found = gradients(view)
    whole = total(found)
    # What is small is all latency, which half of the bytes do not change.
    full = total(c for c in found if c.dtype == "float32" and c.bytes > SMALL_BYTES)
    waited = view.steady.seconds["wait"]
    if not full or full < whole / 2 or view.share(waited) < MUCH or not _has_a_link(view):
        return
    # The exchange took at least as long as the step waited for it, so half of it is at least half of that.
    saved = waited * full / whole / 2 - CONVERTED * full / bandwidth_at(full, view.ceilings)
    if view.share(saved) > MUCH / 3:
        yield view.finding(
            "gradients-full-precision",
            TEXT,
            cause="communication",
            seconds=saved,
            where=view.at(view.process.first("parallel").get("where")),
            remedies=["ddp-compress"],
            basis="modelled",
            mib=full / (1 << 20),
            ms=1e3 * waited,
        )


def _has_a_link(view: View) -> bool:
    """Whether bytes go over something slower than memory: between devices, or machines. Between two processes of one machine
    gloo copies and adds in memory, and casting costs more than it saves (seen: a step of 60 ms became 15% longer)."""
    if view.process.first("parallel").get("device", "cpu") != "cpu":
        return True
    return view.process.ranks > len(view.ranks_here)
