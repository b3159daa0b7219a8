"""What narrows says of jobs of several ranks, beside what is really saved, and what it forecasts, beside what is measured.

    python benchmarks/distributed.py [--pairs 6] [--only NAME[,NAME]] [--no-compare] [--no-forecast]
                                     [--no-optimize] [--no-write]

Each script of `benchmarks/distributed/` runs with 2 ranks as it is and with its cause removed (`--without sync`, `straggler`,
`imbalance`, `loop`), in turn, each second pair backwards, in fresh processes and without narrows; what is saved is a share of
the step, with the interval of the signed-rank test. `narrows diagnose` runs beside every second pair. Then a step on 2, 3 and 4 ranks
of this machine is forecast from runs with 1 and 2, and timed; and `narrows optimize` runs on those that name a remedy. Writes
`docs/distributed.md`. Some 40 minutes on a machine that does nothing else.
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance import provenance

from narrows.machine import hardware
from narrows.report.forecast import with_forecast
from narrows.trials.gain import interval

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "distributed.md"
SCRIPTS = ROOT / "benchmarks" / "distributed"
CLOCK = ROOT / "benchmarks" / "stepclock.py"
AGREES, NEAR = 0.10, 0.10
LONGEST = 300
SEEN, AHEAD = 2, (2, 3, 4)
"""Ranks that are run to forecast from, and that are forecast: the first as a check of what it starts from."""


@dataclass(frozen=True)
class Case:
    script: Path

    @property
    def name(self) -> str:
        return self.script.stem

    @property
    def facts(self) -> dict:
        for node in ast.parse(self.script.read_text()).body:
            if isinstance(node, ast.Assign) and node.targets[0].id == "CASE":
                return ast.literal_eval(node.value)
        raise ValueError(f"{self.script} has no CASE")

    @property
    def says(self) -> str:
        return ast.get_docstring(ast.parse(self.script.read_text())) or ""

    @property
    def of_one_process(self) -> bool:
        """No cause is removed from it: it is there to be run as several."""
        return "without" not in self.facts

    def words(self, ranks: int) -> list[str]:
        return [sys.executable] if self.of_one_process else ["torchrun", "--nproc-per-node", str(ranks)]


def run(words: Sequence[str], folder: str) -> None:
    """Once more if it fails: a rank's own threads now and then abort it at its very end, also without narrows (seen with gloo
    on torch 2.13: "terminate called without an active exception")."""
    for _ in range(2):
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=LONGEST, check=False)
        if not done.returncode:
            return
    raise RuntimeError(done.stderr[-2000:])


def seconds(case: Case, ranks: int, *more: str) -> float:
    """The steady step, without narrows."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seconds.json"
        run([*case.words(ranks), str(CLOCK), str(out), str(case.script), *more], folder)
        return json.loads(out.read_text())


def diagnosed(case: Case, ranks: int, folder: Path) -> Path:
    """The run's folder."""
    out = folder / f"{case.name}-{ranks}-{len(list(folder.iterdir()))}"
    run(
        [
            sys.executable,
            "-m",
            "narrows",
            "diagnose",
            "--quiet",
            "--out",
            str(out),
            *case.words(ranks),
            str(case.script),
        ],
        str(folder),
    )
    return next(path for path in out.iterdir() if path.is_dir())


def claim(report: dict, facts: dict) -> float:
    """The row's share of the step; or that of the finding which says most, where only a part of the row is removed."""
    if "row" in facts:
        return next(row["share"] for row in report["ledger"] if row["cause"] == facts["row"])
    found = [f["seconds"] for f in report["findings"] if f["id"] in facts["findings"]]
    return max(found, default=0.0) / report["step"]["median_seconds"]


