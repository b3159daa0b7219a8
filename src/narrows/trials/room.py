"""Which remedies make room for the job, at the least cost in time.

What was proven to be faster stays. Beside it, what could make room is tried; of what does, that with which the job fits
and is fastest is taken, or else what saves most for the time that it costs, and so on. Then the whole is proven: each of
its fresh processes must fit, its results must be the original's, and what it costs in time has an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from narrows.trials.arm import AS_IT_IS
from narrows.trials.bench import Bench, Own
from narrows.trials.gain import FEWEST, gain
from narrows.trials.judge import follows, judge
from narrows.trials.option import Option, Verdict, arm
from narrows.trials.proof import turned
from narrows.trials.search import Found, Room

LEAST = 0.03
"""Share of the peak. Heaps of the same job differ by as much from run to run."""
FREE = 0.01
"""Share of the time. What costs less than this costs nothing that is seen."""


@dataclass(frozen=True, kw_only=True)
class _Tried:
    verdict: Verdict
    peak: int
    """Bytes."""
    saved: int

    @property
    def cost(self) -> float:
        """Share of the time that it takes longer."""
        ratio = self.verdict.gain.ratio if self.verdict.gain is not None else 1.0
        return max(FREE, 1 / ratio - 1)


def make_room(found: Found, options: Sequence[Option], bench: Bench, limit: int) -> Found:
    """`limit`: bytes that the job may take; 0: what makes room is only measured. Raises `Unproven`, and
    `KeyboardInterrupt`."""
    own = found.own or bench.own()
    before = max(each.memory for each in (own.first, *own.again, *own.other))
    kept, peak = list(found.kept), (_peak(found, bench) if found.kept else 0) or before
    verdicts = {verdict.option.name: verdict for verdict in found.verdicts}
    room = Room(limit=limit, before=before, after=peak)
    todo = list(options)
    while todo and not bench.late() and not 0 < peak <= limit:
        tried = _try(kept, todo, bench, own)
        verdicts |= {each.verdict.option.name: each.verdict for each in tried}
        saving = [each for each in tried if each.verdict.why == "room"]
        fitting = [each for each in saving if each.peak <= limit]
        if not saving or not limit:
            break
        if fitting:
            # One that fits by a hair may not in the proof: it is taken only where no other fits.
            best = min(fitting, key=lambda each: (each.peak > (1 - LEAST) * limit, each.cost))
        else:
            best = max(saving, key=lambda each: each.saved / each.cost)
        kept, peak = _with(kept, best.verdict.option), best.peak
        todo = [each.verdict.option for each in saving if each is not best]
    if kept == list(found.kept) or peak > limit:
        room = replace(room, least=peak if peak < room.after else None)
        return replace(found, verdicts=tuple(verdicts.values()), own=own, room=room)
    return _proven(replace(found, own=own, room=room), kept, verdicts, bench, own)


def _peak(found: Found, bench: Bench) -> int:
    """With what is faster; 0 if it could not be run again."""
    whole = arm(found.kept)
    seen = bench.compare(whole, [AS_IT_IS], 1, whatever_it_takes=True)
    if seen.interrupted:
        raise KeyboardInterrupt
    pairs = seen.pairs[AS_IT_IS.name]
    return max((mine.memory for mine, _ in pairs), default=0)


def _with(kept: Sequence[Option], option: Option) -> list[Option]:
    """Another setting of what is kept stands in its place."""
    return [*(each for each in kept if each.remedy != option.remedy), option]


def _try(kept: Sequence[Option], options: Sequence[Option], bench: Bench, own: Own) -> list[_Tried]:
    arms = {option.name: arm(_with(kept, option)) for option in options}
    found = bench.compare(arm(kept), list(arms.values()), most=2)
    if found.interrupted:
        raise KeyboardInterrupt
    made = []
    for option in options:
        verdict = judge(option, _with(kept, option)[:-1], found, own, bench.memory_bytes)
        pairs = found.pairs[arms[option.name].name]
        peak = max((after.memory for _, after in pairs), default=0)
        saved = min((base.memory for base, _ in pairs), default=0) - peak
        if verdict.why in ("kept", "no gain"):
            makes = bool(pairs) and saved >= LEAST * (peak + saved)
            verdict = replace(verdict, kept=False, why="room" if makes else "no room")
        made.append(_Tried(verdict=verdict, peak=peak, saved=saved))
    return made


def _proven(found: Found, kept: list[Option], verdicts: dict[str, Verdict], bench: Bench, own: Own) -> Found:
    """With what is kept, as far as it stands the proof; else as it was."""
    assert found.room is not None
    seen = bench.compare(arm(kept), [AS_IT_IS], FEWEST, whatever_it_takes=True)
    pairs = turned(seen.pairs[AS_IT_IS.name])
    peak = max((whole.memory for _, whole in pairs), default=0)
    same = follows(kept, pairs, own) if pairs else None
    if len(pairs) < FEWEST or seen.interrupted:
        word = "interrupted" if seen.interrupted else next((each.word for each in seen.failed.values()), "budget")
    elif peak > found.room.limit:
        word = "memory"
    else:
        word = "" if same is not None and same.kept else "parity"
    for option in kept:
        if option not in found.kept:
            verdict = verdicts[option.name]
            verdicts[option.name] = replace(verdict, kept=not word, why=word or "kept")
    if word:
        room = replace(found.room, least=peak or None)
        return replace(found, verdicts=tuple(verdicts.values()), room=room, interrupted=seen.interrupted)
    return replace(
        found, verdicts=tuple(verdicts.values()), kept=tuple(kept), parity=same,
        combined=gain(pairs, per_sample=arm(kept).per_sample),
        room=replace(found.room, after=peak),
    )  # fmt: skip
