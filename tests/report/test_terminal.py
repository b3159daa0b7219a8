"""The terminal's face: what leads, what fits, and what a job's own text may not do."""

import io
import re

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from narrows.report.capacity import Predicted
from narrows.report.faces import terminal
from narrows.report.faces.waterfall import Bar
from narrows.report.language import words
from narrows.report.model import Report
from tests.report import sample
from tests.report.strict import Strict


def shown(report: Report, *, width: int = 80, lang: str = "en", colour: bool = False, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(file=file, width=width, force_terminal=colour, no_color=not colour, highlight=False)
    terminal.render(report, console, Strict(words(lang)))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_it_fits(name: str, width: int, lang: str) -> None:
    lines = shown(sample.SAMPLES[name](), width=width, lang=lang).splitlines()
    assert max(map(cell_len, lines)) <= min(width, terminal.WIDEST)
    assert not [line for line in lines if line != line.rstrip()]


def test_what_leads() -> None:
    text = shown(sample.unexplained())
    order = ["python train.py", "unexplained.", "49% of each step", "Ledger", "Gauges", "Phases", "Findings", "Memory"]
    assert sorted(order, key=text.index) == order


def test_the_ledger_goes_down_to_the_limit() -> None:
    rows = [line for line in shown(sample.training()).splitlines() if re.search(r"[█▌▐░].*%", line)]
    bars = {row[:18].strip(): row for row in rows[:8]}
    assert list(bars) == ["measured step", "input", "host", "overhead", "bandwidth", "compute", "unexplained",
                          "limit, same ops"]  # fmt: skip
    begins = [min(map(row.find, filter(row.__contains__, "█▌▐░"))) for row in list(bars.values())[1:7]]
    assert begins == sorted(begins, reverse=True)
    assert re.search(r" 20\.0 ms +49% +0$", bars["input"])
    assert re.search(r"~8\.60 ms +21% +6\.90 ms$", bars["compute"]), "a modelled row says so"
    assert "transfer" not in bars


def test_numbers_stand_in_the_same_columns() -> None:
    lines = shown(sample.training()).splitlines()
    assert len({line.index("%") for line in lines if re.search(r"(ms|µs) +[\d.]+%", line)}) == 1


def test_a_job_without_steps_says_where_the_time_went() -> None:
    text = shown(sample.no_step())
    assert "No step was seen." in text
    assert "exit code 3" in text
    assert re.search(r"program +█+.* 40\.1 s +97%", text)
    assert "Ledger" not in text


def test_without_ceilings_the_step_is_still_shown() -> None:
    assert "41.1 ms a step, 1,557 samples/s" in shown(sample.no_ledger())


def test_inference_shows_percentiles_and_proofs() -> None:
    text = shown(sample.inference(), width=120)
    assert "p50 41.0 ms, p95 52.0 ms, p99 61.3 ms" in text
    assert "saves 18.1 ms of each step (95%: 17.5 ms to 18.8 ms, 12 pairs)" in text
    assert "averaged over 16" in text


def test_ranks() -> None:
    assert re.search(r"rank 1 +41\.1 ms, waits for others 2\.00 ms, input 49%", shown(sample.two_ranks()))


def test_colour_is_only_colour() -> None:
    plain, coloured = shown(sample.training()), shown(sample.training(), colour=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_a_job_cannot_drive_the_terminal() -> None:
    text = shown(sample.hostile())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_a_terminal_with_only_ascii() -> None:
    lines = shown(sample.training(), encoding="ascii").splitlines()
    assert any("####" in line and "input" in line for line in lines)
    assert any("-----" in line and "compute" in line for line in lines)


@pytest.mark.parametrize(
    ("start", "floor", "end", "drawn"),
    [
        (0.0, 0.0, 1.0, "████"),
        (0.5, 0.5, 1.0, "  ██"),
        (0.125, 0.0, 0.375, "▐▌"),
        (0.0, 0.5, 1.0, "░░██"),
        (0.0, 1.0, 1.0, "░░░░"),
        (0.999, 0.0, 1.0, "   ▐"),
        (0.0, 0.0, 0.0, "▌"),
    ],
)
def test_a_bar(start: float, floor: float, end: float, drawn: str) -> None:
    row = Bar(kind="input", label="", start=start, floor_end=floor, end=end, seconds=0.0, floor_seconds=0.0,
              basis="measured")  # fmt: skip
    assert terminal.draw(row, 4) == drawn


def test_how_long_a_step_takes_at_other_sizes() -> None:
    text = " ".join(shown(sample.fitted(), width=300).split())
    assert "512 it takes 1.50 s a step (no interval), modelled." in text
    assert "200 ms a step (190 ms to 220 ms), measured" in text
    assert "its power of 1.70, modelled, in real runs 1.60 to 1.80" in text
    assert "time: its power of 0.10 (-0.10 to 0.30) from 32 to 64, which may be none at all" in text
    assert "time: its power of 0.10 from 32 to 64 (too few rounds for an interval)" in text


def test_a_size_above_the_largest_that_fitted_once_is_not_said_to_fit() -> None:
    found = sample.fitted()
    assert found.capacity is not None
    assert found.capacity.batch is not None
    sizes = [Predicted(size=n, peak_bytes=1, needed_bytes=1, fits=n < 400, basis="measured") for n in (300, 350, 400)]
    batch = replace(found.capacity.batch, predicted=sizes)
    text = " ".join(shown(replace(found, capacity=replace(found.capacity, batch=batch)), width=300).split())
    assert "300 1 B, fits, measured" in text
    assert "350 1 B, fitted once, and may not the next time, measured" in text
    assert "400 1 B, does not fit, measured" in text


def test_what_holds_next_to_nothing_is_not_named() -> None:
    assert "crumb" not in shown(sample.fitted(), width=300)


def test_a_measured_time_stands_for_the_warning_of_more() -> None:
    text = " ".join(shown(sample.fitted(), width=300).split())
    assert "activation-checkpointing 128 MiB, 88% less, fits, 1.21 x the time" in text
    assert "activation-checkpointing = 2 128 MiB, 88% less, does not fit, takes more time" in text


def test_ranks_that_share_what_there_is_are_told_their_share() -> None:
    found = sample.fitted()
    assert found.capacity is not None
    shared = replace(found, capacity=replace(found.capacity, limit_ranks=4))
    assert "this machine has 1.00 GiB for each of 4 ranks" in " ".join(shown(shared, width=300).split())