def compared(case: Case, pairs: int, folder: Path) -> dict:
    facts = case.facts
    without = ("--without", facts["without"])
    saved, reports = [], []
    for number in range(pairs):
        orders = [(), without] if number % 2 == 0 else [without, ()]
        took = {more: seconds(case, SEEN, *more) for more in orders}
        saved.append(1 - took[without] / took[()])
        if number % 2 == 0:
            reports.append(json.loads((diagnosed(case, SEEN, folder) / "report.json").read_text()))
    low, high = interval(saved)
    claims = [claim(report, facts) for report in reports]
    last = reports[-1]
    return {
        "claimed": statistics.median(claims), "saved": statistics.median(saved), "low": low, "high": high,
        "verdict": last["verdict"]["cause"], "by": facts.get("row") or "/".join(facts["findings"]),
        "seen": sorted({f["id"] for report in reports for f in report["findings"] if f["id"] in facts.get("findings", ())}),
        "unexplained": max(r["share"] for report in reports for r in report["ledger"] if r["cause"] == "unexplained"),
    }  # fmt: skip


def compared_line(case: Case, r: dict) -> str:
    off = r["claimed"] - r["saved"]
    miss = "" if abs(off) <= AGREES else " **miss**"
    between = f"{r['low']:.0%} to {r['high']:.0%}" if r["high"] <= 1 else "-"
    by = f"row `{r['by']}`" if "row" in case.facts else ", ".join(f"`{name}`" for name in r["seen"]) or "nothing found"
    return (
        f"| `{case.name}` | {case.facts['without']} | {by} | {r['claimed']:.0%} | {r['saved']:.0%} | {between} | "
        f"{100 * off:+.0f}{miss} | {r['verdict']} | {r['unexplained']:.1%} |"
    )


def ahead(case: Case, rounds: int, folder: Path) -> list[str]:
    """Forecast and measured, for each number of ranks; in turn, so that a drift of the machine is in both."""
    lines, forecasts, measured = [], {n: [] for n in AHEAD}, {n: [] for n in AHEAD}
    for _ in range(rounds):
        alone, several = diagnosed(case, 1, folder), diagnosed(case, SEEN, folder)
        for n in AHEAD:
            made = with_forecast(several, alone, [n], "en", per_machine=n).forecast
            forecasts[n].append(next(r for r in made.rows if r.scaling == "weak" and r.model == "ring"))
            measured[n].append(seconds(case, n))
    for n in AHEAD:
        told, took = statistics.median(r.step_seconds for r in forecasts[n]), statistics.median(measured[n])
        off = told / took - 1
        miss = "" if abs(off) <= NEAR else " **miss**"
        part = statistics.median(r.communication_seconds / r.step_seconds for r in forecasts[n])
        efficiency = statistics.median(r.efficiency for r in forecasts[n])
        lines.append(
            f"| `{case.name}` | {n} | {told * 1e3:.1f} ms | {took * 1e3:.1f} ms ({min(measured[n]) * 1e3:.1f} to {max(measured[n]) * 1e3:.1f}) | "
            f"{off:+.0%}{miss} | {part:.0%} | {efficiency:.0%} |"
        )
        print(lines[-1], flush=True)
    return lines


def optimized(case: Case, folder: Path) -> str:
    """What is proven by trials, with its interval: of the remedy that the finding names, as all of them would take an hour."""
    out, recipe = folder / f"{case.name}.optimize.json", folder / f"{case.name}.toml"
    subprocess.run(
        [sys.executable, "-m", "narrows", "optimize", "--quiet", "--budget", "8m", "--json", str(out), "--out", str(folder / "o"),
         "--recipe", str(recipe), "--only", case.facts["remedy"], *case.words(SEEN), str(case.script)],
        capture_output=True, cwd=folder, timeout=900, check=False,
    )  # fmt: skip
    found = json.loads(out.read_text()).get("recipe") or {} if out.exists() else {}
    if not found.get("remedies") or not found.get("ci95"):
        return f"| `{case.name}` | nothing was proven | | |"
    low, high = found["ci95"]
    return f"| `{case.name}` | {', '.join(found['remedies'])} | {found['speedup']:.2f} ({low:.2f} to {high:.2f}) | {found['parity']} |"


def named(row: str, columns: int) -> str:
    return " ".join(row.split("|")[1 : 1 + columns])


