"""The faces over a whole fake run: nothing missing, nothing executed, in both languages."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from narrows.job.facts import Facts
from narrows.report import schema
from narrows.report.build import assemble
from narrows.report.faces import html, markdown, terminal
from narrows.report.language import words
from narrows.report.language.en import WORDS as ENGLISH
from narrows.report.language.zh import WORDS as CHINESE
from narrows.report.model import Machine, Report, decode, encode
from narrows.spool.record import CALL, Process
from tests import fakes

HOSTILE = "</script><script>alert(1)</script>"


def report(*processes: Process, lang: str = "en", **facts: object) -> Report:
    machine = Machine(cpu="fake", cores=2, memory_bytes=1 << 34, devices=[], ceilings=fakes.CEILINGS)
    values = {"id": "1", "created": "2026-11-24T12:00:00Z", "narrows": "0", "command": ["python", HOSTILE], "cwd": "/",
              "ended": "ok", "machine": machine, "wall_seconds": 10.0, **facts}  # fmt: skip
    return assemble(Facts(**values), processes, words(lang))  # type: ignore[arg-type]


def training() -> Process:
    big = fakes.tensor(1024, 1024)
    return fakes.process(
        fakes.boundaries(next=5.0, forward=20.0, tail=1.0),
        fakes.window("ops", ops=(fakes.op("mm", big, big, out=big, ms=15.0),)),
        fakes.window("lines", lines=(fakes.line(9, 1.0, role="callback"),)),
        loss={"first": 2.3}, last_loss={"value": 0.9},
        loader={"workers": 0, "persistent": False, "epoch": 0, "where": [HOSTILE, 3, "main"], "sample": None},
    )  # fmt: skip


REPORTS = {
    "training": lambda lang: report(training(), lang=lang),
    "no probe": lambda lang: report(lang=lang),
    "no step": lambda lang: report(fakes.process(()), lang=lang),
    "inference": lambda lang: report(
        fakes.process(
            fakes.boundaries(kind=CALL, forward=2.0, loss=1.0),
            fakes.window("ops", ops=(fakes.op("add", fakes.tensor(4), out=fakes.tensor(4)),)),
        ),
        lang=lang,
    ),
    "crashed": lambda lang: report(
        fakes.process(fakes.boundaries(39, forward=2.0), end={"error": "ValueError: no"}), lang=lang, ended="error",
        exit_code=1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", sorted(REPORTS))
@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_face_shows_every_kind_of_report(name: str, lang: str, width: int) -> None:
    made = REPORTS[name](lang)
    assert decode(encode(made)) == made
    text = io.StringIO()
    terminal.render(made, Console(file=text, width=width, no_color=True), words(lang))
    assert text.getvalue().strip()
    assert max(map(len, text.getvalue().splitlines())) <= width
    page = html.render(made, words(lang))
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert markdown.render(made, words(lang)).startswith("# narrows")


def test_the_verdict_leads() -> None:
    made = REPORTS["training"]("en")
    assert made.verdict is not None
    assert made.verdict.cause == "compute"
    assert made.health is not None
    assert (made.health.loss_first, made.health.loss_last) == (2.3, 0.9)
    assert "57%" in made.verdict.sentence or "58%" in made.verdict.sentence


def test_a_crash_keeps_the_steps_before_it() -> None:
    made = REPORTS["crashed"]("en")
    assert made.step is not None
    assert made.step.count == 39
    assert made.job.ended == "error"
    assert made.job.error == "ValueError: no"


def test_unexplained_time_leads_with_a_warning() -> None:
    big = fakes.tensor(1024, 1024)
    job = fakes.process(
        fakes.boundaries(forward=5.0, tail=5.0),
        fakes.window("ops", ops=(fakes.op("mm", big, big, out=big, ms=5.0),)),
    )
    assert any("unexplained" in text for text in report(job).measurement.warnings)


def test_both_languages_have_the_same_words() -> None:
    assert set(ENGLISH) == set(CHINESE)


def test_the_schema_that_is_shipped_is_that_of_the_types() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    shipped = json.loads(Path(schema.PATH).read_text())
    assert shipped == schema.made()
    jsonschema.validate(json.loads(encode(REPORTS["training"]("en"))), shipped)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"schema": "other/9"}'])
def test_what_is_no_report_is_refused_in_a_sentence(text: bytes) -> None:
    with pytest.raises(ValueError, match="report"):
        decode(text)
