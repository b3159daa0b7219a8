"""`narrows workload`: lists the built-in workloads, runs one, or all."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options


def workload(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="A workload and its options (--infer, --slow, ...); none: list them.", metavar="[NAME]..."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Train all, and show how well each does.")] = False,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="With --all: write the table to this file, too.", metavar="PATH")
    ] = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """List the built-in workloads, run one from raw data to answers, or train all of them."""
    from narrows.gallery import catalogue, show
    from narrows.job.failure import Failure

    if every and words:
        raise Failure("--all trains every workload: name none", 2)
    if markdown is not None and not every:
        raise Failure("--markdown is for --all", 2)
    if every:
        raise typer.Exit(show.train_all(markdown, quiet=quiet, colour=not no_color))
    if words:
        name, *rest = words
        raise typer.Exit(show.one(catalogue.installed(name.lstrip("@")), rest, quiet=quiet))
    show.listing(colour=not no_color)


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(workload)
