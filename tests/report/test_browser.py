"""The page in a real browser: it opens from a file, runs nothing, asks for nothing, and fits a telephone."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from narrows.report.faces import html
from narrows.report.language import words
from tests.report import sample

pytestmark = pytest.mark.browser

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = os.environ.get("NARROWS_TEST_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"NO BROWSER: install one of {', '.join(NAMES)}, or name one in NARROWS_TEST_BROWSER")
    driver = pytest.importorskip("playwright.sync_api")
    with driver.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.mark.parametrize("width", [1200, 420])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_the_page(browser: Any, tmp_path: Path, name: str, width: int) -> None:
    path = tmp_path / "page.html"
    path.write_text(html.render(sample.SAMPLES[name](), words("en")), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800})
    heard: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: heard.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert heard == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("JSON.parse(document.getElementById('report').textContent).schema") == "narrows.report/1"
    page.close()


def test_a_finding_opens_without_scripts(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(html.render(sample.training(), words("en")), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    told = page.get_by_text("Make each op do more.")
    assert told.is_visible()
    page.locator("summary").nth(1).click()
    assert not told.is_visible()
    page.close()
