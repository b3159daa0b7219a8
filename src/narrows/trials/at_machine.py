"""What runs in a worker of Ray on a machine of the cluster. Ray's Python there may be another, and without narrows: a
function that is made in a function travels as it is, so each imports what it needs."""

from collections.abc import Callable


def look() -> Callable[..., tuple[str, str]]:
    """Of a function: (what tells this machine from others, or nothing; what it lacks, or nothing)."""

    def at_machine(
        folder: str, environment: dict[str, str], python: str, program: str, version: str, boot: str
    ) -> tuple[str, str]:
        import os
        import shutil
        import subprocess

        if not os.path.isdir(folder):
            return "", f"does not see the folder {folder}"
        for needed in (python, program):
            if shutil.which(needed, path=environment.get("PATH")) is None:
                return "", f"does not see {needed}"
        done = subprocess.run(
            [python, "-m", "narrows", "--version"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.stdout.strip() != f"narrows {version}":
            return "", f"has no narrows {version} in {python}"
        try:
            with open(boot) as file:
                return file.read().strip(), ""
        except OSError:
            return "", ""

    return at_machine


def run_group() -> Callable[..., tuple[bytes, str]]:
    """Of a function: (the answer of `group.py`, or of another module that is asked in its way, or nothing; what it said)."""

    def at_machine(
        folder: str, environment: dict[str, str], python: str, given: bytes, module: str = "narrows.trials.group"
    ) -> tuple[bytes, str]:
        import contextlib
        import subprocess
        import tempfile
        import time

        with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as said:
            child = subprocess.Popen(
                [python, "-m", module], cwd=folder, env=environment, stdin=subprocess.PIPE,
                stdout=answer, stderr=said, start_new_session=True,
            )  # fmt: skip
            assert child.stdin is not None
            try:
                with contextlib.suppress(OSError):
                    child.stdin.write(given)
                    child.stdin.flush()
                while child.poll() is None:
                    time.sleep(0.1)  # briefly: this is where Ray's cancel comes in
            finally:
                # Closed, it tells the group to end; how long that takes, it says itself.
                with contextlib.suppress(OSError):
                    child.stdin.close()
                child.wait()
            answer.seek(0)
            said.seek(0)
            return answer.read(), said.read().decode(errors="replace")

    return at_machine
