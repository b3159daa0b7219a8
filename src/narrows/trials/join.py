"""Joining a Ray cluster, and which of its machines can run trials; said in a sentence where that cannot be."""

import importlib
import importlib.util
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from narrows import __version__
from narrows.job.command import Command
from narrows.job.failure import Failure
from narrows.trials import at_machine
from narrows.trials.cluster import Cluster, task
from narrows.trials.spread import Machine

REACH = 12.0
"""Seconds that a cluster has to answer: Ray itself would wait for 40, and then end this process."""
FREE = 40.0
"""Seconds that a machine has to answer at first; one that others keep busy for longer is done without."""
SAME_MACHINE = "/proc/sys/kernel/random/boot_id"
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
CONNECT = "import logging, sys, ray; ray.init(sys.argv[1], log_to_driver=False, logging_level=logging.FATAL)"


@contextmanager
def joined(address: str, command: Command) -> Iterator[Cluster]:
    """Raises `Failure`: without Ray, a cluster that answers, or what the job needs on each of its machines."""
    if importlib.util.find_spec("ray") is None:
        raise Failure('--ray needs Ray, which is not installed here: pip install "narrows[ray]"')
    # A cluster of our own leaves no folder behind; the paths of its sockets must be short.
    own = Path(tempfile.mkdtemp(prefix="narrows-ray-", dir="/tmp")) if address == "local" else None
    ray = None
    try:
        try:
            if own is None:
                _reach(address)
            ray = _connect(address, {"include_dashboard": False, "_temp_dir": str(own)} if own is not None else {})
            cluster = Cluster(ray=ray, found=_usable(ray, address, command))
        except KeyboardInterrupt:
            raise Failure("interrupted before the first trial", 128 + signal.SIGINT) from None
        try:
            yield cluster
        finally:
            cluster.leave()
    finally:
        if ray is not None:
            ray.shutdown()
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


def _reach(address: str) -> None:
    """In another process, which can be ended: an address where nothing answers takes Ray long, and its process."""
    if "://" in address:
        raise Failure(f"--ray {address}: run narrows on a machine of the cluster, with --ray auto or HOST:PORT", 2)
    try:
        tried = subprocess.run(
            [sys.executable, "-c", CONNECT, address], env={**os.environ, **QUIET}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=REACH, check=False,
        )  # fmt: skip
        why = (
            ""
            if tried.returncode == 0
            else tried.stderr.strip().rpartition("\n")[2].partition(": ")[2].partition(". ")[0] or "it failed"
        )
    except subprocess.TimeoutExpired as late:
        last = (late.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
        refused = "Unauthenticated" in last  # Ray asks again and again
        why = last.rpartition(": ")[2] if refused else f"nothing came for {REACH:.0f} s"
    if why:
        raise Failure(f"no Ray cluster can be reached at {address}: {why}")


def _connect(address: str, own: dict[str, Any]) -> Any:
    """What Ray does to this process (environment, handlers) is undone: the job would inherit it."""
    before, handler = set(os.environ), signal.getsignal(signal.SIGTERM)
    more = (
        {"RAY_worker_niceness": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)} if own else {}
    )
    for name, value in {**QUIET, **more}.items():  # without a token, Ray would make one and leave it in the user's home
        os.environ.setdefault(name, value)
    try:
        with warnings.catch_warnings(action="ignore"):
            ray: Any = importlib.import_module("ray")
            ray.init(address, log_to_driver=False, logging_level=logging.FATAL, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise Failure(f"Ray could not be started: {str(error).strip().partition(chr(10))[0]}") from None
    finally:
        for name in set(os.environ) - before:
            del os.environ[name]
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
    # Pages of a dying node's log go to the terminal, whatever `log_to_driver` says.
    importlib.import_module("ray._private.worker").__dict__["print_to_stdstream"] = lambda *words, **named: None
    return ray


def _usable(ray: Any, address: str, command: Command) -> list[Machine]:
    """One node of each machine, if all that are free have what the job needs."""
    nodes = [
        Machine(node=n["NodeID"], address=n["NodeManagerAddress"], cpus=n["Resources"]["CPU"], gpus=n["Resources"].get("GPU", 0))
        for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")
    ]  # fmt: skip
    asked = (sys.executable, command.words[0], __version__, SAME_MACHINE)
    asks = {task(ray, node, at_machine.look(), asked): node for node in nodes}
    ready, busy = ray.wait(list(asks), num_returns=len(asks), timeout=FREE) if asks else ([], [])
    for ticket in busy:
        ray.cancel(ticket)
    found: dict[str, Machine] = {}
    for ticket in ready:
        try:
            where, lacks = ray.get(ticket)
        except ray.exceptions.RayError:
            continue  # it has just died
        if lacks:
            raise Failure(
                f"the machine {asks[ticket].address} of the cluster {lacks}: each machine must see the working "
                "directory and the interpreter at the same path as this one"
            )
        found.setdefault(where or asks[ticket].address, asks[ticket])
    if not found:
        raise Failure(f"the Ray cluster at {address} has no machine that is free to run trials")
    return list(found.values())
