"""The smaller parts of a report, each from what it needs."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from narrows.job.facts import Facts
from narrows.ledger import limit as limits
from narrows.ledger.account import Account
from narrows.ledger.steady import Steady
from narrows.report.capacity import Memory, MemoryParts
from narrows.report.language import Words
from narrows.report.model import Framework, GradientNorm, Health, Latency, Measurement, OpCost, Part, Row, Step
from narrows.spool.record import Process

FRAMEWORKS = ("keras", "torch", "tensorflow", "jax")
HOOK_SECONDS = 5e-6
"""What one hooked call (two transitions and a wrapper) costs in a step, when its code is out of the caches: ten times what
it costs in a loop. `benchmarks/overhead.py` measures the whole."""
RECORD_SECONDS = 10e-6
"""What a boundary costs."""
LIGHT_SECONDS = 4e-6
"""What a boundary of a light step costs, in which nothing else is hooked."""


def framework(process: Process | None, processes: Sequence[Process]) -> Framework | None:
    """What the job's loop is written in: Keras, if it steps with it, before what runs below."""
    for each in [process, *processes]:
        for name in FRAMEWORKS:
            seen = each.first(name) if each is not None else {}
            if seen and (name != "keras" or (each is not None and each.first("trainer"))):
                below = f" ({seen['backend']})" if name == "keras" else ""
                return Framework(name=name, version=f"{seen['version']}{below}")
    return None


def framework_seen(process: Process) -> Mapping[str, Any]:
    """The event that the first framework of a process was imported with; empty if there was none."""
    seen = [process.first(name) for name in FRAMEWORKS if process.first(name)]
    return min(seen, key=lambda event: int(event["t"]), default={})


def step(process: Process | None, mine: Account | None) -> Step | None:
    if process is None or mine is None or mine.steady is None:
        return None
    steady = mine.steady
    latency = None
    if mine.steps.type == "inference":
        ordered = sorted(steady.durations)
        latency = Latency(p50=_percentile(ordered, 0.5), p95=_percentile(ordered, 0.95), p99=_percentile(ordered, 0.99))
    first = mine.steps.steps[max(0, steady.first - 1)]
    return Step(
        unit=mine.steps.unit,
        count=len(mine.steps.steps),
        steady_count=steady.count,
        median_seconds=steady.median,
        ci95_seconds=steady.interval,
        block=steady.block,
        startup_seconds=(first.end_ns - process.start_ns) / 1e9,
        samples_per_second=steady.samples / steady.median if steady.samples else None,
        latency=latency,
    )


def _percentile(ordered: Sequence[float], part: float) -> float:
    """Nearest rank: the smallest value that this part of the values do not exceed."""
    return ordered[min(len(ordered) - 1, max(0, round(part * len(ordered) + 0.5) - 1))]


def phases(steady: Steady) -> dict[str, float]:
    """When in the step: the states, put together."""
    s = steady.seconds
    named = {
        "input": s["next"] + s["iter"],
        "transfer": s["transfer"],
        "forward": s["forward"] + s["evaluate"],
        "loss": s["loss"],
        "backward": s["backward"] + s["wait"],
        "optimizer": s["optimizer"] + s["post"],
    }
    return {**named, "other": max(0.0, steady.median - sum(named.values()))}


def memory(facts: Facts, process: Process | None) -> Memory | None:
    if facts.machine is None:
        return None
    looks = process.events.get("memory", ()) if process else ()
    seen = max(looks, key=lambda e: e["parameters"] + e["gradients"] + e["optimizer"], default={})
    peak = max([facts.peak_bytes, *(int(e["rss_peak"]) for e in looks)])
    if seen.get("device_peak"):
        peak = int(seen["device_peak"])
    made = None
    if seen:
        held = {name: int(seen[name]) for name in ("parameters", "gradients", "optimizer")}
        batch = int(process.last("values").get("input_bytes") or 0) if process else 0
        made = MemoryParts(**held, activations=None, input=batch, other=max(0, peak - sum(held.values()) - batch))
    return Memory(
        peak_bytes=peak, available_bytes=int(seen.get("device_total") or facts.machine.memory_bytes), parts=made
    )


def health(process: Process | None) -> Health | None:
    if process is None:
        return None
    looks = [e for e in process.events.get("gradients", ()) if e.get("layers")]
    norms = [sum(layer[1] ** 2 for layer in e["layers"]) ** 0.5 for e in looks]
    first = process.first("loss").get("first")
    last = process.last("last_loss").get("value")
    if first is None and not norms:
        return None
    return Health(
        loss_first=first,
        loss_last=last,
        gradient_norm=GradientNorm(first=norms[0], last=norms[-1]) if norms else None,
    )


def measurement(process: Process | None, mine: Account | None, warnings: list[str]) -> Measurement:
    deep = sum(w.steps for w in process.windows) if process else 0
    spent = sum(k.seconds + k.fixed for k in mine.kernels) if mine else 0.0
    known = sum(k.seconds + k.fixed for k in mine.kernels if k.by_shape) if mine else 0.0
    return Measurement(
        probe_share=_probe_share(mine),
        deep_steps=round(deep / mine.steps.per_step) if mine else 0,
        classed_by_shape=known / spent if spent else None,
        warnings=warnings,
    )


