"""`narrows diagnose JOB`: what limits this job, and how far it is from what this machine could do."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options


def diagnose(
    job: options.Job,
    json: options.Json = None,
    html: options.Html = None,
    markdown: options.Markdown = None,
    steps: options.Steps = 0,
    seconds: options.Seconds = 0.0,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Then run short children without each large row's cause, and show what it saves."),
    ] = False,
    out: options.Out = Path(".narrows"),
    lang: options.Lang = "en",
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Run a job as it is, and say what limits it."""
    from narrows.job.diagnose import Request
    from narrows.job.diagnose import diagnose as run
    from narrows.report.build import build
    from narrows.report.write import check, show

    check(json=json, html=html, markdown=markdown, lang=lang)
    aside = "-" in (json, markdown)
    folder, code = run(Request(words=tuple(job), steps=steps, seconds=seconds, out=out, quiet=quiet, aside=aside))
    if prove and code == 0:
        from narrows.trials.prove import prove as leave_out

        leave_out(folder, job, quiet=quiet)
    show(build(folder, lang), folder, json=json, html=html, markdown=markdown, lang=lang, quiet=quiet,
         colour=not no_color)  # fmt: skip
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(diagnose)
