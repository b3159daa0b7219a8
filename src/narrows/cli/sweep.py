"""`narrows sweep JOB`: one job over several settings or machines, in one comparison."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options
from narrows.job.failure import Failure


def sweep(
    job: options.Job,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="Values of a variable of the environment: OMP_NUM_THREADS=1,2.", metavar="NAME=VALUES")
    ] = None,
    arg: Annotated[
        list[str] | None, typer.Option("--arg", help="Values of one of the job's options: '--batch 32,64'.", metavar="'--NAME VALUES'")
    ] = None,
    json: options.Json = None,
    markdown: options.Markdown = None,
    steps: options.Steps = 0,
    seconds: options.Seconds = 0.0,
    ray: Annotated[
        str, typer.Option("--ray", help="Run on a Ray cluster's machines: HOST:PORT, auto (the cluster of this machine) or local.",
                          metavar="ADDRESS")
    ] = "",
    each_machine: Annotated[
        bool, typer.Option("--each-machine", help="With --ray: each setting on each machine, which are compared.")
    ] = False,
    out: options.Out = Path(".narrows"),
    lang: options.Lang = "en",
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:  # fmt: skip
    """Run a job with every combination of some settings, and put what limits each in one table."""
    import os

    import msgspec
    from rich.console import Console

    from narrows.report.language import words
    from narrows.report.write import check, put
    from narrows.sweep import faces
    from narrows.sweep.sweep import Wish
    from narrows.sweep.sweep import sweep as run
    from narrows.sweep.variants import variants

    check(json=json, html=None, markdown=markdown, lang=lang)
    try:
        every = variants(env or [], arg or [])
    except ValueError as error:
        raise Failure(str(error), 2) from None
    if each_machine and not ray:
        raise Failure("--each-machine needs --ray ADDRESS", 2)
    made, code = run(
        Wish(words=tuple(job), variants=every, steps=steps, seconds=seconds, out=out, quiet=quiet, lang=lang, ray=ray,
             each_machine=each_machine, aside="-" in (json, markdown))
    )  # fmt: skip
    say = words(lang)
    if json:
        put(json, msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    if markdown:
        put(markdown, faces.markdown(made, say).encode())
    if not quiet:
        plain = no_color or bool(os.environ.get("NO_COLOR"))
        faces.terminal(made, Console(stderr=True, no_color=plain, highlight=False), say)
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(sweep)
