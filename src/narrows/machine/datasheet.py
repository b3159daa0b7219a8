"""What the maker says the processor can do, where that can be worked out."""

import re
from pathlib import Path

from narrows.machine.hardware import cores


def cpu_peak(dtype: str) -> float | None:
    """Operations per second: cores x clock x 2 fused multiply-adds a cycle x lanes x 2.

    From the processor's flags: 16 float32 lanes with AVX-512, 8 with AVX2; two units of that width is what server
    cores since 2017 have (Intel 64 and IA-32 Optimization Manual; AMD Zen 4, which does 512 bits in two passes of
    256, comes out at half of it). None in a virtual machine, whose clock is not the processor's, and where the flags or the clock are not known, or the dtype has no fixed lanes.
    """
    lanes = {"float32": 16, "float64": 8}.get(dtype)
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return None
    clock = re.search(r"cpu MHz\s*:\s*([0-9.]+)", text)
    if lanes is None or clock is None or "fma" not in text or "hypervisor" in text:
        return None
    width = 1.0 if "avx512f" in text else 0.5
    units = 1 if "AuthenticAMD" in text and "avx512f" in text else 2
    return cores() * float(clock.group(1)) * 1e6 * units * 2 * lanes * width
