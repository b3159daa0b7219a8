"""The process of one trial: fresh, behind the shield, and held or let go with all that it has started."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from narrows.job import tree
from narrows.job.environment import environment
from narrows.job.run import start
from narrows.spool.follow import Follow
from narrows.spool.read import read
from narrows.trials import shield
from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.measure import ahead, last_line, measured
from narrows.trials.setting import COMPILED, Setting, remove, shielded

POLL = 0.01
GRACE = 10.0
"""Seconds that a process that was asked to end has for it."""


class Trial:
    """A `turns.Child`. Its folder is made at the start and removed at the end."""

    def __init__(self, how: Setting, arm: Arm, folder: Path) -> None:
        self.how, self.arm, self.folder, self.spool = how, arm, folder, folder / "spool"
        self.process: subprocess.Popen[bytes] | None = None
        self.turns: list[tuple[int, int]] = []
        """Nanoseconds of the spool's clock."""
        self.peak, self.late, self.killed_before = 0, False, 0
        self.pids: list[int] = []
        self.follow = Follow(self.spool)

    def start(self) -> None:
        remove(self.folder)
        self.spool.mkdir(parents=True)
        arm, how = self.arm, self.how
        # Ranks must end at the same step, so they count by themselves.
        end = {"held": 1} if how.most > 1 else {"steps": how.steps}
        told = environment(self.spool, plan="none", without=arm.without, seed=arm.seed, curve=1, **end, **arm.told)
        compiled = how.folder / COMPILED
        compiled.mkdir(exist_ok=True)
        told.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled))  # else each trial would compile anew
        told.update({"NARROWS_REMEDIES": json.dumps(arm.remedies), "PYTHONHASHSEED": str(arm.seed), **arm.environment})
        command = arm.command or how.command
        if how.shield or arm.files:
            command = shielded(command, self.folder, [self.spool, compiled], arm)
        self.killed_before = tree.out_of_memory_kills()
        output = self.folder / "output"
        try:
            self.process = start(command, told, output)
        except OSError as error:
            output.write_text(f"{command.words[0]} cannot be executed: {error.strerror}")

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def boundaries(self) -> int:
        return self.follow.boundaries()

    def hold(self) -> float:
        """Stop it with all that it has started, and then what it has started meanwhile."""
        if self.process is None or not self.running():
            return time.monotonic()
        self.pids, moment = [], 0.0
        while True:
            new = [pid for pid in (self.process.pid, *tree.descendants(self.process.pid)) if pid not in self.pids]
            if not new:
                break
            for pid in new:
                _send(pid, signal.SIGSTOP)
            moment = moment or time.monotonic()
            self.pids.extend(new)
        self.peak = max(self.peak, tree.resident(self.pids))
        return moment

    def ahead(self) -> int:
        return ahead(read(self.spool)) if self.follow.boundaries() else 0

    def go(self) -> None:
        for pid in self.pids:
            _send(pid, signal.SIGCONT)
        self.pids = []

    def count(self, begin: float, end: float) -> None:
        self.turns.append((int(begin * 1e9), int(end * 1e9)))

    def give_up(self) -> None:
        self.late = True
        self.kill()

    def ask(self) -> None:
        """To end at its next boundary."""
        if self.running():
            (self.spool / "end").touch()
            self.go()

    def wait(self) -> None:
        """Until it has written its last word, or for a while; then it is ended. How it would have ended by itself (its
        workers joined, its modules torn down) takes time and tells nothing."""
        if self.process is None:
            return
        pids = [self.process.pid, *tree.descendants(self.process.pid)]
        self.peak = max(self.peak, tree.resident(pids))
        # One that ends by its own count may have begun to count later than we did, by as much as was measured at most.
        more = sum(end - begin for begin, end in self.turns) / 1e9 if self.how.most < 2 else 0.0
        until = time.monotonic() + GRACE + more
        while self.running() and time.monotonic() < until and not self._done():
            time.sleep(POLL)
        self.kill()

    def _done(self) -> bool:
        return self.how.most > 1 and any(b'"k":"stopped"' in path.read_bytes() for path in self.spool.glob("*.jsonl"))

    def kill(self) -> None:
        if self.process is not None:
            if self.running():
                tree.kill(self.process.pid)
            self.process.wait()
            # What it has left behind has no parent any more, and is known by what it was started with.
            tree.kill_started_with(f"NARROWS_SPOOL={self.spool}")

    def result(self) -> Measured:
        """What its turns measured. Raises `Unproven`."""
        code = self.process.returncode if self.process is not None else None
        if code in (shield.NO_SHIELD, shield.ONLY_READ):
            raise Unproven("shield")
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL) and tree.out_of_memory_kills() > self.killed_before:
            raise Unproven("memory")
        found = measured(read(self.spool), self.how.rank, self.peak, self.turns, uneven=self.how.uneven)
        if found is None or self.late:
            raise Unproven("slow") if self.late else Unproven("failed", last_line(self.folder / "output"))
        return found


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass
