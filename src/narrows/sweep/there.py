"""One setting of a sweep on a machine of a cluster: `python -m narrows.sweep.there`, asked as `trials/group.py` is."""

import os
import pickle
import sys
from collections.abc import Sequence

from narrows.job import tree
from narrows.sweep.model import Entry
from narrows.sweep.sweep import Run, Wish, here
from narrows.trials.group import asked


def main() -> None:
    if (given := asked()) is not None:
        answer = sys.stdout.buffer.fileno()
        kept = os.dup(answer)
        os.dup2(sys.stderr.fileno(), answer)  # the job's own output is not the answer
        with os.fdopen(kept, "wb") as file:
            file.write(pickle.dumps(found(*given)))


def found(wish: Wish, run: Run, address: str) -> Sequence[Entry]:
    """Nothing, if it was interrupted; nothing of it runs on."""
    try:
        moved = Run(words=run.words, environment=run.environment, setting={**run.setting, "machine": address})
        return list(here(wish, [moved]))
    except KeyboardInterrupt:
        return []
    finally:
        tree.kill_below(os.getpid())


if __name__ == "__main__":
    main()
