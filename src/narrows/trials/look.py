"""One look at the job, behind the shield: a run whose writes go nowhere and whose output is kept from the terminal."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from narrows.job import facts as facts_
from narrows.job.command import Command
from narrows.job.diagnose import Request, diagnose
from narrows.job.failure import Failure
from narrows.trials import shield
from narrows.trials.arm import Arm
from narrows.trials.measure import last_line
from narrows.trials.setting import remove, shielded


def shielded_run(
    words: tuple[str, ...], out: Path, how: Arm, environment: Mapping[str, str], *, keep: Sequence[Path] = (),
    allow_writes: bool, interrupted: str, steps: int = 0, ceilings: bool = True,
) -> tuple[Path, int, str]:  # fmt: skip
    """(the run's folder, the job's exit code, what it said last). `keep`: folders whose writes are real; `interrupted`:
    what is said when it was. Raises `Failure`."""

    def wrap(command: Command, folder: Path) -> Command:
        (folder / "trial").mkdir()
        return command if allow_writes else shielded(command, folder / "trial", [folder / "spool", *keep], how)

    asked = Request(words=words, steps=steps, seconds=0, out=out, quiet=True, wrap=wrap, environment=environment,
                    ceilings=ceilings)  # fmt: skip
    folder, code = diagnose(asked)
    said = last_line(folder / "output")
    remove(folder / "trial")
    (folder / "output").unlink(missing_ok=True)
    if code in (shield.NO_SHIELD, shield.ONLY_READ):
        raise Failure(
            f"this machine offers no way to keep a trial from writing into {os.getcwd()} (overlays or Landlock); "
            "--allow-writes runs the trials as they are"
        )
    if facts_.read(folder).ended == "interrupted":
        raise Failure(interrupted, code)
    return folder, code, said


def failed(code: int, said: str) -> Failure:
    return Failure(f"the job itself failed with exit code {code}: {said}", code)
