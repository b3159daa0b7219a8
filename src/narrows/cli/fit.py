"""`narrows fit JOB`: who holds the memory, whether the job fits, and what would make it fit."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options


def fit(
    job: options.Job,
    json: options.Json = None,
    html: options.Html = None,
    markdown: options.Markdown = None,
    memory: Annotated[
        str, typer.Option("--memory", help="What the job is to fit in: 16GiB, 16GB, 16000MiB; default: what this machine "
                          "offers.", metavar="SIZE")
    ] = "",
    batch: Annotated[int, typer.Option("--batch", min=0, help="Predict this batch.", metavar="N")] = 0,
    batch_from: Annotated[
        str, typer.Option("--batch-from", help="The job's option, or the name in its script, that is the batch; else it "
                          "is looked for.", metavar="NAME")
    ] = "",
    sequence: Annotated[
        int, typer.Option("--sequence", min=0, help="Predict this length of the sequences.", metavar="N")
    ] = 0,
    sequence_from: Annotated[
        str, typer.Option("--sequence-from", help="The job's option, or the name in its script, that is their length; else "
                          "it is looked for.", metavar="NAME")
    ] = "",
    time: Annotated[
        bool, typer.Option("--time", help="Also time a step at other batches and lengths, and say how time grows: some "
                           "minutes more.")
    ] = False,
    steps: Annotated[
        int, typer.Option("--steps", min=2, help="Updates that are run for real.", metavar="N")
    ] = 8,
    allow_writes: options.AllowWrites = False,
    out: options.Out = Path(".narrows"),
    lang: options.Lang = "en",
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:  # fmt: skip
    """Show who holds the memory, the largest batch and the longest sequence that fit, and what would make room."""
    from narrows.cli.wishes import size
    from narrows.fit.fit import fit as run
    from narrows.fit.wish import Wish
    from narrows.report.build import build
    from narrows.report.write import check, show

    check(json=json, html=html, markdown=markdown, lang=lang)
    wish = Wish(
        words=tuple(job), out=out, memory=size(memory), batch=batch, batch_from=batch_from,
        sequence=sequence, sequence_from=sequence_from, time=time, steps=steps, allow_writes=allow_writes, quiet=quiet,
    )  # fmt: skip
    folder, code = run(wish)
    show(build(folder, lang), folder, json=json, html=html, markdown=markdown, lang=lang, quiet=quiet,
         colour=not no_color)  # fmt: skip
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(fit)
