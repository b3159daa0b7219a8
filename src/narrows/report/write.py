"""Puts a report where it was asked for."""

import os
import sys
from pathlib import Path

from narrows.job.failure import Failure
from narrows.report.language import LANGUAGES, words
from narrows.report.model import Report, encode


def check(
    *, json: str | None, html: str | None, markdown: str | None, lang: str, recipe: Path | None = None
) -> None:  # fmt: skip
    """Before anything is run: can what was asked for be written? Raises `Failure` with 2."""
    if lang not in LANGUAGES:
        raise Failure(f"there is no report in {lang!r}; there are: {', '.join(LANGUAGES)}", 2)
    for path in (json, html, markdown, recipe and str(recipe)):
        if path and path != "-" and not Path(path).absolute().parent.is_dir():
            raise Failure(f"{path} cannot be written: its folder does not exist", 2)
        if path and Path(path).is_dir():
            raise Failure(f"{path} cannot be written: it is a folder", 2)
    if html == "-":
        raise Failure("--html needs a file: only --json and --markdown can go to standard output", 2)
    if json == "-" and markdown == "-":
        raise Failure("only one of --json and --markdown can go to standard output", 2)


def show(
    report: Report, folder: Path | None, *, json: str | None, html: str | None, markdown: str | None, lang: str,
    quiet: bool, colour: bool,
) -> None:  # fmt: skip
    """Write the faces that were asked for, and print the terminal's on standard error."""
    say = words(lang)
    if folder is not None:
        _save(folder / "report.json", encode(report), quiet=True)
    if json:
        put(json, encode(report) + b"\n")
    if markdown:
        from narrows.report.faces import markdown as face

        put(markdown, face.render(report, say).encode())
    if html:
        from narrows.report.faces import html as page

        put(html, page.render(report, say).encode())
    if not quiet:
        from rich.console import Console

        from narrows.report.faces import terminal

        plain = not colour or bool(os.environ.get("NO_COLOR"))
        console = Console(stderr=True, no_color=plain, highlight=False)
        terminal.render(report, console, say)
        if folder is not None:
            near = os.path.relpath(folder)
            opens = say("aside", text=say("next.report", run=near), aside=say("next.report.why"))
            console.print()
            console.print(say("label", label=say("next")) + opens, style="dim", soft_wrap=True, markup=False)


def put(path: str, data: bytes) -> None:
    if path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        _save(Path(path), data)


def _save(path: Path, data: bytes, *, quiet: bool = False) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        try:
            part.unlink(missing_ok=True)
        except OSError:
            pass  # whatever keeps the folder from being written keeps the part in it
        if not quiet:
            raise Failure(f"{path} cannot be written: {error.strerror}") from None
