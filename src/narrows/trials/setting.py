"""What all trials of a job have in common, and how one is kept from writing."""

import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from narrows.job.command import Command
from narrows.ledger.steady import unevenness
from narrows.trials import shield
from narrows.trials.arm import Arm
from narrows.trials.looked import Looked
from narrows.trials.turns import Pace

COMPILED = "compiled"
"""Folder in the run's folder: what compilers made, for the next trial."""
MEASURED, FEWEST_STEPS, MOST_STEPS = 1.0, 16, 2000
"""Seconds of steady steps in a trial, and the bounds on their number."""
BLOCKS, BURSTY = 2, 3
"""Blocks of steps, where time comes in bursts, and how many times as long that may take."""
UNEVEN, SETTLED, LONGEST_MEASURED = 0.2, 0.1, 15.0
"""Steps that lie farther from each other than this share of the median are unlike each other (sequences of any length):
their mean is compared, and of so many that it is known to that share, within so many seconds."""
TURN, STEPS_OF_TURN = 0.2, 4
"""Seconds and steps of a turn, at least."""
WARM, LONGEST_WARMUP = 3, 16
"""Steps after those that the steady state came after when the job was looked at; and most steps of both: what is
still slow then is told from the steady state by its times."""
COMPILING = 120.0
"""Seconds that a trial may take longer: the first one with a compiler in it compiles."""
SLOWER = 4.0
"""A trial may take so many times as long as its steps should."""
SHORT = 3.0
"""Times what is measured. A job that is over sooner has no time for turns: it is run whole, alone."""
BESIDE = 8
"""Trials beside each other, at most: a turn of each must come often."""
MEMORY = 0.7
"""Share of the machine's memory that trials beside each other may take together."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    command: Command
    folder: Path
    """Each trial makes a folder of its own in it, and removes it."""
    rank: int
    pace: Pace
    steps: int = 0
    """Steady steps after which a trial that runs alone ends by itself."""
    most: int = 1
    """Trials that may run beside each other."""
    uneven: bool = False
    """Steps are unlike each other: their mean is what counts."""
    shield: bool = True
    """False: trials may write where the job writes."""


def setting(command: Command, job: Looked, *, shield: bool = True, asked: int = 0) -> Setting | None:
    """What trials of a job that was looked at are to be like; None if it has no steady steps. `asked`: of so many
    steps; 0: as many as it takes."""
    every, peak = job.accounts, job.facts.peak_bytes
    if every.process is None or every.mine is None or every.mine.steady is None:
        return None
    typical, found = every.mine.steady, every.mine.steps
    enough, bursts = math.ceil(MEASURED / typical.median), BLOCKS * typical.block
    spread = unevenness(typical.durations)
    uneven = spread > UNEVEN
    unlike = min((spread / SETTLED) ** 2, LONGEST_MEASURED / typical.median) if uneven else 0
    count = asked or max(FEWEST_STEPS, min(MOST_STEPS, max(enough, min(BURSTY * enough, bursts), math.ceil(unlike))))
    begun = (found.steps[typical.first].end_ns - every.process.start_ns) / 1e9
    stepping = (found.steps[-1].end_ns - found.steps[typical.first].end_ns) / 1e9
    pace = Pace(
        warmup=math.ceil(min(typical.first + WARM, LONGEST_WARMUP) * found.per_step),
        turn=TURN,
        least=math.ceil(STEPS_OF_TURN * found.per_step),
        seconds=0.0 if asked else min(MEASURED, MOST_STEPS * typical.median),
        boundaries=math.ceil(count * found.per_step),
        longest=COMPILING + SLOWER * (begun + (count + typical.first + 40) * typical.median),
        at_once=max(1, min(4, os.cpu_count() or 1)),
    )
    over = job.facts.ended == "ok"  # it came to its end while it was looked at
    # Ranks meet at a port and devices have their own queues and memory: those run one after the other.
    alone = len(every.ranks) > 1 or every.process.cuda or (over and stepping < SHORT * pace.seconds)
    most = 1 if alone or not peak else min(BESIDE, int(MEMORY * job.memory_bytes / peak))
    return Setting(
        command=command, folder=job.folder, rank=every.process.rank, pace=pace, steps=count, most=most, uneven=uneven,
        shield=shield,
    )  # fmt: skip


def shielded(command: Command, folder: Path, keep: Sequence[Path], arm: Arm) -> Command:
    """The command behind the shield, whose writes go to `folder`; those to `keep` are real."""
    words = [sys.executable, "-I", "-S", shield.__file__, str(folder)]
    for real in keep:
        words += ["--keep", str(real)]
    for number, (file, text) in enumerate(arm.files.items()):
        changed = folder / f"changed{number}.py"
        changed.write_text(text)
        words += ["--put", str(changed), os.path.realpath(file)]
    return replace(command, words=(*words, "--", *command.words))


def remove(folder: Path) -> None:
    """Overlays leave folders that may not be read: they are ours, so they are made readable first."""

    def again(function: object, path: str, _: object) -> None:
        try:
            os.chmod(path, 0o700)
            os.unlink(path) if os.path.isfile(path) else shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass

    if folder.exists():
        shutil.rmtree(folder, onerror=again)
