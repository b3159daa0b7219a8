from narrows.memory.ledger import PROCESS, TENSORS, Rest, device_bytes, ledger, rest, taken
from tests.fakes import process
from tests.memory.streams import step, storage, stream


def test_the_parts_of_a_step_and_their_sum() -> None:
    found = ledger(step(4), Rest())
    held = {name: size for name, size in found.parts.items() if size}
    assert held == {"parameters": 100, "input": 40, "activations": 96, "gradients": 100}
    assert set(found.parts) == {*TENSORS, *PROCESS}
    assert found.peak == found.tensors == step(4).peak[0] == 336


def test_what_is_kept_for_the_backward_pass_is_told_from_what_is_not() -> None:
    # 1 goes before the backward pass begins, 2 goes in it.
    made = stream((), (1, 2, -2, 3, -3, -4), {1: storage(50), 2: storage(30), 3: storage(5, "backward")})
    parts = ledger(made, Rest()).parts
    assert (parts["activations"], parts["temporaries"]) == (30, 50)


def test_what_is_computed_again_in_a_backward_pass_is_activations() -> None:
    made = stream((), (1, 2), {1: storage(5, "backward"), 2: storage(70, "backward", "Net.blocks.3")})
    parts = ledger(made, Rest()).parts
    assert (parts["activations"], parts["temporaries"]) == (70, 5)


def test_what_the_script_keeps_is_not_a_batch() -> None:
    data, batch = storage(900, "tail", op=""), storage(9, "next", op="stack.default")
    parts = ledger(stream((1,), (2,), {1: data, 2: batch}), Rest()).parts
    assert (parts["held"], parts["input"]) == (900, 9)


def test_the_process_beside_its_tensors() -> None:
    found = ledger(step(4), Rest(framework=1000, files=200, own=30, resident_peak=2000))
    assert found.parts["waste"] == 2000 - 336 - 1000 - 200 - 30
    assert found.peak == 2000
    assert found.needed == 2000 - 200 - 30


def test_a_process_whose_peak_is_not_known_has_no_waste() -> None:
    assert ledger(step(4), Rest(framework=1000)).parts["waste"] == 0


def test_what_an_op_takes_for_itself_can_make_the_peak() -> None:
    made = stream((), (1, -2, 2), {1: storage(50), 2: storage(60)}, inside={1: 30})
    assert made.peak == (80, 1)
    assert ledger(made, Rest()).parts["inside"] == 30


def test_large_blocks_are_not_in_the_heap() -> None:
    assert stream((), (1, 2), {1: storage(64 << 20), 2: storage(1 << 20)}).small == 1 << 20


def test_a_device_is_told_apart_from_the_machine() -> None:
    """A context of 400, tensors of up to 900 in reserved blocks of up to 1000; and, of no interest, the host's memory."""
    host = {"resident": 9000, "resident_peak": 9500, "files": 0, "free": 0, "live": 0, "own": 0, "watched": False}
    ends = [
        {**host, "used": 1200, "reserved": 800, "reserved_peak": 900, "allocated_peak": 700, "total": 80000},
        {**host, "used": 1250, "reserved": 850, "reserved_peak": 1000, "allocated_peak": 900, "total": 80000},
    ]
    job = process((), memory_step=ends)
    found = rest(job, device=True)
    assert (found.framework, found.resident_peak, found.files, found.own) == (400, 1400, 0, 0)
    assert rest(job).resident_peak == 9500
    assert device_bytes(job) == 80000
    alone = process(
        (),
        plain_step=[{"resident_peak": 9000, **{k: ends[1][k] for k in ("used", "reserved", "reserved_peak", "total")}}],
    )
    assert (taken(alone, device=True), taken(alone)) == (1400, 9000)


def test_a_job_without_a_device_has_none() -> None:
    job = process((), memory_step=[{"resident": 1, "watched": False}], plain_step=[{"resident_peak": 5}])
    assert (device_bytes(job), taken(job, device=True), rest(job, device=True)) == (0, 0, Rest())
