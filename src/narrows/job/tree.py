"""The job's processes, seen from outside through /proc; on a system without it, nothing is seen."""

import os
import signal
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(root: int) -> list[int]:
    """All living processes below `root`, children first; in whatever session they are."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        parent = _parent(pid)
        if parent:
            children.setdefault(parent, []).append(pid)
    found: list[int] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), [])
        found.extend(below)
        todo.extend(below)
    return found[::-1]


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _parent(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        return int(text.rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def resident(pids: list[int]) -> int:
    """Bytes that these processes hold, what they share counted once each."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except (OSError, ValueError, IndexError):
            continue
    return total


def kill(root: int) -> None:
    """End a process and all below it, at once."""
    for pid in [*descendants(root), root]:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue


def kill_below(root: int) -> None:
    """End all that a process has started, at once, and not itself."""
    for pid in descendants(root):
        kill(pid)


def kill_started_with(variable: str) -> None:
    """End, at once, all processes that were started with this variable (`NAME=value`) in their environment."""
    for pid in _processes():
        if variable in _environment(pid):
            kill(pid)


def end(pids: list[int], variable: str, seconds: float) -> None:
    """End those of these processes that still run after so long and were started with this variable (`NAME=value`) in their
    environment: a number may belong to somebody else by now."""
    until = time.monotonic() + seconds
    while left := [pid for pid in pids if variable in _environment(pid)]:
        if time.monotonic() > until:
            for pid in left:
                kill(pid)
            return
        time.sleep(0.05)


def _environment(pid: int) -> list[str]:
    """That it was started with; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


def out_of_memory_kills() -> int:
    """How often the kernel has killed for memory in this control group, or on this machine."""
    for path, key in (("/sys/fs/cgroup/memory.events", "oom_kill"), ("/proc/vmstat", "oom_kill")):
        try:
            for line in Path(path).read_text().splitlines():
                if line.split()[0] == key:
                    return int(line.split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return 0
