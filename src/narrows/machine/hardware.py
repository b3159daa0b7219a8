"""What the hardware is, from the operating system alone."""

import os
import platform
import re
from pathlib import Path


def cpu_name() -> str:
    """As the processor calls itself."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Hardware", "Model")):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its control group."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        count = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return count


def memory_bytes() -> int:
    """Physical memory, or the control group's limit if that is less."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if limit != "max":
            size = min(size, int(limit))
    except (OSError, ValueError):
        pass
    return size


def identity() -> str:
    """A name for the cache of ceilings: the same for the same hardware, quota and affinity."""
    text = f"{platform.node()}-{platform.machine()}-{cpu_name()}-{cores()}-{memory_bytes() >> 30}"
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:120]
