"""The command line: one file for each command, found by looking."""

import importlib
import os
import pkgutil
import sys

import typer

from narrows.job.failure import Failure

HELP = "Finds what limits a deep-learning job, says how far it is from what this machine could do, and proves it."


def app() -> typer.Typer:
    """Every module of this package with a `register` is a command; adding one edits no list."""
    # Plain help: the decorated one imports a terminal library, which takes longer than everything else here.
    made = typer.Typer(
        help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )

    @made.callback(invoke_without_command=True)
    def root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
        if version:
            from narrows import __version__

            typer.echo(f"narrows {__version__}")
            raise typer.Exit

    for module in pkgutil.iter_modules(__path__):
        register = getattr(importlib.import_module(f"{__name__}.{module.name}"), "register", None)
        if register is not None:
            register(made)
    return made


def main() -> None:
    """The console script. What goes wrong ends here, as one sentence and an exit code."""
    try:
        app()()
    except Failure as failure:
        sys.stderr.write(f"narrows: {failure.message}\n")
        sys.exit(failure.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(125)
    except Exception as error:
        if os.environ.get("NARROWS_DEBUG"):
            raise
        sys.stderr.write(f"narrows: failed: {error} (set NARROWS_DEBUG=1 to see where)\n")
        sys.exit(125)
