"""Gradients that grow without bound."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Exploding gradients",
        "The norm of all gradients grew from {first:.3g} to {last:.3g} (update {update}); the largest is that of {name}.",
        "Clip gradients (clip_grad_norm_), lower the learning rate, or warm it up.",
    ),
    "zh": (
        "梯度爆炸",
        "全部梯度的范数从 {first:.3g} 增长到 {last:.3g}（第 {update} 次更新）；最大的是 {name}。",
        "裁剪梯度（clip_grad_norm_）、降低学习率，或做学习率预热。",
    ),
}


TIMES = 1e3
"""Growth over the first look that no healthy run shows."""


def find(view: View) -> Iterator[Finding]:
    looks = [e for e in view.process.events.get("gradients", ()) if e["layers"]]
    begun: dict[int, float] = {}
    for look in looks:
        norm = _norm(look)
        first = begun.setdefault(look.get("who", 0), norm)  # of this optimizer: two may differ in size
        if norm != norm or norm > TIMES * max(first, 1e-3):
            name = max(look["layers"], key=lambda layer: layer[1] if layer[1] == layer[1] else float("inf"))[0]
            yield view.finding(
                "exploding-gradients",
                TEXT,
                cause=None,
                seconds=0.0,
                first=first,
                last=norm,
                update=look["update"],
                name=name,
                remedies=[],
            )
            return


def _norm(look: object) -> float:
    return float(sum(layer[1] ** 2 for layer in look["layers"]) ** 0.5)  # type: ignore[index]
