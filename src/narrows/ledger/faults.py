"""How each rank of a job ended, and which of them the others ended for. Pure: from what the ranks and their launcher wrote.

A rank that fails takes the others with it: they lose their connection to it, or the launcher ends them. So what most ranks
say of the end is not why it came.
"""

import re
import signal
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from narrows.ledger.steps import steps
from narrows.report.parallel import Fate
from narrows.spool.record import STATES, WAITS, Process

LOST = re.compile(
    r"[Cc]onnection (closed|reset|refused|was closed)|[Bb]roken pipe|[Ss]ocket ?[Tt]imeout|[Tt]imed out (waiting|connecting)|remote process"
    r" exited|network error|DistNetworkError|DistStoreError|NCCL (error|communicator was aborted)|ncclRemoteError"
    r"|[Ww]atchdog caught collective|Application timeout caused pair closure|failed to recv|Connection.*peer"
)
"""In an error: another rank, or the way to it, is gone. Texts of gloo, of the store, and of NCCL."""
INTERRUPTED = ("KeyboardInterrupt", "SignalException")
"""Errors of a process that was asked to end: how it stood until then is what counts."""
BY_LAUNCHERS = ("SIGTERM", "SIGINT")
"""What launchers end the rest with, and then report them, too."""


def rank_processes(processes: Sequence[Process]) -> list[list[Process]]:
    """The processes of each rank, in the order in which they began: more than one where the job was started again. What a
    rank starts inherits its number, and is none."""
    every = [p for p in processes if p.ranks > 1 and not p.first("worker")]
    own = [p for p in every if not any(p.parent == q.pid and p.rank == q.rank for q in every)]
    return [[p for p in own if p.rank == rank] for rank in sorted({p.rank for p in own})]


def fates(processes: Sequence[Process]) -> list[Fate]:
    """Of each rank, and each time that it was started; none of a job without ranks."""
    codes = {int(e["pid"]): int(e["code"]) for p in processes for e in p.events.get("failed", ())}
    found = [_fate(p, attempt, codes) for each in rank_processes(processes) for attempt, p in enumerate(each)]
    return [
        replace(f, how="ended", signal=None) if f.signal in BY_LAUNCHERS and _others_failed(f, found) else f
        for f in found
    ]


def _others_failed(fate: Fate, found: Sequence[Fate]) -> bool:
    others = [f for f in found if f.attempt == fate.attempt and f.signal not in BY_LAUNCHERS]
    return any(f.how in ("killed", "failed", "exit", "lost") for f in others)


def _fate(process: Process, attempt: int, codes: dict[int, int]) -> Fate:
    ends, stuck, code = process.events.get("end", ()), process.last("stuck"), codes.get(process.pid, 0)
    last_ns = process.boundaries[-1].end_ns if process.boundaries else 0
    error = ends[-1].get("error") if ends else None
    if error and error.startswith(INTERRUPTED):
        ends, error = (), None
    stuck = stuck if stuck and stuck["t"] > last_ns else {}
    where = ends[-1].get("user") if error else stuck.get("where")
    by = None
    if error:
        how = "lost" if LOST.search(error) else "failed"
    elif code < 0:
        how, by = "killed", _name(-code)
    elif code:
        how, error = "exit", str(code)
    elif process.first("stopped"):
        how = "stopped"
    elif ends:
        how = "finished"
    else:
        how = "stood" if stuck else "ended"
    return Fate(
        rank=process.rank,
        attempt=attempt,
        steps=len(steps(process.boundaries).steps) + process.lost,
        how=how,  # type: ignore[arg-type]
        signal=by,
        error=_short(error, lost=how == "lost") if error else None,
        state=STATES[stuck["state"]] if stuck else None,
        where=f"{where[0]}:{where[1]}" if where else None,
    )


def _short(error: str, *, lost: bool) -> str:
    """Its first line; of a connection's, its first sentence, without the place in C++."""
    line = error.splitlines()[0][:300]
    return re.sub(r"\[\S+\.(cc|cpp|h):\d+\] ", "", line.partition(". ")[0]) if lost else line


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def attempts(found: Sequence[Fate]) -> list[list[Fate]]:
    """By the time that the job was started."""
    return [[f for f in found if f.attempt == n] for n in range(max((f.attempt for f in found), default=-1) + 1)]


def culprits(found: Sequence[Fate]) -> list[Fate]:
    """Of one attempt, those that the others ended or stood still for; none where nothing went wrong, or nobody is to
    blame: where each rank lost the connection to the others, that was cut."""
    for how in ("killed", "failed", "exit"):
        if those := [f for f in found if f.how == how]:
            return those
    if any(f.how in ("lost", "stood") for f in found) and (early := [f for f in found if f.how == "finished"]):
        return early
    still = [f for f in found if f.how == "stood"]
    apart = [f for f in still if f.state not in (*WAITS, "backward")] or [f for f in still if f.state not in WAITS]
    if apart:
        return apart if len(apart) < len(found) else []
    if still and (busy := [f for f in found if f.how == "ended"]):
        return busy  # each that stood waited, and these did not stand
    least = [f for f in still if f.steps == min(g.steps for g in found)]
    return least if len(least) < len(found) else []


def uneven(found: Sequence[Fate]) -> bool:
    """Ranks of an attempt that came to their ends after different numbers of steps. One more or less is where it was cut."""
    done = sorted(f.steps for f in found)
    return any(b - a > 1 for a, b in pairwise(done))


def differences(ranks: Sequence[Process]) -> dict[str, dict[int, str]]:
    """What ranks ought to have in common and have not: `torch`, `python` (versions) and `words` (the script's arguments), by
    rank. Arguments that number the ranks are theirs."""
    found = {
        "torch": {p.rank: str(p.last("torch").get("version")) for p in ranks if p.last("torch")},
        "python": {p.rank: str(p.first("start").get("python")) for p in ranks if p.first("start").get("python")},
    }
    made = {what: said for what, said in found.items() if len(set(said.values())) > 1}
    words = {p.rank: _words(p) for p in ranks if p.first("start").get("words")}
    if len({tuple(w) for w in words.values()}) > 1:
        shared = set.intersection(*(set(w) for w in words.values()))
        made["words"] = {rank: _named(w, shared) for rank, w in words.items()}
    return made


NUMBERS = re.compile(r"-+(local|global|node|machine)?[-_]?(rank|id|index|gpu|device|port)$")


def _words(process: Process) -> list[tuple[str, int, str]]:
    """(the option, checksum, the option that it follows), without those that number the ranks."""
    made, before = [], ""
    for name, checksum in process.first("start")["words"]:
        option = name or before
        if not NUMBERS.search(option):
            made.append((name, int(checksum), option))
        before = name
    return made


def _named(words: Sequence[tuple[str, int, str]], shared: set[tuple[str, int, str]]) -> str:
    """The options by which these differ from the others; a word without a name is told by its place."""
    apart = [
        option or f"#{place}" for place, (name, sum_, option) in enumerate(words) if (name, sum_, option) not in shared
    ]
    return " ".join(dict.fromkeys(apart))
