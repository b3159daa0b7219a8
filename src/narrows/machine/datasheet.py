"""What the makers say of their hardware, to stand beside what was measured. Nothing is computed from these.

Rates are dense (without the factor of two for structured sparsity), matrix units included where there are any, and at
the boost clock; 16-bit ones accumulate in 32 bits, as torch does. A figure that the source does not give is left out.
"""

from dataclasses import dataclass
from pathlib import Path

from narrows.machine import hardware, processor

T, G = 1e12, 1e9


@dataclass(frozen=True, kw_only=True)
class Datasheet:
    name: str
    flops: dict[str, float]
    """Operations per second of a matrix product, by dtype."""
    bandwidth: float | None
    """Bytes per second, of the memory."""
    source: str
    """A web address, or how it was computed."""


def _tera(**rates: float) -> dict[str, float]:
    return {name: rate * T for name, rate in rates.items()}


_A100 = "https://www.nvidia.com/en-us/data-center/a100/"
_A100_RATES = _tera(float64=19.5, float32=19.5, tf32=156, bfloat16=312, float16=312, int8=624)
_H100 = "https://www.nvidia.com/en-us/data-center/h100/"
_H100_PCIE = _tera(float64=51, float32=51, tf32=378, bfloat16=756, float16=756, int8=1513)
_H100_RATES = _tera(float64=67, float32=67, tf32=494.5, bfloat16=989.5, float16=989.5, int8=1979)
_H200 = "https://www.nvidia.com/en-us/data-center/h200/"
_H200_NVL = _tera(float64=60, float32=60, tf32=417.5, bfloat16=835.5, float16=835.5, int8=1670.5)
_RTX_3090 = "https://www.nvidia.com/content/PDF/nvidia-ampere-ga-102-gpu-architecture-whitepaper-v2.pdf"
_RTX_4090 = "https://images.nvidia.com/aem-dam/Solutions/geforce/ada/nvidia-ada-gpu-architecture.pdf"
_V100 = "https://www.nvidia.com/en-us/data-center/v100/"

# The first whose words are all in the device's name.
DEVICES: tuple[tuple[tuple[str, ...], Datasheet], ...] = (
    (("A100", "PCIE", "80GB"), Datasheet(name="A100 PCIe 80GB", flops=_A100_RATES, bandwidth=1935 * G, source=_A100)),
    (("A100", "80GB"), Datasheet(name="A100 SXM 80GB", flops=_A100_RATES, bandwidth=2039 * G, source=_A100)),
    (("A100",), Datasheet(name="A100 40GB", flops=_A100_RATES, bandwidth=1555 * G, source=_A100)),
    (("H200", "NVL"), Datasheet(name="H200 NVL", flops=_H200_NVL, bandwidth=4800 * G, source=_H200)),
    (("H200",), Datasheet(name="H200 SXM", flops=_H100_RATES, bandwidth=4800 * G, source=_H200)),
    (("H100", "PCIE"), Datasheet(name="H100 PCIe", flops=_H100_PCIE, bandwidth=2000 * G, source=_H100)),
    (("H100", "HBM3"), Datasheet(name="H100 SXM", flops=_H100_RATES, bandwidth=3350 * G, source=_H100)),
    (("L4",), Datasheet(name="L4", flops=_tera(float32=30.3, tf32=60, bfloat16=121, float16=121, int8=242.5),
        bandwidth=300 * G, source="https://www.nvidia.com/en-us/data-center/l4/")),
    (("T4",), Datasheet(name="T4", flops=_tera(float32=8.1, float16=65, int8=130), bandwidth=320 * G,
        source="https://www.nvidia.com/en-us/data-center/tesla-t4/")),
    (("V100", "PCIE"), Datasheet(name="V100 PCIe", flops=_tera(float64=7, float32=14, float16=112), bandwidth=900 * G,
        source=_V100)),
    (("V100",), Datasheet(name="V100 SXM2", flops=_tera(float64=7.8, float32=15.7, float16=125), bandwidth=900 * G,
        source=_V100)),
    (("RTX", "3090"), Datasheet(name="GeForce RTX 3090", bandwidth=936 * G, source=_RTX_3090,
        flops=_tera(float32=35.6, tf32=35.6, bfloat16=71, float16=71, int8=284))),
    (("RTX", "4090"), Datasheet(name="GeForce RTX 4090", bandwidth=1008 * G, source=_RTX_4090,
        flops=_tera(float32=82.6, tf32=82.6, bfloat16=165.2, float16=165.2, int8=660.6))),
)  # fmt: skip
OTHERS = frozenset(["TI", "D", "LAPTOP", "MAX"])
"""Words that make another device of a name: GeForce RTX 3090 Ti, RTX 4090 D, RTX 4090 Laptop GPU."""


def device(name: str) -> Datasheet | None:
    """The datasheet of a GPU, by the name that the driver gives it; None if it is not one of those known here."""
    words = name.upper().replace("-", " ").replace("_", " ").split()
    if OTHERS & set(words):
        return None
    for wanted, sheet in DEVICES:
        if all(any(word == part or (part[0] in "AHV" and word.startswith(part)) for word in words) for part in wanted):
            return sheet
    return None


def here(threads: int, root: Path = hardware.ROOT) -> Datasheet | None:
    """The datasheet of this machine's first GPU, or of so many cores of its processor; None if they are not known."""
    gpus = hardware.gpu_names(root)
    if gpus:
        return device(gpus[0])
    found = processor.peak(hardware.cpu_facts(root), min(threads, hardware.cores(root)), root)
    if found is None:
        return None
    return Datasheet(name=hardware.cpu_name(root), flops=found.flops, bandwidth=None, source=found.how)
