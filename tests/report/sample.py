"""Reports as jobs make them, built by hand: what the faces have to show, with every number known."""

from msgspec.structs import replace

from narrows.report.capacity import (
    Cache,
    Capacity,
    Held,
    Memory,
    MemoryParts,
    OtherOptimizer,
    OutOfMemory,
    Predicted,
    Scaling,
    Timed,
    Together,
    Way,
)
from narrows.report.model import (
    CAUSES,
    Finding,
    Framework,
    GradientNorm,
    Health,
    Job,
    Latency,
    Limit,
    Machine,
    Measurement,
    OpCost,
    Part,
    Proof,
    Rank,
    Report,
    Row,
    Step,
    Verdict,
)
from narrows.report.parallel import Ahead, Communication, Exchanged, Fate, Forecast
from tests import fakes

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>`|*\x1b[2J\u202e{{7*7}}"
"""What a job's name or error may hold: markup of every face, a terminal's control code, a turn of the text."""

SECONDS = {
    "input": 0.0200, "transfer": 0.0, "communication": 0.0, "host": 0.0011, "overhead": 0.0062,
    "bandwidth": 0.0048, "compute": 0.0086, "unexplained": 0.0004,
}  # fmt: skip
FLOORS = {"bandwidth": 0.0021, "compute": 0.0069}
WHOLE = sum(SECONDS.values())


def ledger() -> list[Row]:
    return [
        Row(cause=cause, seconds=SECONDS[cause], share=SECONDS[cause] / WHOLE, floor_seconds=FLOORS.get(cause, 0.0),
            basis="modelled" if cause in FLOORS else "measured")
        for cause in CAUSES
    ]  # fmt: skip


def finding(**changed: object) -> Finding:
    made = Finding(
        id="single-process-loader", title="Batches are made in the training process", cause="input", seconds=0.0185,
        basis="measured", where="train.py:41", evidence="num_workers=0: 18.5 ms of each step makes the batch.",
        advice="Give the DataLoader workers (num_workers=2, persistent_workers=True).", remedies=["loader-workers"],
    )  # fmt: skip
    return replace(made, **changed)


def training() -> Report:
    return Report(
        id="20261124-120000-abcd",
        created="2026-11-24T12:00:00Z",
        kind="diagnose",
        job=Job(command=["python", "train.py", "--lr", "1e-3"], type="training", ended="ok", exit_code=0, error=None,
                framework=Framework(name="torch", version="2.13.0"), ranks=1, wall_seconds=41.2),
        machine=Machine(cpu="AMD EPYC", cores=2, memory_bytes=25 << 30, devices=[], ceilings=fakes.CEILINGS),
        step=Step(unit="optimizer step", count=312, steady_count=280, median_seconds=WHOLE, block=1,
                  ci95_seconds=(0.0408, 0.0415), startup_seconds=1.9, samples_per_second=1557.0, latency=None),
        phases={"input": 0.02, "transfer": 0.0, "forward": 0.006, "loss": 0.0004, "backward": 0.011,
                "optimizer": 0.003, "other": 0.0007},
        ledger=ledger(),
        limit=Limit(same_ops_seconds=0.009, ideal_seconds=0.0031, distance=4.6),
        verdict=Verdict(cause="input", share=0.486, sentence="49% of each step waits for the next batch."),
        findings=[
            finding(),
            finding(id="many-small-ops", title="Many small ops", cause="overhead", seconds=0.0062, where=None,
                    basis="modelled", evidence="115 ops in a step.", advice="Make each op do more."),
            finding(id="vanishing-gradients", title="Gradients vanish", cause=None, seconds=0.0, where="net.py:7",
                    evidence="The first layer's gradient is 1e-9 of the last's.", advice="Normalise between layers."),
        ],
        memory=Memory(peak_bytes=3 << 30, available_bytes=25 << 30,
                      parts=MemoryParts(parameters=12 << 20, gradients=12 << 20, optimizer=24 << 20, activations=None,
                                        input=1 << 20, other=2 << 30)),
        health=Health(loss_first=2.3, loss_last=0.912, gradient_norm=GradientNorm(first=1.0, last=0.2)),
        measurement=Measurement(probe_share=0.004, deep_steps=8, classed_by_shape=0.93, warnings=[]),
        wall=[Part(name="imports", seconds=1.1), Part(name="startup", seconds=1.9), Part(name="steps", seconds=12.8),
              Part(name="after", seconds=25.4)],
        ranks=None,
        proofs=[],
        ops=[OpCost(name="mm", phase="backward", calls=5.0, seconds=0.004, flops=5e8, bytes=1e6, bound="compute")],
    )  # fmt: skip


def inference() -> Report:
    base = training()
    assert base.step is not None
    return replace(
        base,
        job=replace(base.job, type="inference", ended="stopped"),
        step=replace(base.step, unit="model call", latency=Latency(p50=0.041, p95=0.052, p99=0.0613), block=16),
        proofs=[Proof(cause="input", what="batches kept ready", saved_seconds=0.0181, ci95_seconds=(0.0175, 0.0188),
                      pairs=12)],
        health=None,
        findings=[],
    )  # fmt: skip


def no_step() -> Report:
    base = training()
    return replace(
        base,
        job=replace(base.job, type="none", ended="error", exit_code=3, error=None, framework=None),
        step=None, phases=None, ledger=None, limit=None, verdict=None, findings=[], memory=None, health=None, ops=[],
        wall=[Part(name="imports", seconds=1.1), Part(name="program", seconds=40.1)],
        measurement=replace(base.measurement, deep_steps=0, classed_by_shape=None,
                            warnings=["No step was seen."]),
    )  # fmt: skip


def no_ledger() -> Report:
    """Steps, but no ceilings to hold them against."""
    base = training()
    return replace(base, ledger=None, limit=None, verdict=None, findings=[], ops=[])


def two_ranks() -> Report:
    base = training()
    ranks = [
        Rank(rank=i, step_seconds=WHOLE, ledger=ledger(), waits_for_others_seconds=0.002 * i, exchange_seconds=0.001,
             slowest_share=1.0 - i, costs_seconds=0.002 - 0.002 * i, slower_in="next" if i == 0 else None,
             slower_seconds=0.002 if i == 0 else None, where=f"{HOSTILE}.py:12" if i == 0 else None,
             clock_offset_seconds=0.25 * i)
        for i in range(2)
    ]  # fmt: skip
    calls = [
        Exchanged(kind="all-reduce", bytes=25 << 20, dtype="float32", calls=3.0, ceiling_seconds=0.06, state="backward",
                  where="train.py:41"),
        Exchanged(kind="all-reduce", bytes=4, dtype="float32", calls=1.0, ceiling_seconds=None, state="communication",
                  where=None),
    ]  # fmt: skip
    communication = Communication(
        exchange_seconds=0.001, waiting_seconds=0.0, all_waiting_seconds=0.001, critical_rank=0, bytes_per_step=75 << 20,
        ceiling_seconds=0.06, link_share=0.06 / WHOLE, clock_offset_seconds=0.25, collectives=calls,
    )  # fmt: skip
    return replace(base, job=replace(base.job, ranks=2), ranks=ranks, communication=communication)


def one_rank_failed() -> Report:
    """Each way in which a rank ends, and a job without a steady state."""
    base = no_step()
    common = {"rank": 1, "steps": 57, "signal": None, "error": None, "state": None, "where": None}
    ways = {"finished": {}, "stopped": {}, "failed": {"error": HOSTILE, "where": HOSTILE}, "lost": {"error": "closed by peer"},
            "killed": {"signal": "SIGKILL"}, "exit": {"error": "3"}, "stood": {"state": "wait", "where": "train.py:41"}, "ended": {}}  # fmt: skip
    fates = [
        Fate(**{**common, **more, "how": how, "attempt": number}) for number, (how, more) in enumerate(ways.items())
    ]
    return replace(base, job=replace(base.job, ranks=2, error=HOSTILE), fates=fates)


def forecast() -> Report:
    base = two_ranks()
    rows = [
        Ahead(ranks=64, scaling=scaling, model=model, step_seconds=0.05 + late, communication_seconds=0.01 + late, efficiency=0.8, speedup=51.2)
        for scaling in ("weak", "strong") for model, late in (("ring", 0.002 if scaling == "weak" else 0.0), ("tree", 0.0))
    ]  # fmt: skip
    made = Forecast(
        rows=rows, ranks_seen=2, ranks_per_machine=4, part=1.0, bytes=100 << 20, buckets=5, link="measured", latency_seconds=2e-5,
        bandwidth=1.25e10, hidden_seconds=0.003, link_factor=1.4, crowding=1.1, spread_seconds=0.001, busy_seconds=0.04, cores=2,
    )  # fmt: skip
    return replace(base, forecast=made)


def hostile() -> Report:
    """Everything that a job can put its own text into."""
    base = training()
    return replace(
        base,
        job=replace(base.job, command=["python", HOSTILE], ended="error", exit_code=1, error=HOSTILE),
        machine=replace(base.machine, cpu=HOSTILE, devices=[HOSTILE]),
        verdict=Verdict(cause="input", share=0.486, sentence=HOSTILE),
        findings=[finding(title=HOSTILE, where=HOSTILE, evidence=HOSTILE, advice=HOSTILE)],
        measurement=replace(base.measurement, warnings=[HOSTILE]),
        ops=[replace(base.ops[0], name=HOSTILE)],
    )


def unexplained() -> Report:
    base = training()
    text = "12% of the step is unexplained."
    return replace(base, measurement=replace(base.measurement, warnings=[text]))


def out_of_memory() -> Report:
    """An error that says what was asked for and where; its text is the job's own."""
    base = training()
    assert base.memory is not None
    crash = OutOfMemory(
        asked_bytes=4 << 30, where="net.py:41", what=HOSTILE, op="torch.nn.functional.gelu", state="forward",
        limit_bytes=8 << 30, limit_kind="address_space", held_bytes=5 << 30, idle_bytes=300 << 20,
        parts=base.memory.parts, missed_bytes=1 << 30, killed=False, updates=312, message=HOSTILE,
    )  # fmt: skip
    job = replace(base.job, ended="out_of_memory", exit_code=1, error="RuntimeError: no")
    return replace(base, job=job, out_of_memory=crash)


def killed() -> Report:
    """By the kernel, of which only its limit is known."""
    base = no_step()
    crash = OutOfMemory(
        asked_bytes=None, where=None, what=None, op=None, state=None, limit_bytes=2 << 30, limit_kind="cgroup",
        held_bytes=3 << 29, idle_bytes=None, parts=None, missed_bytes=None, killed=True, updates=0, message=None,
    )  # fmt: skip
    return replace(base, job=replace(base.job, ended="out_of_memory", exit_code=137), out_of_memory=crash)


TIMES = [
    Timed(size=32, seconds=0.19, interval=(0.17, 0.21), basis="measured"),
    Timed(size=64, seconds=0.2, interval=(0.19, 0.22), basis="measured"),
    Timed(size=512, seconds=1.5, interval=None, basis="modelled"),
]


def fitted() -> Report:
    """Of a generation, with all that `fit` can say of one; the names are the job's own."""
    base = inference()
    sizes = [
        Predicted(size=n, peak_bytes=n << 22, needed_bytes=n << 21, fits=n < 512, basis="modelled") for n in (64, 512)
    ]
    scaling = Scaling(name=HOSTILE, now=64, dataset=None, largest=300, asked=512, exponent=1.7, predicted=sizes,
                      exponent_basis="modelled", exponent_interval=(1.6, 1.8), time_exponent=0.1,
                      time_exponent_interval=(-0.1, 0.3), times=TIMES)  # fmt: skip
    held = [Held(name=HOSTILE, bytes=1 << 20, where=HOSTILE, op="cat.default"), Held(name="crumb", bytes=4)]
    way = Way(remedy="activation-checkpointing", value=True, kind="memory", title=HOSTILE, needed_bytes=1 << 27, fits=True,
              time=1.21, by_hand=HOSTILE)  # fmt: skip
    capacity = Capacity(
        limit_bytes=1 << 30, limit_kind="machine", peak_bytes=1 << 29, needed_bytes=1 << 28, fits=True, basis="measured",
        parts=[Held(name="parameters", bytes=1 << 28), Held(name="cache", bytes=1 << 28)], curve=[(0.0, 1 << 28)],
        activations=held, temporaries=held, models=held[:1], traced=True, traced_off=0.001, batch=scaling, batch_missing=None,
        sequence=replace(scaling, largest=None, time_exponent_interval=None), ways=[way, replace(way, value=2, time=None, fits=False)],
        together=Together(ways=["activation-checkpointing"], needed_bytes=1 << 27, fits=True, time=1.21), shards=[], leaks=[],
        optimizers=[OtherOptimizer(name="Adam", needed_bytes=1 << 29, fits=False)],
        cache=Cache(bytes=1 << 28, bytes_per_call=1 << 19, calls=129, largest=2048),
    )  # fmt: skip
    return replace(base, kind="fit", step=None, phases=None, ledger=None, limit=None, verdict=None, capacity=capacity)


def room() -> Report:
    """A cache that has all of its room, and no other size."""
    base = fitted()
    assert base.capacity is not None
    cache = Cache(bytes=1 << 28, bytes_per_call=0, calls=129, largest=None)
    return replace(
        base, capacity=replace(base.capacity, cache=cache, batch=None, batch_missing="it was not found", sequence=None,
                               together=Together(ways=["a", "b=2"], needed_bytes=1 << 31, fits=False, time=None))
    )  # fmt: skip


SAMPLES = {
    "training": training, "inference": inference, "no step": no_step, "no ledger": no_ledger,
    "two ranks": two_ranks, "one rank failed": one_rank_failed, "forecast": forecast, "hostile": hostile, "unexplained": unexplained,
    "out of memory": out_of_memory, "killed": killed, "fitted": fitted, "room": room,
}  # fmt: skip
