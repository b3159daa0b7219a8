"""What the faces say of a job that ran out of memory: nothing of one that did not, and each thing that is known."""

import pytest
from msgspec.structs import replace

from narrows.report.faces import crash, html, markdown
from narrows.report.language import LANGUAGES, words
from narrows.report.model import Report
from tests.report import sample
from tests.report.strict import Strict
from tests.report.test_terminal import shown

SAY = words("en")


def changed(report: Report, **values: object) -> str:
    assert report.out_of_memory is not None
    return crash.sentences(replace(report, out_of_memory=replace(report.out_of_memory, **values)), SAY)[0]


@pytest.mark.parametrize("name", ["training", "no step", "hostile"])
def test_another_job_says_nothing_of_it(name: str) -> None:
    report = sample.SAMPLES[name]()
    assert crash.sentences(report, SAY) == []
    assert "Out of memory" not in shown(report) + markdown.render(report, SAY) + html.render(report, SAY)


def test_the_sentence_leads_and_who_held_the_rest_follows() -> None:
    first, held, line = crash.sentences(sample.out_of_memory(), SAY)
    assert first == (
        "Out of memory at net.py:41: 4.00 GiB were asked for, 1.00 GiB short of the limit (address space, 8.00 GiB)."
    )
    assert held == (
        "5.00 GiB were in use: parameters 12.0 MiB, gradients 12.0 MiB, optimizer state 24.0 MiB, input 1.00 MiB, "
        "other 2.00 GiB, 300 MiB of it idle in torch's allocator."
    )
    assert line == f"Asked for by: {sample.HOSTILE} (torch.nn.functional.gelu, forward)"
    text = shown(sample.out_of_memory())
    order = ["python train.py", "Out of memory at net.py:41", "5.00 GiB were in use", "Asked for by:", "Ledger"]
    assert sorted(order, key=text.index) == order


def test_what_is_not_known_is_not_said() -> None:
    report = sample.out_of_memory()
    where = "Out of memory at net.py:41"
    assert (
        changed(report, missed_bytes=None)
        == f"{where}: 4.00 GiB were asked for; the limit is 8.00 GiB (address space)."
    )
    assert changed(report, asked_bytes=None) == f"{where}: the limit is 8.00 GiB (address space)."
    nothing = {"limit_bytes": None, "limit_kind": None, "missed_bytes": None}
    assert changed(report, **nothing) == f"{where}: 4.00 GiB were asked for."
    assert changed(report, **nothing, asked_bytes=None, where=None) == "Out of memory."


def test_a_job_that_the_kernel_killed() -> None:
    said = crash.sentences(sample.killed(), SAY)
    assert said == [
        "Out of memory: the kernel killed it at the limit (control group, 2.00 GiB).",
        "The most it was seen with is 1.50 GiB.",
    ]
    assert changed(sample.killed(), updates=60).endswith("(control group, 2.00 GiB), after 60 updates.")
    assert changed(sample.killed(), limit_bytes=None, limit_kind=None) == "Out of memory: the kernel killed it."


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["out of memory", "killed"])
def test_every_language_has_every_word(name: str, lang: str) -> None:
    said = crash.sentences(sample.SAMPLES[name](), Strict(words(lang)))
    assert all(said)
    assert not [text for text in said if "oom" in text or "{" in text.replace(sample.HOSTILE, "")]


def test_what_a_job_says_is_no_markup() -> None:
    report = sample.out_of_memory()
    assert "<script>alert" not in markdown.render(report, SAY) + html.render(report, SAY)