def _probe_share(mine: Account | None) -> float:
    """Hooked calls of a typical step, at their known cost."""
    if mine is None or mine.steady is None or not mine.steps.steps:
        return 0.0
    steps, boundaries = mine.steps.steps[mine.steady.first :], mine.steps.per_step
    late = mine.steps.timed(mine.steady.first) or mine.steps.steps
    calls = statistics.median(s.forwards + s.backwards + s.batches for s in late) + 2 * boundaries
    timed = min(1.0, len(late) / max(1, len(steps)))
    full, light = calls * HOOK_SECONDS + boundaries * RECORD_SECONDS, boundaries * LIGHT_SECONDS
    return min(1.0, (timed * full + (1 - timed) * light) / mine.steady.median)


def ops(mine: Account) -> list[OpCost]:
    """The dozen ops that take most of a step."""
    merged: dict[tuple[str, str], list[float]] = {}
    bounds: dict[tuple[str, str], dict[str, float]] = {}
    for k in mine.kernels:
        if k.state in ("next", "iter"):  # the loader's own ops are input, however they are made
            continue
        key = (k.name, k.state)
        row = merged.setdefault(key, [0.0, 0.0, 0.0, 0.0])
        for i, value in enumerate((k.calls, k.seconds + k.fixed, k.flops, k.bytes)):
            row[i] += value
        part = bounds.setdefault(key, {"compute": 0.0, "bandwidth": 0.0, "overhead": 0.0})
        part[k.bound] += k.seconds
        part["overhead"] += k.fixed
    order = sorted(merged, key=lambda key: -merged[key][1])[:12]
    return [
        OpCost(
            name=key[0],
            phase=key[1],
            calls=merged[key][0],
            seconds=merged[key][1],
            flops=merged[key][2],
            bytes=merged[key][3],
            bound=max(bounds[key], key=lambda name: bounds[key][name]),  # type: ignore[arg-type]
        )
        for key in order
    ]


def wall(facts: Facts, processes: Sequence[Process], process: Process | None, mine: Account | None) -> list[Part]:
    """The job's wall time, by what it was doing."""
    whole = facts.wall_seconds
    first = process or (processes[0] if processes else None)
    if first is None:
        return [Part(name="program", seconds=whole)]
    begun = framework_seen(first)
    imports = (begun["t"] - first.start_ns) / 1e9 if begun else 0.0
    if mine is None or mine.steady is None:
        named = [("imports", imports), ("program", max(0.0, whole - imports))]
        return [Part(name=name, seconds=spent) for name, spent in named if spent > 0]
    all_steps = mine.steps.steps
    started = (all_steps[max(0, mine.steady.first - 1)].end_ns - first.start_ns) / 1e9
    late = all_steps[mine.steady.first :]
    deep = sum(s.seconds for s in late if s.disturbed)
    evaluation = mine.steady.evaluation
    in_steps = sum(s.seconds for s in late if not s.disturbed) - evaluation
    named = [("imports", imports), ("startup", max(0.0, started - imports)), ("steps", in_steps), ("deep", deep),
             ("evaluation", evaluation)]  # fmt: skip
    named.append(("after", max(0.0, whole - sum(spent for _, spent in named))))
    return [Part(name=name, seconds=spent) for name, spent in named if spent > 0]


def warnings(
    facts: Facts, processes: Sequence[Process], process: Process | None, mine: Account | None, say: Words
) -> list[str]:
    found = []
    if not processes:
        found.append(say("no probe"))
    elif process is None:
        seen = any(framework_seen(p) for p in processes)
        found.append(say("no step" if seen else "no framework"))
    elif mine is not None and mine.steady is None:
        found.append(say("few steps", count=len(mine.steps.steps)) if mine.steps.steps else say("no step"))
    elif facts.machine is None or facts.machine.ceilings is None:
        found.append(say("no ceilings", python=process.first("start").get("executable", "python")))
    elif mine is not None and not mine.kernels:
        found.append(say("not deep", deep=0))
    if facts.asked_steps and facts.ended != "stopped" and process is not None:
        found.append(say("steps not reached", steps=facts.asked_steps))
    found.extend(say("cut off", pid=p.pid) for p in processes if p.cut_off)
    if process is not None and process.lost:
        found.append(say("disk", count=process.lost))
    return found


def ledger_warnings(ledger: Sequence[Row], mine: Account, median: float, say: Words) -> list[str]:
    found = []
    unexplained = next(row.share for row in ledger if row.cause == "unexplained")
    if unexplained >= 0.05:
        found.append(say("unexplained", share=unexplained))
    fast = limits.above_ceiling(mine.kernels) / median
    if fast > 0.1:
        found.append(say("too fast", share=fast))
    return found
