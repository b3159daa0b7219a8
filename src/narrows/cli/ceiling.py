"""`narrows ceiling`: measures this machine's ceilings, and caches them."""

from typing import Annotated

import typer

from narrows.cli import options


def ceiling(
    json: options.Json = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Measure again, whatever the cache has.")] = False,
    threads: Annotated[int, typer.Option("--threads", min=0, help="Default: one for each core.", metavar="N")] = 0,
    python: Annotated[str, typer.Option("--python", help="An interpreter with torch.", metavar="PATH")] = "",
    ranks: Annotated[
        int, typer.Option("--ranks", min=1, help="Collectives are between so many processes; 1: none.", metavar="N")
    ] = 2,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Measure what this machine can do: arithmetic, memory, copies, disk, collectives between processes. Takes up to half
    a minute the first time."""
    import os
    import sys

    import msgspec

    from narrows.job.failure import Failure
    from narrows.job.status import Status
    from narrows.machine import datasheet, hardware, table
    from narrows.machine.ceilings import measured, torch_version
    from narrows.machine.links import links
    from narrows.report.model import Machine
    from narrows.report.write import check, put

    check(json=json, html=None, markdown=None, lang="en")
    python = python or sys.executable
    threads = threads or hardware.cores()
    version = torch_version(python)
    if version is None:
        raise Failure(f"{python} has no torch, and measuring needs it; name an interpreter that has, with --python")
    status = Status(quiet=quiet)

    def progress(seconds: float) -> None:
        status.show(f"narrows: measuring this machine's ceilings, {seconds:.0f} s of about 15 s")

    found = measured(python, threads, version, refresh=refresh, progress=progress)
    if found is None:
        status.clear()
        raise Failure(f"the ceilings could not be measured with {python} (torch {version})")
    status.show(f"narrows: measuring collectives between {ranks} processes ...")
    backend = "nccl" if len(hardware.gpu_names()) >= max(2, ranks) else "gloo"
    between = links(python, ranks, version, backend, refresh=refresh)
    limits = msgspec.structs.replace(found.ceilings, collective=between)
    status.clear()
    sheet = datasheet.here(threads)
    machine = Machine(
        cpu=hardware.cpu_name(),
        cores=hardware.cores(),
        memory_bytes=hardware.memory_bytes(),
        devices=hardware.gpu_names(),
        ceilings=limits,
    )
    if json:
        values = table.document(machine, threads, python, version, sheet)
        put(json, msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n")
    if not quiet and json != "-":
        from rich.console import Console

        console = Console(no_color=no_color or bool(os.environ.get("NO_COLOR")), highlight=False)
        name = ", ".join(machine.devices) or machine.cpu
        console.print(f"{name}, {threads} threads, torch {version}\n", style="bold", soft_wrap=True)
        console.print(table.table(limits, sheet))
        if found.doubtful:
            busy = f"\nThe threads waited {found.busy:.0%} of the time for a core that something else had: "
            console.print(f"{busy}measure again on a quiet machine, with --refresh.", soft_wrap=True)
        if sheet is not None:
            console.print(f"\ndatasheet: {sheet.source}", style="dim", soft_wrap=True)


def register(app: typer.Typer) -> None:
    app.command()(ceiling)
