"""Numbers as people read them."""

import math


def seconds(value: float | None) -> str:
    """Three significant digits with the unit that suits: `41.2 ms`, `3 min 20 s`."""
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    if value < 0:
        return f"-{seconds(-value)}"
    if value >= 119.5:
        whole = round(value)
        hours, rest = divmod(whole, 3600)
        return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale * 0.9995 or unit == "µs":
            return f"{_digits(value / scale)} {unit}"
    return "-"


def size(value: float | None) -> str:
    """Bytes with a binary unit: `1.5 GiB`."""
    if value is None:
        return "-"
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= scale:
            return f"{_digits(value / scale)} {unit}"
    return f"{value:.0f} B"


def rate(value: float | None, unit: str) -> str:
    """`205 Gflop/s`."""
    if value is None:
        return "-"
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{_digits(value / scale)} {prefix}{unit}"
    return f"{_digits(value)} {unit}"


def number(value: float | None) -> str:
    """A loss or a norm: `0.912`, `1.2e-07`."""
    return "-" if value is None else f"{value:.3g}"


def share(value: float) -> str:
    """`4.2%`, `42%`; what is little is not shown as nothing."""
    if 0 < value < 0.0005:
        return "<0.1%"
    return f"{value:.1%}" if value < 0.0995 else f"{value:.0%}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
