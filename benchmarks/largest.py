"""Whether the largest batch that `narrows fit` finds is right: it must run under that limit, and 5% more must fail.

    python benchmarks/largest.py [--memory 1500MiB] [--runs 3] [--only NAME ...] [--no-write]

For each job of `benchmarks/memory/` that has a batch, `narrows fit --memory SIZE` finds its largest. Then the job runs
by itself, without narrows, in a control group that is limited to that size (swap included), at the batch and around it.
Writes `docs/largest.md`. Needs to be root, and the memory controller; some ten minutes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from narrows.memory.size import parse

ROOT = Path(__file__).parent.parent
JOBS = ROOT / "benchmarks" / "memory"
PAGE = ROOT / "docs" / "largest.md"
NAMES = ("mlp", "resnet", "encoder", "decoder", "lstm", "gan", "bert")
AROUND = (0.95, 1.0, 1.05, 1.1)
KILLED = 137


class Group:
    """A control group with a limit, of either version."""

    def __init__(self, limit: int) -> None:
        first = Path("/sys/fs/cgroup/memory")
        self.folder = (first if first.exists() else Path("/sys/fs/cgroup")) / f"narrows-{os.getpid()}"
        names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes") if first.exists() else ("memory.max",)
        self.folder.mkdir()
        for name in names:
            (self.folder / name).write_text(str(limit))
        if not first.exists():
            (self.folder / "memory.swap.max").write_text("0")

    def run(self, words: Sequence[str]) -> bool:
        """Whether it came to its end. Raises `RuntimeError` if it failed for another reason than its memory."""
        procs = self.folder / "cgroup.procs"
        done = subprocess.run(
            ["sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, -9, KILLED) and "not enough memory" not in done.stderr:
            raise RuntimeError(done.stderr[-500:])
        return done.returncode == 0

    def close(self) -> None:
        self.folder.rmdir()


def largest(name: str, memory: str) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [sys.executable, "-m", "narrows", "fit", "--memory", memory, "--quiet", "--json", report,
             "--out", folder, sys.executable, str(JOBS / f"{name}.py")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not report.exists():
            raise RuntimeError(done.stderr[-500:])
        batch = json.loads(report.read_text())["capacity"]["batch"]
        return batch["largest"] if batch else None


def row(name: str, memory: str, runs: int) -> str:
    found = largest(name, memory)
    if found is None:
        return f"| {name} | none | {'| ' * len(AROUND)}|"
    group, cells = Group(parse(memory)), []
    try:
        for share in AROUND:
            words = [sys.executable, str(JOBS / f"{name}.py"), "--batch", str(round(share * found))]
            ran = sum(group.run(words) for _ in range(runs))
            cells.append(f"{ran} of {runs}")
    finally:
        group.close()
    return f"| {name} | {found} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", default="1500MiB", metavar="SIZE")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=NAMES, nargs="+", default=list(NAMES))
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    lines = []
    for name in options.only:
        lines.append(row(name, options.memory, options.runs))
        print(lines[-1], flush=True)
    if not options.no_write:
        heads = [f"ran at {share:.0%}" for share in AROUND]
        PAGE.write_text("\n".join([
            "# Whether the largest batch is right", "", *(__doc__ or "").split("    python")[0].strip().splitlines()[2:],
            "For each job", "", f"Made by `python benchmarks/largest.py --memory {options.memory} --runs {options.runs}`.",
            "", f"| job | largest batch | {' | '.join(heads)} |", f"|---|---:|{'---:|' * len(heads)}", *lines, "",
        ]))  # fmt: skip


if __name__ == "__main__":
    main()
