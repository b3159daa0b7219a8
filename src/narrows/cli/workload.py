"""`narrows workload`: lists the built-in workloads, or runs one."""

import ast
import subprocess
import sys
from typing import Annotated

import typer

from narrows.cli import options


def workload(
    words: Annotated[
        list[str] | None, typer.Argument(help="A workload and its options; none: list them.", metavar="[NAME]...")
    ] = None,
) -> None:
    """List the built-in workloads, or run one."""
    from narrows.job.command import WORKLOADS, resolve, workload_names

    if words:
        name, *rest = words
        raise typer.Exit(subprocess.call(resolve([f"@{name.lstrip('@')}", *rest]).words))
    for name in workload_names():
        facts = describe((WORKLOADS / f"{name.replace('-', '_')}.py").read_text())
        sys.stdout.write(f"@{name:<10} {facts.get('field', '')}: {facts.get('model', '')}\n")
        sys.stdout.write(
            f"{'':<11} {facts.get('data', '')} ({facts.get('licence', '')}); shows {facts.get('bottleneck', '')}\n"
        )


def describe(source: str) -> dict[str, str]:
    """The `WORKLOAD` literal of a script, read without running it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "WORKLOAD":
            found = ast.literal_eval(node.value)
            return found if isinstance(found, dict) else {}
    return {}


def register(app: typer.Typer) -> None:
    app.command(**options.PREFIX)(workload)
