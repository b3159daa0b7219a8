"""Runs what measures, with the job's interpreter."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from narrows.machine.cache import BENCH

NO_TORCH = 3
"""As `bench/__main__.py` has it."""
VERSION = """
import importlib.metadata, importlib.util, os, runpy
spec = importlib.util.find_spec("torch")
if spec is None or not spec.submodule_search_locations:
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos"):
        try:
            print("tensorflow-" + importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            continue
        raise SystemExit(0)
    raise SystemExit(3)
path = os.path.join(spec.submodule_search_locations[0], "version.py")
print(runpy.run_path(path)["__version__"])
"""
TICK = 0.25

Progress = Callable[[float], None]
"""Called now and then with the seconds that the measurement has taken so far."""


class Outcome(NamedTuple):
    text: str
    """Standard output, up to where the child ended."""
    status: int | None
    """None: it could not be started, or took too long."""
    errors: str


def bench(
    python: str, arguments: Sequence[str], given: str = "", *, seconds: float, progress: Progress | None = None
) -> Outcome:
    return run([python, str(BENCH), *arguments], given, seconds=seconds, progress=progress)


def run(words: Sequence[str], given: str = "", *, seconds: float, progress: Progress | None = None) -> Outcome:
    """The outcome of a command, killed after `seconds`. The probe stays out of it.

    What is given to it comes from a file: `communicate` forgets the rest of a long input when it times out, and is asked
    again.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NARROWS_")}
    pipe = subprocess.PIPE
    try:
        with tempfile.TemporaryFile("w+") as source:
            source.write(given)
            source.seek(0)
            child = subprocess.Popen(words, stdin=source, stdout=pipe, stderr=pipe, text=True, env=environment)
    except (OSError, ValueError) as error:
        return Outcome("", None, str(error))
    began = time.monotonic()
    with child:
        try:
            while True:
                try:
                    text, errors = child.communicate(timeout=TICK)
                    return Outcome(text, child.returncode, errors)
                except subprocess.TimeoutExpired:
                    spent = time.monotonic() - began
                    if progress is not None:
                        progress(spent)
                    if spent > seconds:
                        child.kill()
                        text, errors = child.communicate()
                        return Outcome(text, None, errors)
        finally:
            if child.poll() is None:  # interrupted
                child.kill()


def torch_version(python: str) -> str | None:
    """`torch.__version__` of an interpreter, without importing torch; without torch `tensorflow-2.21.0`, as that can measure,
    too. None if it has neither, or is no interpreter."""
    done = run([python, "-c", VERSION], seconds=60)
    return done.text.strip() or None if done.status == 0 else None
