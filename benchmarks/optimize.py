"""What `narrows optimize` gains, beside what a person, the compiler alone and a framework's own settings do.

    python benchmarks/optimize.py [--rounds 6] [--only NAME[,NAME]] [--no-write]

For each job `narrows optimize` runs once. Then the original, copies made faster by hand (`benchmarks/gains/`), the
original with its model compiled, a copy with automatic settings, and the original under `narrows run` with the recipe
run in turn, each second round backwards, each in a fresh process and with the same clock. A speed-up is a ratio within
a round. Writes `docs/gains.md`, or `docs/gains-without-bf16.md` where the processor has no instructions for bfloat16;
with `--only` the other rows of the page stay as they are.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gains import bf16
from gains.table import kept, line, summary
from provenance import provenance

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / ("gains.md" if bf16.FAST else "gains-without-bf16.md")
OTHER = "[Where it has not](gains-without-bf16.md)" if bf16.FAST else "[Where it has](gains.md)"
GAINS = ROOT / "benchmarks" / "gains"
WILD = ROOT / "tests" / "wild"
WORKLOADS = ROOT / "src" / "narrows" / "workloads"
CLOCK = ROOT / "benchmarks" / "stepclock.py"
ENOUGH = 1.5
"""Seconds of steady steps in a run."""
LONGEST = 600.0
"""Seconds; a run that takes longer has failed."""


@dataclass(frozen=True)
class Job:
    name: str
    script: Path
    arguments: tuple[str, ...] = ()
    """So many steps that the fastest variant has enough of them; the clock ends the others sooner."""

    @property
    def words(self) -> list[str]:
        """What narrows is put in front of."""
        built_in = self.script.parent == WORKLOADS
        return [self.name.split()[0] if built_in else str(self.script), *self.arguments]

    def copy(self, kind: str) -> Path:
        return GAINS / f"{self.script.stem}.{kind}.py"


def built_in(name: str, *arguments: str) -> Job:
    script = WORKLOADS / f"{name.replace('-', '_')}.py"
    return Job(f"@{name}{' --slow' if '--slow' in arguments else ''}", script, arguments)


JOBS = (
    built_in("fcnn", "--steps", "30000"),
    built_in("fcnn", "--slow", "--steps", "30000"),
    built_in("digits", "--epochs", "40"),
    built_in("digits", "--slow", "--epochs", "40"),
    built_in("char-lm"),
    built_in("char-lm", "--slow"),
    built_in("tabular-mlp", "--slow", "--epochs", "40"),
    *(Job(name, WILD / f"{name}.py") for name in ("cifar_resnet", "nanogpt", "dlrm", "hf_trainer")),
    Job("bert_reviews", GAINS / "bert_reviews.py"),
)


@dataclass
class Optimized:
    """What `narrows optimize` left."""

    seconds: float
    recipe: Path | None
    remedies: list[str]
    not_applied: set[str] = field(default_factory=set)
    """What `narrows run` said, in the rounds."""

    @property
    def words(self) -> list[str]:
        return [f"{w} (not applied)" if w.split("=")[0] in self.not_applied else w for w in self.remedies]


def optimize(job: Job, folder: Path) -> Optimized:
    recipe, report = folder / "recipe.toml", folder / "report.json"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "optimize", "--budget", "10m", "--recipe", recipe, "--json", report,
         "--out", folder / "runs", "--quiet", *job.words],
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"narrows optimize: {done.stderr[-2000:]}")
    outcome = json.loads(report.read_text())["recipe"]
    written = recipe if recipe.exists() else None
    return Optimized(took, written, outcome["remedies"] if outcome and written else [])


def commands(job: Job, recipe: Path | None) -> dict[str, list[str]]:
    """How each variant is run: {OUT} is where the clock writes."""
    clock = [sys.executable, str(CLOCK), "--enough", str(ENOUGH), "{OUT}"]
    script = [str(job.script), *job.arguments]
    found = {
        "original": [*clock, *script],
        "by hand": [*clock, str(job.copy("by_hand")), *job.arguments],
        "rewritten": [*clock, str(job.copy("rewritten")), *job.arguments],
        "compiled": [*clock, str(GAINS / "compiled.py"), *script],
    }
    if job.copy("automatic").exists():
        found["automatic"] = [*clock, str(job.copy("automatic")), *job.arguments]
    if recipe is not None:
        found["narrows"] = [sys.executable, "-m", "narrows", "run", "--recipe", str(recipe), *clock, *script]
    return found


def seconds(command: Sequence[str], cache: Path) -> tuple[float, str]:
    """The steady step of one run in a fresh process, and what it wrote to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seconds"
        words = [str(out) if word == "{OUT}" else word for word in command]
        # Each variant is compiled once, and not in each round.
        told = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(cache)}
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=told, timeout=LONGEST, check=False)
        if done.returncode or not out.exists():
            raise RuntimeError(done.stderr[-2000:])
        return json.loads(out.read_text()), done.stderr


