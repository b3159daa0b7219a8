"""`narrows report RUN`: opens a saved report again, running nothing."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options
from narrows.job.failure import Failure


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, or a report's JSON file.", metavar="RUN")],
    json: options.Json = None,
    html: options.Html = None,
    markdown: options.Markdown = None,
    lang: options.Lang = "en",
    no_color: options.NoColor = False,
) -> None:
    """Open a saved report again. Of a run's folder it is made anew, in any language."""
    from narrows.report.build import build
    from narrows.report.model import decode
    from narrows.report.write import check, show

    check(json=json, html=html, markdown=markdown, lang=lang)
    try:
        opened = build(run, lang) if run.is_dir() else decode(run.read_bytes())
    except ValueError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{run} cannot be read: {error.strerror}") from None
    show(opened, None, json=json, html=html, markdown=markdown, lang=lang, quiet=False, colour=not no_color)


def register(app: typer.Typer) -> None:
    app.command()(report)
