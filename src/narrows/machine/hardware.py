"""What the hardware is, from the operating system alone.

Functions take the root of the file system, so that a test can give them another one.
"""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
NO_LIMIT = 1 << 60
"""Bytes; a control group of version 1 writes a number about as large as there are for "no limit"."""


def cpu_facts(root: Path = ROOT) -> dict[str, str]:
    """What `/proc/cpuinfo` says of the first processor; empty where there is none."""
    facts: dict[str, str] = {}
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, colon, worth = line.partition(":")
        if not colon and facts:
            break
        if colon:
            facts.setdefault(name.strip(), worth.strip())
    return facts


def cpu_name(root: Path = ROOT) -> str:
    """As the processor calls itself."""
    facts = cpu_facts(root)
    for name in ("model name", "Hardware", "Model", "cpu model"):
        if facts.get(name):
            return facts[name]
    return _sysctl("machdep.cpu.brand_string") or platform.processor() or platform.machine()


def cores(root: Path = ROOT) -> int:
    """Cores that this process may use: its affinity, and the quota of its control group, rounded down."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        count = os.cpu_count() or 1
    for group in _groups("cpu", root):
        quota, _, period = _text(group / "cpu.max").strip().partition(" ")
        if not quota:
            quota, period = _text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            count = min(count, max(1, int(quota) // int(period)))
    return count


def memory_bytes(root: Path = ROOT) -> int:
    """Physical memory, or the control group's limit if that is less; 0 if the system does not say."""
    return min((size for size in (physical_bytes(), group_bytes(root)) if size), default=0)


def physical_bytes() -> int:
    """0 if the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return int(_sysctl("hw.memsize") or 0)


def group_bytes(root: Path = ROOT) -> int:
    """What the control group of this process may have, and those above it; 0: as much as there is."""
    found = [
        _text(group / name).strip()
        for group in _groups("memory", root)
        for name in ("memory.max", "memory.limit_in_bytes")
    ]
    return min((int(limit) for limit in found if limit.isdigit() and int(limit) < NO_LIMIT), default=0)


def gpu_names(root: Path = ROOT) -> list[str]:
    """NVIDIA's devices, as the driver calls them: without torch and without running anything."""
    found = []
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        for line in _text(path).splitlines():
            if line.startswith("Model:"):
                found.append(line.partition(":")[2].strip())
    return found


def identity(root: Path = ROOT) -> str:
    """A name for caches: the same for the same hardware, quota, affinity and visible devices."""
    text = f"{platform.node()}-{cpu_name(root)}-{cores(root)}c-{memory_bytes(root) >> 30}g"
    facts = cpu_facts(root)
    rest = [
        platform.machine(),
        text,
        facts.get("flags", ""),
        *gpu_names(root),
        os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    ]
    name = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:80]
    return f"{name}-{hashlib.sha256(repr(rest).encode()).hexdigest()[:8]}"


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Where the limits of this process may be: its control groups and all above them, of both versions."""
    for line in [*_text(root / "proc/self/cgroup").splitlines(), "0::/"]:
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        base = root / "sys/fs/cgroup" / controller if names else root / "sys/fs/cgroup"
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            yield base.joinpath(*parts[:depth])
            if not names:
                yield base.joinpath("unified", *parts[:depth])


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _sysctl(name: str) -> str:
    if platform.system() != "Darwin":
        return ""
    try:
        done = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
