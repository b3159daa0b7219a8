"""The job again, at other sizes, with remedies, or left alone: traced without numbers, or run."""

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Lock

from narrows import remedies
from narrows.fit import answers, scaling
from narrows.fit.cheapest import Way
from narrows.fit.child import Asked, Ran, memory_run
from narrows.fit.limit import Limit
from narrows.fit.running import Measure
from narrows.fit.sizes import Changed, Size
from narrows.fit.timing import at_sizes, times
from narrows.fit.ways import Taken, Tools
from narrows.fit.wish import Wish
from narrows.job import tree
from narrows.job.command import Command
from narrows.machine import hardware
from narrows.memory.inside import ratios, with_inside
from narrows.memory.ledger import taken
from narrows.memory.stream import Stream, representative
from narrows.spool.record import Process
from narrows.trials.option import arm
from narrows.trials.options import named

MUCH = 0.5
"""Share of this machine's memory up to which the largest batch is run, to see."""
STEPS = 4
"""Updates of a trace: the optimizer's state is there from the second on."""


class Traces:
    """Memory runs of the job beside the first: two at a time, but only one with its numbers, as it may fill the machine."""

    def __init__(self, wish: Wish, command: Command, folder: Path) -> None:
        self.wish, self.command, self.folder = wish, command, folder
        self.real = Lock()

    def asked(self, name: str, job: Changed, how: str = "fake") -> Asked:
        return Asked(name=name, job=job, how=how, steps=STEPS)

    def run(self, every: Sequence[Asked]) -> list[Ran]:
        with ThreadPoolExecutor(max_workers=max(1, min(2, os.cpu_count() or 1))) as pool:
            made = [pool.submit(self._run, each) for each in every]
            try:
                return [each.result() for each in made]
            except KeyboardInterrupt:
                for each in made:
                    each.cancel()
                tree.kill_below(os.getpid())  # else the pool waits until they end by themselves
                raise

    def _run(self, asked: Asked) -> Ran:
        with nullcontext() if asked.how == "fake" else self.real:
            return memory_run(asked, self.folder, shield=not self.wish.allow_writes)

    def tried(self, size: Size, seen: answers.Seen) -> scaling.Tried:
        found = {size.now: seen.traced or seen.stream}
        points = scaling.points(size) - {size.now}
        found |= self._at(size, points, seen)
        if len(found) == 2 and len(points) == 2:  # the larger one may be more than the job has data or positions for
            found |= self._at(size, {max(1, size.now // 4)} - points - {size.now}, seen)
        return scaling.Tried(size=size, steps=found, traced=seen.traced is not None)

    def _at(self, size: Size, points: Collection[int], seen: answers.Seen) -> dict[int, Stream]:
        """Steps at other sizes, of those that went with what was asked for."""
        found = {}
        how = "fake" if seen.traced else "real"
        able = [point for point in points if seen.traced or self._small(seen, point / size.now)]
        asked = [self.asked(f"{size.what}{point}", size.of(self.command, point), how) for point in able]
        for point, ran in zip(able, self.run(asked), strict=True):
            stream = representative(ran.process, seen.ends) if ran.process is not None else None
            if (
                ran.process is not None
                and stream is not None
                and scaling.scaled(seen.process, ran.process, size, point)
            ):
                found[point] = with_inside(stream, seen.ratios if seen.traced else ratios(ran.process))
        return found

    def _small(self, seen: answers.Seen, times: float) -> bool:
        """Whether the job may be run here if it takes so many times as much."""
        return times * max(seen.rest.resident_peak, seen.stream.peak[0]) <= MUCH * self._room(seen)

    def timed(self, tried: scaling.Tried, seen: answers.Seen, plain: Process | None) -> scaling.Tried:
        """With what steps take at its sizes, in rounds beside each other; of those that are not much for this machine."""
        size, now = tried.size, tried.steps[tried.size.now].peak[0]
        if plain is None or not seen.real:
            return tried
        here = self._room(seen)
        own = taken(plain, seen.ends, device=seen.stream.device)
        peaks = {point: own + step.peak[0] - now for point, step in tried.steps.items()}
        others = {point: size.of(self.command, point) for point, peak in peaks.items()
                  if point != size.now and peak <= MUCH * here}  # fmt: skip
        peak = max(peaks[point] for point in (size.now, *others))
        shield = not self.wish.allow_writes
        found = at_sizes(self.command, self.folder, plain, peak, size.now, others, shield=shield)
        return replace(tried, rounds=found)

    def _room(self, seen: answers.Seen) -> int:
        """Bytes that this machine, or the device, has for each rank of the job."""
        return seen.device or hardware.memory_bytes() // seen.beside

    def measure(self, seen: answers.Seen, batch: Size | None, most: Limit) -> Measure:
        """Runs the job at a batch, where that much is not much for this machine."""

        def run(size: int) -> int | None:
            if batch is None or not seen.real or most.bytes > MUCH * self._room(seen):
                return None
            ran = self._run(self.asked(f"alone{size}", batch.of(self.command, size), "plain"))
            if ran.process is None or not scaling.scaled(seen.process, ran.process, batch, size):
                return None
            peak = taken(ran.process, seen.ends, device=seen.stream.device)
            return peak - seen.rest.files if peak else None

        return run

    def alone(self, seen: answers.Seen, batch: Size | None) -> dict[Way, Taken]:
        """The step with each remedy that found something to change."""
        modules = {name: remedies.load(name) for name in remedies.names()}
        # A trace is one of a single process: what ranks share it does not see.
        rooms = {
            name: getattr(module, "ROOM", ())
            for name, module in modules.items()
            if not hasattr(module, "RANKS") and remedies.possible(module, seen.process)
        }
        found = self._each([(name, values[0]) for name, values in rooms.items() if values], seen, batch)
        # What found nothing to change finds nothing with another setting either.
        return found | self._each([(name, value) for name, _ in found for value in rooms[name][1:]], seen, batch)

    def _each(self, ways: Sequence[Way], seen: answers.Seen, batch: Size | None) -> dict[Way, Taken]:
        found = self._with([[way] for way in ways], seen, batch)
        return {way: each for way, each in zip(ways, found, strict=True) if each is not None}

    def tools(self, seen: answers.Seen, batch: Size | None, plain: Process | None) -> Tools:
        """What the answers ask for."""

        def costs(sets: Sequence[Sequence[Way]]) -> Sequence[float | None]:
            arms = [arm([named(*way) for way in ways]) for ways in sets]
            if not seen.real:
                return [None for _ in arms]
            # Of the machine, also for a device: they run beside each other on it.
            peak = taken(plain, seen.ends) if plain is not None else 0
            found = times(self.command, self.folder, plain, peak, arms, shield=not self.wish.allow_writes)
            return [found.get(each.name) for each in arms]

        return Tools(step=lambda ways: self._with([ways], seen, batch)[0], times=costs)

    def _with(self, sets: Sequence[Sequence[Way]], seen: answers.Seen, batch: Size | None) -> list[Taken | None]:
        """With remedies that change tensors, the step, at the batch that was asked about. Others are in the process's
        environment, which only a run shows: those are run as the job is, and so are all of a job without a trace."""
        job, here = Changed(command=self.command), True
        if batch is not None and self.wish.batch:
            job, here = batch.of(self.command, self.wish.batch), False
        asked = []
        for ways in sets:
            arm_ = arm([named(*way) for way in ways])
            inside = all(hasattr(remedies.load(name), "apply") for name, _ in ways)
            how = "fake" if inside and seen.traced else "plain"
            asked.append(
                replace(self.asked("with", job, how), name=arm_.name.replace(" ", ""), environment=arm_.environment,
                        remedies=arm_.remedies)
            )  # fmt: skip
        todo = [each for each in asked if each.how == "fake" or (here and seen.real)]
        ran = {each.name: found for each, found in zip(todo, self.run(todo), strict=True)}
        return [_taken(each, ran.get(each.name), seen) for each in asked]


def _taken(asked: Asked, ran: Ran | None, seen: answers.Seen) -> Taken | None:
    changing = {name for name, _ in asked.remedies if hasattr(remedies.load(name), "apply")}
    if ran is None or ran.process is None or not changing <= ran.applied:
        return None
    if asked.how == "plain":
        return taken(ran.process, seen.ends, device=seen.stream.device) - seen.rest.files
    stream = representative(ran.process, seen.ends)
    return with_inside(stream, seen.ratios) if stream is not None else None
