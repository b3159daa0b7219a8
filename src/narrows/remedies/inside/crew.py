"""More processes of the same job, each of which takes a share of every batch. Standard library only.

They run the same command, from its beginning. What they print goes nowhere, and what they would write to files is left to
the first: so results, logs and checkpoints are those of one process. They meet over gloo, in a group that nothing else in
the job sees.
"""

from __future__ import annotations

import atexit
import builtins
import functools
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from typing import Any

MEMBER = "NARROWS_CREW"
"""In the environment of a process of a crew: `number:seed:folder`; of what those start themselves: `none`."""
TOLD = "NARROWS_PROBE"
JOIN, ANSWER = 600.0, 300.0
"""Seconds that a process has to come to the first batch, and to an exchange."""
OFTEN = 0.2
WRITES = ("remove", "unlink", "rename", "replace", "rmdir", "removedirs", "symlink", "link", "truncate")


class Crew:
    """This process's place among those that share the batches."""

    def __init__(self, torch: Any, size: int) -> None:
        member = os.environ.get(MEMBER, "")
        self.torch, self.size, self.pid = torch, size, os.getpid()
        self.command, self.where = [sys.executable, *sys.orig_argv[1:]], os.getcwd()
        self.told = os.environ.get(TOLD, "").split(",")
        self.outside = member == "none"
        """Started by the job for something else."""
        self.others: list[subprocess.Popen[bytes]] = []
        self.group: Any = None
        self.number, self.seed, self.folder = 0, random.SystemRandom().getrandbits(32), ""
        if member and not self.outside:
            number, seed, self.folder = member.split(":", 2)
            self.number, self.seed = int(number), int(seed)
            _follow(os.getppid())
            silence(torch)
        if not self.outside:
            os.environ[MEMBER] = "none"
            self._draw_alike()

    def _draw_alike(self) -> None:
        """All come to the first batch with the same random numbers, in a script without a seed of its own."""
        if not any(pair.startswith("seed=") for pair in self.told):
            random.seed(self.seed)
            self.torch.manual_seed(self.seed)
            if "numpy" in sys.modules:
                sys.modules["numpy"].random.seed(self.seed)

    def join(self) -> None:
        """Start the others, if this is the first, and wait until all are here. Raises `RuntimeError`."""
        if not self.number:
            self._start()
        store = self.torch.distributed.FileStore(os.path.join(self.folder, "meet"), self.size)
        store.set(f"here{self.number}", "")
        until = time.monotonic() + JOIN
        while not store.check([f"here{number}" for number in range(self.size)]):
            if any(each.poll() is not None for each in self.others) or time.monotonic() > until:
                self.leave()
                raise RuntimeError("the other processes ended before their first batch")
            time.sleep(OFTEN)
        gloo = self.torch.distributed.ProcessGroupGloo
        self.group = gloo(store, self.number, self.size, timeout=timedelta(seconds=ANSWER))

    def _start(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="narrows-crew-")
        atexit.register(self.leave)
        for number in range(1, self.size):
            spool = os.path.join(self.folder, f"spool{number}")
            os.mkdir(spool)
            kept = [pair for pair in self.told if pair.startswith(("seed=", "curve="))]
            told = {**os.environ, MEMBER: f"{number}:{self.seed}:{self.folder}", "NARROWS_SPOOL": spool}
            told[TOLD] = ",".join(["plan=off", *kept])
            self.others.append(
                subprocess.Popen(
                    self.command, cwd=self.where, env=told, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip

    def leave(self) -> None:
        """The first goes on alone; the others end."""
        if os.getpid() != self.pid:
            return  # a fork of it
        if self.number:
            os._exit(0)
        for each in self.others:
            each.kill()
            each.wait()
        self.others = []
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def mean(self, tensor: Any) -> None:
        """In place, over all. Raises `RuntimeError` if one of them is gone."""
        self.group.allreduce([tensor]).wait()
        tensor.div_(self.size)

    def first(self, tensor: Any) -> None:
        """In place: what the first has."""
        self.group.broadcast(tensor, 0).wait()


def _follow(parent: int) -> None:
    """End with the process that started this one, however it ends."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(OFTEN)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def silence(torch: Any) -> None:
    """From now on this process changes no file."""
    opened = builtins.open

    @functools.wraps(opened)
    def reads(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        path = isinstance(file, (str, bytes, os.PathLike))
        return opened(os.devnull if path and set(mode) & set("wax+") else file, mode.replace("x", "w"), *args, **kwargs)

    builtins.open = io.open = reads
    for name in WRITES:
        setattr(os, name, _nothing(getattr(os, name)))
    shutil.rmtree = _nothing(shutil.rmtree)
    mkdir, save = os.mkdir, torch.save

    @functools.wraps(mkdir)
    def make(*args: Any, **kwargs: Any) -> None:
        try:
            mkdir(*args, **kwargs)
        except FileExistsError:
            pass  # the first was faster

    @functools.wraps(save)
    def saves(value: Any, file: Any, *args: Any, **kwargs: Any) -> Any:
        return None if isinstance(file, (str, os.PathLike)) else save(value, file, *args, **kwargs)

    os.mkdir = make
    torch.save = torch.serialization.save = saves


def _nothing(original: Any) -> Any:
    @functools.wraps(original)
    def nothing(*args: Any, **kwargs: Any) -> None:
        return None

    return nothing
