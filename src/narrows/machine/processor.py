"""The theoretical peak of a processor: cores x clock x operations per cycle, where its microarchitecture is known.

Operations per cycle are 2 (multiply and add) x lanes x units that can do it. The kernel's flags say how wide vectors
may be, not how many units there are, nor that a wide one is done in two halves; the family and model do. Units and
widths: measured throughput of VFMADD, VDPBF16PS and VPDPBUSD in https://uops.info/table.html, and for AMX (1024 bf16
and 2048 int8 operations per cycle) Intel's 64 and IA-32 Architectures Optimization Reference Manual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Intel's family 6, by model.
_TWO_WIDE = {0x6A, 0x6C, 0x8F, 0xCF, 0xAD}  # Xeon: Ice Lake, Sapphire Rapids, Emerald Rapids, Granite Rapids
_SKYLAKE_SERVER = 0x55
_AVX2 = {
    0x3C, 0x3F, 0x45, 0x46, 0x3D, 0x47, 0x4F, 0x56, 0x4E, 0x5E, 0x8E, 0x9E, 0xA5, 0xA6,
}  # Haswell, Broadwell, Skylake and its successors for the desk  # fmt: skip
_GRANITE_RIDGE, _TURIN = range(0x40, 0x50), range(0x20)  # AMD's family 26 with full-width units


@dataclass(frozen=True, kw_only=True)
class Peak:
    flops: dict[str, float]
    """Operations per second, by dtype."""
    how: str


def peak(facts: Mapping[str, str], cores: int, root: Path = Path("/")) -> Peak | None:
    """The peak of so many cores, from what `/proc/cpuinfo` says; None where units or clock are not known."""
    cycle, clock = per_cycle(facts), _clock(facts, root)
    if not cycle or clock is None:
        return None
    hertz, which = clock
    return Peak(
        flops={dtype: cores * hertz * count for dtype, count in cycle.items()},
        how=f"{cores} cores x {hertz / 1e9:.2f} GHz ({which}) x {cycle['float32']} float32 operations per cycle",
    )


def per_cycle(facts: Mapping[str, str]) -> dict[str, int]:
    """Operations per cycle of one core, by dtype; empty if its units are not known."""
    flags = set(facts.get("flags", "").split())
    single = _float32(facts, flags)
    if not single:
        return {}
    found = {"float64": single // 2, "float32": single}
    if "amx_bf16" in flags:
        found["bfloat16"] = 1024
    elif "avx512_bf16" in flags and facts.get("vendor_id") == "AuthenticAMD":
        found["bfloat16"] = 2 * single
    if "avx512_fp16" in flags:
        found["float16"] = 2 * single
    if "amx_int8" in flags:
        found["int8"] = 2048
    elif "avx512_vnni" in flags or "avx_vnni" in flags:
        found["int8"] = 4 * single
    return found


def _float32(facts: Mapping[str, str], flags: set[str]) -> int:
    try:
        family, model = int(facts["cpu family"]), int(facts["model"])
    except (KeyError, ValueError):
        return 0
    wide = "avx512f" in flags
    if facts.get("vendor_id") == "AuthenticAMD":
        if family == 23:
            return 32 if model >= 0x30 else 16  # Zen 2: two of 256 bits; Zen: two of 128
        if family == 25:
            return 32  # Zen 3 and 4: two of 256 bits; 512 bits take both halves
        if family == 26 and wide and (model in _TURIN or model in _GRANITE_RIDGE):
            return 64
    if facts.get("vendor_id") == "GenuineIntel" and family == 6:
        if wide and model in _TWO_WIDE:
            return 64
        if wide and model == _SKYLAKE_SERVER:
            name = facts.get("model name", "")
            return 64 if any(word in name for word in ("Platinum", "Gold 6", "W-2", "W-3", "i9-")) else 0
        if "fma" in flags and model in _AVX2:
            return 32
    return 0


def _clock(facts: Mapping[str, str], root: Path) -> tuple[float, str] | None:
    """(Hz, which clock it is)"""
    try:
        text = (root / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text()
        return float(text) * 1e3, "highest of one core"
    except (OSError, ValueError):
        pass
    if "hypervisor" in facts.get("flags", "").split():
        return None  # what a virtual machine is told is not the clock that the processor runs at
    try:
        return float(facts["cpu MHz"]) * 1e6, "as the system says"
    except (KeyError, ValueError):
        return None
