"""Options that mean the same in every command."""

from pathlib import Path
from typing import Annotated, Any

import typer

Job = Annotated[
    list[str], typer.Argument(help="The command to run, untouched: python train.py --lr 1e-3", metavar="JOB")
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        help="Write the report as JSON; - is standard output, and the job's goes to standard error.",
        metavar="PATH",
    ),
]
Html = Annotated[str | None, typer.Option("--html", help="Write the report as one HTML page.", metavar="PATH")]
Markdown = Annotated[
    str | None, typer.Option("--markdown", help="Write it as Markdown; - is standard output.", metavar="PATH")
]
Steps = Annotated[
    int, typer.Option("--steps", min=0, help="Measure so many steady steps, then stop the job.", metavar="N")
]
Seconds = Annotated[float, typer.Option("--seconds", min=0, help="Stop the job after so long.", metavar="S")]
AllowWrites = Annotated[
    bool, typer.Option("--allow-writes", help="Run trials even where they cannot be kept from writing.")
]
Out = Annotated[Path, typer.Option("--out", help="Where runs are kept.", metavar="DIR")]
Lang = Annotated[str, typer.Option("--lang", help="Language of the report: en or zh.", metavar="LANG")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No live line, no report in the terminal.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.")]

PREFIX: dict[str, Any] = {
    # Everything after the command's own options is the job's, whatever it looks like.
    "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False}
}