def kept(heading: str, columns: int) -> dict[str, str]:
    """The rows of a table of the page that is there, by what they begin with."""
    text = PAGE.read_text() if PAGE.exists() else ""
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {named(line, columns): line for line in section.splitlines() if line.startswith("| `")}


def merged(heading: str, fresh: Sequence[str], head: str, rule: str, *, columns: int = 1) -> list[str]:
    """`columns`: that tell rows apart; a fresh row takes the place of the one that is there."""
    rows = {**kept(heading, columns), **{named(line, columns): line for line in fresh}}
    return [f"## {heading}", "", head, rule, *[rows[name] for name in sorted(rows)], ""] if rows else []


def page(cases: Sequence[Case], tables: dict[str, list[str]], made_by: list[str]) -> str:
    compared_rows = merged(
        "The verdict and the counterfactual", tables["compared"],
        "| job | removed | said by | claimed | saved | 95% | difference | verdict | unexplained |", "|---|---|---|---:|---:|---:|---:|---|---:|",
    )  # fmt: skip
    good = sum(line.startswith("| `") and "**miss**" not in line for line in compared_rows)
    every = sum(line.startswith("| `") for line in compared_rows)
    return "\n".join([
        "# Jobs of several ranks", "",
        *made_by, "",
        f"With gloo, one thread a rank if nothing else is said. Each script of `benchmarks/distributed/` ran with {SEEN} ranks as it "
        "is and with its cause removed, in turn and without narrows: *saved* is the share of the step, with its interval. *Claimed* is what "
        "`narrows diagnose torchrun --nproc-per-node 2 SCRIPT` said.", "",
        f"**{good} of {every} agree within {AGREES * 100:.0f} points.** Misses stay in the tables.", "",
        *compared_rows,
        *merged("The forecast and the measured step", tables["ahead"],
                "| job | ranks | forecast | measured (least to most) | difference | communication | efficiency |", "|---|---:|---:|---:|---:|---:|---:|", columns=2),
        f"Forecast from runs with 1 and {SEEN} ranks: `narrows report RUN --forecast 3,4 --alone RUN1 --per-machine 4`, with as many samples on each rank. "
        f"All ranks are on this machine, so with more than {hardware.cores()} they share its cores.", "",
        *merged("What was proven", tables["optimized"], "| job | remedies | speed-up (95%) | results |", "|---|---|---:|---|"),
        "`narrows optimize --only REMEDY` with the remedy that the finding names; `samples` is a job of one process, which `distribute` runs "
        "as two.", "",
        "## The jobs", "",
        *(f"- `{case.name}`: {case.says}" for case in cases), "",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=4, help="of the forecast")
    parser.add_argument("--only")
    parser.add_argument("--no-compare", action="store_true")
    parser.add_argument("--no-forecast", action="store_true")
    parser.add_argument("--no-optimize", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["OMP_NUM_THREADS"] = "1"
    cases = [Case(path) for path in sorted(SCRIPTS.glob("*.py"))]
    wanted = options.only.split(",") if options.only else [case.name for case in cases]
    tables: dict[str, list[str]] = {"compared": [], "ahead": [], "optimized": []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for case in cases:
            if case.name not in wanted:
                continue
            try:
                if not options.no_compare and not case.of_one_process:
                    tables["compared"].append(compared_line(case, compared(case, options.pairs, Path(folder))))
                    print(tables["compared"][-1], flush=True)
                if case.facts.get("forecast") and not options.no_forecast:
                    tables["ahead"] += ahead(case, options.rounds, Path(folder))
                if case.facts.get("remedy") and not options.no_optimize:
                    tables["optimized"].append(optimized(case, Path(folder)))
                    print(tables["optimized"][-1], flush=True)
            except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
                print(f"{case.name}: {error}", file=sys.stderr)
    made_by = provenance(
        PAGE, f"python benchmarks/distributed.py --pairs {options.pairs}", wanted if options.only else []
    )
    text = page(cases, tables, made_by)
    if options.no_write:
        print(text)
    else:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
