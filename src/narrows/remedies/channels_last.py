"""Convolutions read and write their images with the channels innermost."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import drawn, nested, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "channels-last"
CLASS = "exact"
TEXT = {
    "en": (
        "Images are kept with their channels innermost (channels_last)",
        "Rounding, in the last digits. Dropout on images drops other pixels, as with another seed.",
    ),
    "zh": (
        "图像以通道在最内层的布局保存（channels_last）",
        "末几位的舍入。图像上的 dropout 会丢弃不同的像素，如同更换种子。",
    ),
}
SAVED = 0.15
"""Of the time in ops on images; what only copies between layouts goes altogether. From the catalogue's 8-35 %."""
COPIES = ("clone", "contiguous", "copy_")


def candidates(view: View) -> list[Candidate]:
    ops = [k for k in view.kernels if k.state in ("forward", "backward", "evaluate")]
    images = [k for k in ops if _layouts(k.op)]
    convolutions = [k for k in images if k.cost.kind == "convolution"]
    if not convolutions or all("l" in _layouts(k.op) for k in convolutions):
        return []
    copies = sum(k.seconds for k in images if k.name in COPIES and set(_layouts(k.op)) & set("nl"))
    saved = copies + SAVED * sum(k.seconds for k in images if k.name not in COPIES)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def _layouts(op: Any) -> str:
    return "".join(a.layout for a in op.arguments if len(getattr(a, "shape", ())) == 4)


def apply(torch: Any, value: bool) -> None:
    """Only what convolutions read and write is laid out. Parameters, and so their gradients, the optimizer's state and what
    is saved, stay as the script made them: a checkpoint that is loaded elsewhere, or a `.view()` of a weight, finds
    nothing else there."""
    last, usual = torch.channels_last, torch.contiguous_format
    tried: weakref.WeakKeyDictionary[Any, set[Any] | None] = weakref.WeakKeyDictionary()
    """By model: the kinds of calls that went well, or None if the model is left alone."""
    within_call = [False]

    def call_laid_out(call: Any, model: Any, args: Any, kwargs: Any) -> Any:
        within_call[0] = True
        try:
            return _each(call(model, *_each(args, torch, last), **_each(kwargs, torch, last)), torch, usual)
        finally:
            within_call[0] = False

    def make(call: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if model not in tried:
            tried[model] = set() if _convolves(model, torch) else None
            if tried[model] is not None:
                within.note(NAME, model=type(model).__name__)
        known = tried[model]
        if known is None:
            return call(model, *args, **kwargs)
        kind = model.training, torch.is_grad_enabled(), *(t.shape for t in nested.tensors(torch.Tensor, (args, kwargs)))
        if kind in known:
            return call_laid_out(call, model, args, kwargs)
        # A model that asks for .view() fails here. It is called again as if nothing had been: its buffers too.
        buffers = [(b, b.clone()) for b in model.buffers()]
        before_call = drawn.Drawn(torch)
        try:
            output = call_laid_out(call, model, args, kwargs)
        except RuntimeError as error:
            within.fault(NAME, error)
            tried[model] = None
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)
            before_call.undo()
            return call(model, *args, **kwargs)
        known.add(kind)
        return output

    within.through(torch, make)
    for convolution in (torch.nn.Conv2d, torch.nn.ConvTranspose2d):
        _lay_out(torch, convolution, within_call)


def _lay_out(torch: Any, convolution: Any, within_call: list[bool]) -> None:
    """What comes to a convolution from another layout: images that the model has made itself."""
    original, last = convolution.forward, torch.channels_last

    @functools.wraps(original)
    def forward(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
        if within_call[0] and type(input) is torch.Tensor and input.dim() == 4:
            input = input.contiguous(memory_format=last)
        return original(self, input, *args, **kwargs)

    convolution.forward = forward


def _convolves(model: Any, torch: Any) -> bool:
    return any(
        isinstance(m, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)) and m.weight.dim() == 4 for m in model.modules()
    )


def _each(value: Any, torch: Any, layout: Any) -> Any:
    """The same with its images (tensors of 4 dimensions) in that layout."""

    def change(held: Any) -> Any:
        image = type(held) is torch.Tensor and held.dim() == 4 and held.layout == torch.strided
        return held.contiguous(memory_format=layout) if image else held

    return nested.changed(torch.Tensor, value, change)


def by_hand(value: bool) -> str:
    return "model = model.to(memory_format=torch.channels_last)\nimages = images.to(memory_format=torch.channels_last)"
