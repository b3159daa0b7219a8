"""Runs the job as a child: its streams untouched, its signals passed on, its exit code kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from narrows.job import tree, watch
from narrows.job.command import Command
from narrows.job.failure import Failure
from narrows.report.model import Ended

PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT, signal.SIGWINCH)
TICK = 0.25
"""Seconds between two looks at the job from outside."""
GRACE = 10.0
"""Seconds that a job that was asked to stop has to end by itself."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    exit_code: int
    """As a shell sees it: 128 + n for signal n."""
    signal: int | None
    ended: Ended
    wall_seconds: float
    peak_bytes: int
    """Of all the job's processes together."""
    memory_kills: int = 0
    """How often the kernel killed for memory meanwhile, here or in any other job of this control group or machine."""


def run(
    command: Command,
    environment: dict[str, str],
    *,
    tick: Callable[[float], bool] = lambda seconds: False,
    watched: Path | None = None,
    output: Path | None = None,
    aside: bool = False,
) -> Outcome:
    """Run the job to its end. `tick(seconds)` is called about four times a second; True means: stop the job.
    What the job's processes do is written to `watched` as often. With `output`, what it says goes there, and nobody
    answers it.

    The child stays in our process group, so Ctrl-C at a terminal reaches it as it would without narrows, once;
    narrows itself only notes it. An interrupt sent to narrows alone (kill -INT) is passed on.
    """
    interrupts: list[float] = []
    killed_before = tree.out_of_memory_kills()
    handlers = {number: signal.getsignal(number) for number in (*PASSED_ON, signal.SIGINT, signal.SIGQUIT)}
    child: subprocess.Popen[bytes] | None = None

    def interrupted(number: int, frame: FrameType | None) -> None:
        interrupts.append(time.monotonic())
        if child is not None and not _from_terminal():
            _send(child, number)

    def passed_on(number: int, frame: FrameType | None) -> None:
        if child is not None:
            _send(child, number)

    began = time.monotonic()
    try:
        # A handler, unlike SIG_IGN, is not inherited: the child starts with the dispositions it would have had.
        for number in (signal.SIGINT, signal.SIGQUIT):
            if handlers[number] is not signal.SIG_IGN:
                signal.signal(number, interrupted)
        for number in PASSED_ON:
            if handlers[number] is signal.SIG_DFL:
                signal.signal(number, passed_on)
        try:
            child = start(command, environment, output, aside=aside)
        except FileNotFoundError:
            raise Failure(f"there is no command {command.words[0]}", 127) from None
        except (PermissionError, OSError) as error:
            raise Failure(f"{command.words[0]} cannot be executed: {error.strerror}", 126) from None
        peak, stopped = _wait(child, began, tick, watched)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    code = child.returncode
    kills = tree.out_of_memory_kills() - killed_before
    fatal = -code if code < 0 else (code - 128 if 128 < code < 160 else None)
    if stopped:
        ended: Ended = "stopped"
    elif kills > 0 and fatal == signal.SIGKILL:
        ended = "out_of_memory"
    elif interrupts and (fatal == signal.SIGINT or code != 0):
        ended = "interrupted"
    elif code < 0:
        ended = "signal"
    else:
        ended = "error" if code else "ok"
    return Outcome(
        exit_code=0 if stopped else (128 - code if code < 0 else code),
        signal=-code if code < 0 else None,
        ended=ended,
        wall_seconds=time.monotonic() - began,
        peak_bytes=peak,
        memory_kills=kills,
    )


def start(
    command: Command, environment: dict[str, str], output: Path | None, *, aside: bool = False
) -> "subprocess.Popen[bytes]":
    """With `output`, what the job says goes there, and nobody answers it. `aside`: its standard output goes to standard
    error. Raises `OSError`."""
    if output is None:
        return subprocess.Popen(command.words, env=environment, stdout=sys.stderr.fileno() if aside else None)
    with output.open("wb") as file:
        return subprocess.Popen(
            command.words, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )


def _wait(
    child: subprocess.Popen[bytes], began: float, tick: Callable[[float], bool], watched: Path | None
) -> tuple[int, bool]:
    """(peak bytes of all processes, whether it was stopped by us)."""
    peak, pause = 0, 0.02
    while True:
        try:
            child.wait(timeout=pause)
            return peak, False
        except subprocess.TimeoutExpired:
            pass
        pause = min(TICK, pause * 1.5)
        pids = [child.pid, *tree.descendants(child.pid)]
        peak = max(peak, tree.resident(pids))
        if watched is not None:
            watch.append(watched, watch.look(pids))
        if tick(time.monotonic() - began):
            below = tree.descendants(child.pid)
            _send(child, signal.SIGTERM)
            try:
                child.wait(timeout=GRACE)
            except subprocess.TimeoutExpired:
                tree.kill(child.pid)
                child.wait()
            for pid in below:  # what it left behind
                tree.kill(pid)
            return peak, True


def _from_terminal() -> bool:
    """Whether an interrupt came from the terminal's keyboard, which sends it to the whole foreground group."""
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _send(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        child.send_signal(number)
    except OSError:
        pass
