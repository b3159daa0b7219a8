"""`narrows optimize JOB`: tries remedies, keeps what is proven, and writes the recipe."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import options


def optimize(
    job: options.Job,
    json: options.Json = None,
    html: options.Html = None,
    markdown: options.Markdown = None,
    budget: Annotated[
        str, typer.Option("--budget", help="Time for the trials: 90s, 10m, 2h.", metavar="TIME")
    ] = "10m",
    allow: Annotated[
        str, typer.Option("--allow", help="Also remedies that trade time for memory, or change what is learned: "
                          "memory,training.", metavar="CLASSES")
    ] = "",
    memory: Annotated[
        str, typer.Option("--memory", help="What the job is to fit in: 16GiB, 16GB, 16000MiB. Also remedies that trade time "
                          "for memory, as far as they are needed.", metavar="SIZE")
    ] = "",
    only: Annotated[str, typer.Option("--only", help="Try these remedies only.", metavar="NAMES")] = "",
    skip: Annotated[str, typer.Option("--skip", help="Do not try these.", metavar="NAMES")] = "",
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="Steady steps of a trial; default: what one second takes.", metavar="N")
    ] = 0,
    recipe: Annotated[
        Path, typer.Option("--recipe", help="Where the recipe is written; never over a file that is there.", metavar="PATH")
    ] = Path("narrows.toml"),
    allow_writes: options.AllowWrites = False,
    ray: Annotated[
        str, typer.Option("--ray", help="Run the trials on a Ray cluster's machines: HOST:PORT, auto (the cluster of this "
                          "machine) or local.", metavar="ADDRESS")
    ] = "",
    out: options.Out = Path(".narrows"),
    lang: options.Lang = "en",
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:  # fmt: skip
    """Try remedies without editing the script, and keep what paired runs prove."""
    from narrows.cli.wishes import classes, duration, names, size
    from narrows.report.build import build
    from narrows.report.write import check, show
    from narrows.trials.optimize import optimize as run
    from narrows.trials.wish import Wish

    check(json=json, html=html, markdown=markdown, lang=lang, recipe=recipe)
    wish = Wish(
        words=tuple(job), out=out, recipe=recipe, budget=duration(budget), memory=size(memory),
        classes=classes(allow) | ({"memory"} if memory else set()), only=names(only),
        skip=names(skip), allow_writes=allow_writes, steps=steps, ray=ray, quiet=quiet,
    )  # fmt: skip
    folder, code = run(wish)
    show(build(folder, lang), folder, json=json, html=html, markdown=markdown, lang=lang, quiet=quiet,
         colour=not no_color)  # fmt: skip
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(optimize)
