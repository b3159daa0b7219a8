"""`narrows run --recipe narrows.toml JOB`: runs the job with the recipe's remedies, and nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options


def run(
    job: options.Job,
    recipe: Annotated[Path, typer.Option("--recipe", help="The recipe to apply.", metavar="PATH")] = Path(
        "narrows.toml"
    ),
    quiet: options.Quiet = False,
) -> None:
    """Run a job with a recipe. The script stays as it is, and the exit code is the job's own."""
    import sys

    from narrows.trials.apply import apply

    def say(text: str) -> None:
        if not quiet:
            sys.stderr.write(f"narrows: {text}\n")

    raise typer.Exit(apply(recipe, job, say))


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(run)
