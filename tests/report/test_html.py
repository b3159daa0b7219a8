"""The page: self-contained, a real table, and nothing from a job is markup."""

import json
import re
from html.parser import HTMLParser

import pytest

from narrows.report.faces import html
from narrows.report.language import words
from narrows.report.model import Report
from tests.report import sample
from tests.report.strict import Strict


class Seen(HTMLParser):
    """Every tag with its attributes, and the embedded data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.data += data


def page(report: Report, lang: str = "en") -> str:
    return html.render(report, Strict(words(lang)))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_nothing_is_fetched_or_run(name: str, lang: str) -> None:
    report = sample.SAMPLES[name]()
    seen = Seen(page(report, lang))
    assert [kind for tag, kind in seen.tags if tag == "script"] == [{"type": "application/json", "id": "report"}]
    assert not {tag for tag, _ in seen.tags} & {"img", "link", "iframe", "object", "embed", "base", "form", "a"}
    assert not [key for _, kind in seen.tags for key in kind if key in ("src", "href") or key.startswith("on")]


def test_the_data_is_the_report() -> None:
    seen = Seen(page(sample.hostile()))
    assert page(sample.hostile()).startswith("<!doctype html>")
    assert json.loads(seen.data)["job"]["command"] == ["python", sample.HOSTILE]


def test_templates_in_a_jobs_text_stay_text() -> None:
    heading = re.search("<h1>(.*)</h1>", page(sample.hostile()))
    assert heading is not None
    assert heading[1].endswith("{{7*7}}")


def test_the_waterfall_is_a_table() -> None:
    text = page(sample.training())
    table = re.search(r'<table class="waterfall">.*?</table>', text, re.S)
    assert table is not None
    names = re.findall(r'<th scope="row">(.*?)</th>', table[0])
    assert names == ["measured step", "input", "host", "overhead", "bandwidth", "compute", "unexplained",
                     "limit, same ops", "limit, ideal"]  # fmt: skip
    assert table[0].count('aria-hidden="true"') == len(names)


def test_without_a_verdict_the_reason_leads() -> None:
    assert "<h1>No step was seen.</h1>" in page(sample.no_step())


def test_the_language_is_named() -> None:
    assert '<html lang="zh">' in page(sample.training(), "zh")
