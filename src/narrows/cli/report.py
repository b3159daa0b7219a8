"""`narrows report RUN`: opens a saved report again, running nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narrows.cli import options
from narrows.job.failure import Failure

if TYPE_CHECKING:
    from narrows.report.model import Report


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, or a report's JSON file.", metavar="RUN")],
    json: options.Json = None,
    html: options.Html = None,
    markdown: options.Markdown = None,
    lang: options.Lang = "en",
    no_color: options.NoColor = False,
    forecast: Annotated[
        str, typer.Option("--forecast", help="Of a run of several ranks: what a step would take on so many, as 4,8,64. Needs "
                          "--alone.", metavar="RANKS")
    ] = "",
    alone: Annotated[
        Path | None, typer.Option("--alone", help="The run of the same job as one process.", metavar="RUN")
    ] = None,
    per_machine: Annotated[
        int, typer.Option("--per-machine", min=0, help="Ranks on each machine; default: as in the run.", metavar="N")
    ] = 0,
    link: Annotated[
        str, typer.Option("--link", help="Latency and bandwidth between two ranks, as 20us,12.5GB/s; default: as measured "
                          "here.", metavar="LINK")
    ] = "",
) -> None:  # fmt: skip
    """Open a saved report again. Of a run's folder it is made anew, in any language."""
    from narrows.report.build import build
    from narrows.report.model import decode
    from narrows.report.write import check, show

    check(json=json, html=html, markdown=markdown, lang=lang)
    try:
        if forecast:
            opened = _forecast(run, alone, forecast, lang, per_machine, link)
        else:
            opened = build(run, lang) if run.is_dir() else decode(run.read_bytes())
    except ValueError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{run} cannot be read: {error.strerror}") from None
    show(opened, None, json=json, html=html, markdown=markdown, lang=lang, quiet=False, colour=not no_color)


def _forecast(run: Path, alone: Path | None, counts: str, lang: str, per_machine: int, link: str) -> "Report":
    from narrows.report.forecast import parse_link, with_forecast

    words = [word.strip() for word in counts.split(",")]
    if not all(word.isdigit() and int(word) for word in words):
        raise Failure(f"{counts!r} are no numbers of ranks; write them as 4,8,64", 2)
    if alone is None:
        raise Failure("--forecast needs --alone RUN, a run of the same job as one process", 2)
    try:
        between = parse_link(link) if link else None
    except ValueError as error:
        raise Failure(str(error), 2) from None
    return with_forecast(run, alone, [int(word) for word in words], lang, per_machine=per_machine, link=between)


def register(app: typer.Typer) -> None:
    app.command()(report)
