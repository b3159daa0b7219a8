"""All ceilings of this machine, as the parent's `Ceilings` has them."""

from typing import Any

import torch

from . import arithmetic, bandwidth, convolution, links, pages
from .contest import race


def measure(seconds: float, largest: int) -> dict[str, Any]:
    """Rates per second, costs in seconds, and `busy`: the share of the time that threads waited for a core.

    `largest` is the largest working set in bytes.
    """
    torch.set_grad_enabled(False)
    torch.set_flush_denormal(True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.backends.cudnn.benchmark = True  # its best algorithm, as for any ceiling
    dispatch = links.dispatch_seconds()
    touch, give_back = pages.costs()
    sizes = bandwidth.sizes(largest, device)
    found, busy = race(
        arithmetic.candidates(device) + convolution.candidates(device) + bandwidth.candidates(sizes, device),
        seconds,
        seconds / 3,
    )
    there, back = links.host_device_copies() if device == "cuda" else (None, None)
    return {
        "flops": _named("product ", found),
        "convolution": _named("convolution ", found),
        "bandwidth": found[bandwidth.COPY],
        "read_bandwidth": found[bandwidth.READ],
        "bandwidth_by_size": [[size, found[f"{bandwidth.AT}{size}"]] for size in sizes],
        "dispatch_seconds": min(dispatch, links.dispatch_seconds()),
        "page_touch_seconds": touch,
        "page_release_seconds": give_back,
        "host_to_device": there,
        "device_to_host": back,
        "disk_read": links.disk_read(),
        "collective": None,
        "busy": busy,
    }


def _named(prefix: str, found: dict[str, float]) -> dict[str, float]:
    return {figure[len(prefix) :]: rate for figure, rate in found.items() if figure.startswith(prefix)}
