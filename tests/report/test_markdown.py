"""Markdown: tables that hold, and text that stays text."""

import re

import pytest

from narrows.report.faces import markdown
from narrows.report.language import words
from tests.report import sample
from tests.report.strict import Strict


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_rows_have_the_columns_of_their_table(name: str, lang: str) -> None:
    text = markdown.render(sample.SAMPLES[name](), Strict(words(lang)))
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_every_row_says_what_it_is() -> None:
    text = markdown.render(sample.training(), words("en"))
    assert "| input | 20.0 ms | 49% | 0 | measured |" in text
    assert "| compute | 8.60 ms | 21% | 6.90 ms | modelled |" in text


def test_a_job_cannot_write_markup() -> None:
    text = markdown.render(sample.hostile(), words("en"))
    spans = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
    rest = spans.sub("", text)
    assert "<" not in rest.replace("<0.1%", "")
    assert not re.search(r"(?<!\\)`", rest)
    assert "<script>" in text, "in a code span it is shown as it was typed"


@pytest.mark.parametrize("name", ["no step", "no ledger"])
def test_no_ledger_is_said(name: str) -> None:
    assert "There is no ledger." in markdown.render(sample.SAMPLES[name](), words("en"))
