"""Predicted against measured peaks of the tensors' memory, over the jobs of `benchmarks/memory/`.

Each job is run once for real, plain and at half of its default batch. From that run, and from traces without numbers at a
quarter, a half and three quarters of the batch, its peak is predicted at half, once and twice the default batch, in float32
and bfloat16, plain and checkpointed: once with the script's own flags, and once from the plain script, the remedies of
narrows in it. The truth is the allocator's own events in a run at that size (`benchmarks/memory/truth.py`, without
narrows). Beside it what others estimate (`benchmarks/memory/others.py`). Writes `docs/memory.md`.

    python benchmarks/memory.py [--only NAME ...] [--no-write]

With `--only` the other rows of the page stay as they are. It takes half an hour.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from narrows.fit.child import Asked, memory_run
from narrows.fit.sizes import Changed
from narrows.job.command import resolve
from narrows.memory.inside import Ratios, ratios, with_inside
from narrows.memory.predict import Unlike, model
from narrows.memory.stream import representative

ROOT = Path(__file__).parent.parent
JOBS = ROOT / "benchmarks" / "memory"
PAGE = ROOT / "docs" / "memory.md"
DEFAULTS = {"mlp": 2048, "resnet": 128, "encoder": 24, "decoder": 12, "lstm": 48, "gan": 192, "recsys": 4096, "bert": 20,
            "generate": 32}  # fmt: skip
WHOLE = ("lstm", "gan", "generate")
"""Jobs without blocks that could be computed again."""
REMEDIES = {"--bf16": ("autocast-bf16", True), "--checkpoint": ("activation-checkpointing", True)}
VARIANTS = ((), ("--bf16",), ("--checkpoint",), ("--bf16", "--checkpoint"))


def followed(name: str, batch: int, flags: tuple[str, ...], how: str, remedies: tuple = ()):
    command = resolve([str(JOBS / f"{name}.py"), "--batch", str(batch), *flags])
    asked = Asked(name="run", job=Changed(command=command), how=how, steps=4, remedies=remedies)
    with tempfile.TemporaryDirectory() as folder:
        return memory_run(asked, Path(folder), shield=False)


def predictions(
    name: str, flags: tuple[str, ...], known: Ratios, remedies: tuple, sizes: list[int]
) -> list[int | None]:
    now = DEFAULTS[name]
    points = [now // 4, now // 2, 3 * now // 4]
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda batch: followed(name, batch, flags, "fake", remedies), points))
    try:
        seen = {
            b: with_inside(representative(r.process), known) for b, r in zip(points, made, strict=True) if r.process
        }
        fitted = model(seen)
    except (Unlike, ZeroDivisionError, IndexError):
        return [None] * len(sizes)
    return [fitted.at(size).peak[0] for size in sizes]


def line(script: str, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(JOBS / script), *arguments], capture_output=True, text=True, check=False, cwd=JOBS
    )
    found = [text for text in done.stdout.splitlines() if text.startswith("{")]
    return json.loads(found[-1]) if found else {}


def rows(name: str) -> list[dict]:
    now = DEFAULTS[name]
    sizes = [now // 2, now, 2 * now]
    real = followed(name, now // 2, (), "real").process
    known = ratios(real) if real is not None else {}
    found = []
    for flags in VARIANTS:
        if "--checkpoint" in flags and name in WHOLE:
            continue
        own = predictions(name, flags, known, (), sizes)
        remedied = predictions(name, (), known, tuple(REMEDIES[flag] for flag in flags), sizes) if flags else own
        words = [(str(JOBS / f"{name}.py"), "--batch", str(size), *flags) for size in sizes]
        with ThreadPoolExecutor(2) as pool:
            truths = list(pool.map(lambda each: line("truth.py", *each), words))
            others = list(pool.map(lambda each: line("others.py", *each), words))
        for size, mine, through, truth, other in zip(sizes, own, remedied, truths, others, strict=True):
            found.append({"job": name, "flags": " ".join(flags), "batch": size, "truth": truth["tensors"],
                          "predicted": mine, "remedied": through, "mem_tracker": other.get("mem_tracker"),
                          "accelerate": other.get("accelerate")})  # fmt: skip
            print(json.dumps(found[-1]), flush=True)
    return found


def off(row: dict, column: str) -> float | None:
    return row[column] / row["truth"] - 1 if row[column] else None


def told(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def summary(every: list[dict], column: str, label: str) -> str:
    errors = [abs(value) for row in every if (value := off(row, column)) is not None]
    if not errors:
        return f"| {label} | 0 | - | - |"
    return f"| {label} | {len(errors)} | {statistics.median(errors):.2%} | {max(errors):.1%} |"


def page(every: list[dict]) -> str:
    data = "\n".join(json.dumps(row) for row in every)
    lines = [
        "# How well the peak is predicted", "", *(__doc__ or "").split("    python")[0].strip().splitlines()[2:], "",
        "Made by `python benchmarks/memory.py`. Errors are those of the tensors' peak: predicted / measured - 1.", "",
        "| | rows | median error | worst |", "|---|---:|---:|---:|",
        summary(every, "predicted", "narrows, the script's own flags"),
        summary(every, "remedied", "narrows, from the plain script with its remedies"),
        summary(every, "mem_tracker", "torch's MemTracker (edited script, each size traced)"),
        summary(every, "accelerate", "accelerate estimate-memory"), "",
        "A remedy is not the script's own flag: `autocast-bf16` gives the script its output in float32, and so keeps a copy "
        "that a script with autocast around its loss does not.", "",
        "| job | flags | batch | measured, MiB | narrows | with remedies | MemTracker | accelerate |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {r['job']} | {r['flags'] or 'plain'} | {r['batch']} | {r['truth'] / 2**20:.0f} | {told(off(r, 'predicted'))} "
            f"| {told(off(r, 'remedied'))} | {told(off(r, 'mem_tracker'))} | {told(off(r, 'accelerate'))} |"
            for r in every
        ),
        "", f"<!--\n{data}\n-->", "",
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(DEFAULTS), nargs="+", default=[])
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    every = []
    if options.only and PAGE.exists():
        every = [json.loads(text) for text in PAGE.read_text().splitlines() if text.startswith('{"job"')]
    for name in options.only or DEFAULTS:
        every = [*(row for row in every if row["job"] != name), *rows(name)]
        every.sort(key=lambda row: list(DEFAULTS).index(row["job"]))
        if not options.no_write:
            PAGE.write_text(page(every))


if __name__ == "__main__":
    main()