def measure(job: Job, made: Optimized, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Seconds of a step by variant and round; a variant that fails once is left out."""
    todo = commands(job, made.recipe)
    found: dict[str, list[float]] = {name: [] for name in todo}
    for turn in range(rounds):
        for name in list(todo) if turn % 2 == 0 else list(todo)[::-1]:
            try:
                step, said = seconds(todo[name], folder / "compiled")
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                if name == "original":
                    raise
                print(f"{job.name}: {name} failed: {error}", file=sys.stderr, flush=True)
                del todo[name], found[name]
                continue
            found[name].append(step)
            if name == "narrows":
                made.not_applied.update(re.findall(r"narrows: (\S+) could not be applied", said))
            print(f"{job.name}: round {turn + 1}, {name}: {1e3 * step:.2f} ms", flush=True)
    return found


def page(rows: dict[str, str], made_by: list[str]) -> str:
    lines = [rows[job.name] for job in JOBS if job.name in rows]
    missing = [f"`{job.name}`" for job in JOBS if job.name not in rows]
    made = [
        f"# What optimize gains{'' if bf16.FAST else ' without bfloat16'}",
        "",
        *made_by,
        f"This processor {'has' if bf16.FAST else 'has no'} instructions for bfloat16. {OTHER}.",
        "",
        "`narrows optimize --budget 10m` ran once on each job. Then six variants ran in turn, each second round backwards, each in a fresh process, "
        "and the same clock timed their steady steps: the original; a copy that a person made faster by hand with the "
        "same classes of remedy (`benchmarks/gains/*.by_hand.py`: settings and lines, the code stays as it is); one that "
        "was rewritten for speed (`*.rewritten.py`: same model, same batch, same mathematics; augmentation and "
        "gradients in other code, which no remedy does); the original with its model compiled; a copy with what Accelerate, Lightning or the Trainer offer "
        "(`*.automatic.py`); and the original under `narrows run` with the recipe.",
        "",
        "Speed-ups are ratios to the original of the same round, with the interval of the signed-rank test. *Share* is "
        "(narrows - 1) / (by hand - 1). *Took* is the wall time of `narrows optimize`, beside 20 x 200 original steps + "
        "60 s. Where no recipe was written the original stands, and the speed-up is 1.",
        "",
        "| job | original, ms | by hand | rewritten | torch.compile alone | automatic | narrows | share | recipe | took / bound | measured |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
        *lines,
        "",
        *([summary(lines)] if lines else []),
        *([f"\nNot measured here: {', '.join(missing)}."] if missing else []),
    ]
    return "\n".join(made) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="NAME[,NAME]")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    names = [job.name for job in JOBS]
    if unknown := set(options.only) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    rows = kept(PAGE) if options.only else {}
    made_by = provenance(PAGE, f"python benchmarks/optimize.py --rounds {options.rounds}", options.only)
    for job in JOBS:
        if options.only and job.name not in options.only:
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                made = optimize(job, Path(folder))
                print(f"{job.name}: optimize took {made.seconds:.0f} s: {made.remedies or 'no recipe'}", flush=True)
                found = measure(job, made, options.rounds, Path(folder))
                rows[job.name] = line(job.name, found, commands(job, made.recipe), made.seconds, made.words)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"{job.name}: {error}", file=sys.stderr, flush=True)
                continue
        print(rows[job.name], flush=True)
        if not options.no_write:  # after each job: the whole takes hours
            PAGE.write_text(page(rows, made_by))
    if options.no_write:
        print(page(rows, made_by))


if __name__ == "__main__":
    main()
