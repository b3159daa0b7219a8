"""Whether the largest batch that `narrows fit` finds is right: it must run under that limit, and 5% more must fail.

    python benchmarks/largest.py [--runs 3] [--heap kept|unbroken] [--only NAME ...] [--no-write]

For each job of `benchmarks/memory/` that has a batch, `narrows fit --memory SIZE` finds its largest. Then the job runs
by itself, without narrows, in a control group that is limited to that size (swap included), at the batch and around it;
all of it as it is, and again with a heap that gives large blocks back at once (`malloc-unbroken`). Writes
`docs/largest.md`. Needs to be root, and the memory controller; five minutes for each row.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from provenance import provenance

from narrows.memory.size import parse
from narrows.remedies import malloc_unbroken

ROOT = Path(__file__).parent.parent
JOBS = ROOT / "benchmarks" / "memory"
PAGE = ROOT / "docs" / "largest.md"
NAMES = ("mlp", "resnet", "encoder", "decoder", "lstm", "gan", "bert")
MEMORY = {"gan": "900MiB"}
"""Of a job whose data set is too small for a batch that takes more; all others have 1500MiB."""
HEAPS: Mapping[str, Mapping[str, str]] = {"kept": {}, "unbroken": malloc_unbroken.environment(True)}
AROUND = (0.95, 1.0, 1.05, 1.1)
KILLED = 137
OFTEN = 0.002
"""Seconds between two looks at what a run takes."""


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

    def run(self, words: Sequence[str], heap: str) -> int:
        """Bytes that it took at most, if it came to its end; else 0. Raises `RuntimeError` if it failed for another reason
        than its memory."""
        procs = self.folder / "cgroup.procs"
        with tempfile.TemporaryFile("w+") as said:
            job = subprocess.Popen(
                ["sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh", *words],
                stdout=subprocess.DEVNULL, stderr=said, env={**os.environ, **HEAPS[heap]},
            )  # fmt: skip
            most = 0
            while job.poll() is None:
                most = max(most, anonymous(job.pid))
                time.sleep(OFTEN)
            said.seek(0)
            error = said.read()
        if job.returncode not in (0, -9, KILLED) and "not enough memory" not in error:
            raise RuntimeError(error[-500:])
        return most if job.returncode == 0 else 0

    def close(self) -> None:
        self.folder.rmdir()


def anonymous(pid: int) -> int:
    """Bytes of the process that are not pages of files."""
    try:
        found = re.search(r"RssAnon:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        found = None
    return int(found[1]) << 10 if found else 0


def largest(name: str, memory: str, heap: str) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [sys.executable, "-m", "narrows", "fit", "--memory", memory, "--quiet", "--json", report,
             "--out", folder, sys.executable, str(JOBS / f"{name}.py")],
            capture_output=True, text=True, check=False, env={**os.environ, **HEAPS[heap]},
        )  # fmt: skip
        if not report.exists():
            raise RuntimeError(done.stderr[-500:])
        batch = json.loads(report.read_text())["capacity"]["batch"]
        return batch["largest"] if batch else None


def row(name: str, heap: str, runs: int) -> str:
    memory = MEMORY.get(name, "1500MiB")
    found = largest(name, memory, heap)
    if found is None:
        return f"{_key(name, heap)} {memory} | none | {'| ' * (1 + len(AROUND))}|"
    group, cells, apart = Group(parse(memory)), [], 0.0
    try:
        for share in AROUND:
            words = [sys.executable, str(JOBS / f"{name}.py"), "--batch", str(round(share * found))]
            took = [each for each in (group.run(words, heap) for _ in range(runs)) if each]
            apart = max(apart, max(took) / min(took) - 1 if took else 0.0)
            cells.append(f"{len(took)} of {runs}")
    finally:
        group.close()
    return f"{_key(name, heap)} {memory} | {found} | {' | '.join(cells)} | {apart:.1%} |"


def _key(name: str, heap: str) -> str:
    return f"| {name} | {heap} |"


def page(lines: Sequence[str], made_by: Sequence[str]) -> str:
    heads = [f"ran at {share:.0%}" for share in AROUND]
    return "\n".join([
        "# Whether the largest batch is right", "", *made_by, "",
        "For each job of `benchmarks/memory/` that has a batch, `narrows fit --memory SIZE` said the largest. Then the job ran by "
        "itself, without narrows, in a control group of that size, at that batch and around it: *3 of 3* is how often it came to "
        "its end. It should at 100%, and not at 105%.", "",
        "*Apart* is how far the peaks of runs of the same size lay from each other. A heap that is *kept* (as glibc does it if "
        f"nothing else is said) breaks up otherwise in each run; one that is *unbroken* (`{malloc_unbroken.by_hand(True)}`, the "
        "remedy `malloc-unbroken`) gives large blocks back at once. Where runs lie further apart than 5%, no batch can both run "
        "each time and fail each time with 5% more: narrows then leaves room for the worst of its own runs, and for half as much "
        "again as they lie apart, and even so one run may break up still more.", "",
        f"| job | heap | limit | largest batch | {' | '.join(heads)} | apart |", f"|---|---|---:|---:|{'---:|' * len(heads)}---:|",
        *lines, "",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--heap", choices=tuple(HEAPS), nargs="+", default=list(HEAPS))
    parser.add_argument("--only", choices=NAMES, nargs="+", default=list(NAMES))
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    asked = [(name, heap) for heap in options.heap for name in options.only]
    every = [(name, heap) for name in NAMES for heap in HEAPS]
    part = [] if len(asked) == len(every) else [f"{name} {heap}" for name, heap in asked]
    made_by = provenance(PAGE, f"python benchmarks/largest.py --runs {options.runs}", part)
    before = PAGE.read_text().splitlines() if part and PAGE.exists() else []
    rows = {key: line for key in every for line in before if line.startswith(_key(*key))}
    for key in asked:
        rows[key] = row(*key, options.runs)
        print(rows[key], flush=True)
        if not options.no_write:
            PAGE.write_text(page([rows[each] for each in every if each in rows], made_by))


if __name__ == "__main__":
    main()
