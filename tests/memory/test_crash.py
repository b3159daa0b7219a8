"""What ran out of memory: first what must not be taken for it, then what each kind of message and of event says."""

from dataclasses import replace
from typing import Any

import pytest

from narrows.job.facts import Facts
from narrows.memory.crash import asked_bytes, device_limit, out_of_memory
from narrows.report.capacity import OutOfMemory
from narrows.spool.record import Process
from tests import fakes

GIB, MIB = 1 << 30, 1 << 20
CPU = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "{} bytes. Error code 12 (Cannot allocate memory)"
)
CUDA = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.20 GiB is "
    "free. Process 41 has 2.00 GiB memory in use. Including non-PyTorch memory, this process has 75.90 GiB memory in "
    "use. {}Of the allocated memory 75.00 GiB is allocated by PyTorch, and 300.00 MiB is reserved by PyTorch but "
    "unallocated. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF"
)
OLD = (
    "CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.79 GiB total capacity; 5.61 GiB already allocated; "
    "17.00 MiB free; 5.75 GiB reserved in total by PyTorch)"
)
TYPO = (
    "CUDA out of memory. Tried to allocate 730.00 MiB. GPU 0 has a total capacty of 8.00 GiB of which 0 bytes is free. "
    "Of the allocated memory 6.52 GiB is allocated by PyTorch, and 666.27 MiB is reserved by PyTorch but unallocated."
)
APPLE = (
    "MPS backend out of memory (MPS allocated: 19.80 GiB, other allocations: 2.80 MiB, max allowed: 20.13 GiB). Tried "
    "to allocate 708.98 MiB on private pool."
)
FRAMES = [
    ["user", "/home/me/train.py", 50, "__main__.main"],
    ["probe", "/x/hooks/module.py", 9, "_narrows_probe.hooks.module.__call__"],
    ["torch", "/x/module.py", 1, "torch.nn.modules.module.Module._call_impl"],
    ["user", "/home/me/net.py", 41, "net.Net.forward"],
    ["torch", "/x/module.py", 1, "torch.nn.modules.module.Module._call_impl"],
    ["torch", "/x/functional.py", 7, "torch.nn.functional.gelu"],
]


def crash(message: str, **changed: Any) -> dict[str, Any]:
    return {
        "t": 5, "type": "RuntimeError", "message": message, "frames": FRAMES, "text": "x = gelu(x)", "size": 6 * GIB,
        "peak_size": 7 * GIB, "rss": 5 * GIB, "peak_rss": 5 * GIB, "data": 4 * GIB, "limit_size": None,
        "limit_data": None, "group": None, "total": 24 * GIB, "available": 20 * GIB, **changed,
    }  # fmt: skip


def found(*events: dict[str, Any], ended: str = "error", exit_code: int = 1, kills: int = 0,
          peak: int = 0, **more: Any) -> OutOfMemory | None:  # fmt: skip
    process = fakes.process(
        fakes.boundaries(7, forward=1.0), **{**({"out_of_memory": list(events)} if events else {}), **more}
    )
    return judged((process,), ended=ended, exit_code=exit_code, memory_kills=kills, peak_bytes=peak)


def judged(processes: tuple[Process, ...], **facts: Any) -> OutOfMemory | None:
    told = {"id": "1", "created": "", "narrows": "0", "command": [], "cwd": "/home/me", **facts}
    return out_of_memory(Facts(**told), processes)


def test_a_job_that_went_on_did_not_crash() -> None:
    assert found(ended="ok", exit_code=0) is None
    assert found(crash(CPU.format(GIB)), ended="ok", exit_code=0) is None
    assert found(crash(CPU.format(GIB)), ended="stopped", exit_code=0) is None


def test_another_end_is_none_of_ours() -> None:
    assert found(end={"error": "RuntimeError: shapes do not fit", "memory": False}) is None
    assert found(ended="signal", exit_code=137) is None
    assert found(ended="error", kills=1, end={"error": "ValueError: no"}) is None
    assert judged((), ended="error", exit_code=1) is None


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (CPU.format(34359738368), 32 * GIB),
        ("DefaultCPUAllocator: not enough memory: you tried to allocate 12 bytes.", 12),
        ("Unable to allocate 7.45 GiB for an array with shape (1000, 1000000) and data type float64", 8 * 10**9),
        ("Unable to allocate 7.45 GiB for an array with shape (1000000000,) and data type int64", 8 * 10**9),
        ("Unable to allocate 16.0 B for an array with shape () and data type complex128", 16),
        ("Unable to allocate 1.00 GiB for an array with shape (5,) and data type <U53687091", GIB),
        (CUDA.format(""), 2 * GIB),
        (OLD, 20 * MIB),
        (APPLE, round(708.98 * MIB)),
        ("", None),
        ("CUDA error: out of memory", None),
        ("Unable to allocate output buffer.", None),
    ],
)
def test_what_was_asked_for(text: str, asked: int | None) -> None:
    assert asked_bytes(text) == asked


@pytest.mark.parametrize(
    ("text", "total", "free"),
    [
        (CUDA.format(""), 79.11, 1.2),
        (OLD, 7.79, 17 / 1024),
        (TYPO, 8.0, 0.0),
        (APPLE, 20.13, 20.13 - 19.8 - 2.8 / 1024),
    ],
)
def test_a_devices_message(text: str, total: float, free: float) -> None:
    limit = device_limit(text)
    assert limit is not None
    assert limit.used is not None
    assert limit.kind == "device"
    assert limit.bytes == pytest.approx(total * GIB)
    assert limit.bytes - limit.used == pytest.approx(free * GIB, abs=2)


def test_what_a_process_may_take_of_a_device() -> None:
    limit = device_limit(CUDA.format("76.00 GiB allowed; "))
    assert limit is not None
    assert limit.bytes == 76 * GIB
    assert limit.missed(2 * GIB) == (GIB + 300 * MIB, 75 * GIB + 300 * MIB)


def test_a_device() -> None:
    look = {"t": 6, "parameters": GIB, "gradients": GIB, "optimizer": 2 * GIB, "device_peak": 70 * GIB}
    told = found(crash(CUDA.format("")), memory=look)
    assert told is not None
    assert (told.limit_kind, told.limit_bytes) == ("device", round(79.11 * GIB))
    assert told.missed_bytes == pytest.approx(0.8 * GIB, abs=2)
    assert told.held_bytes == round(75.9 * GIB)
    assert told.idle_bytes == 300 * MIB
    assert told.parts is not None
    assert told.parts.other == told.held_bytes - 4 * GIB


def test_the_limit_of_addresses() -> None:
    told = found(crash(CPU.format(3 * GIB), limit_size=8 * GIB))
    assert told is not None
    assert (told.where, told.what, told.op) == ("net.py:41", "x = gelu(x)", "torch.nn.functional.gelu")
    assert (told.state, told.updates, told.killed) == ("forward", 7, False)
    assert (told.limit_kind, told.limit_bytes, told.held_bytes) == ("address_space", 8 * GIB, 6 * GIB)
    assert told.missed_bytes == GIB


def test_what_a_window_of_ours_adds_to_the_stack_is_no_op() -> None:
    ours = [
        ["torch", "/x", 1, "torch._compile._disable_dynamo.<locals>.inner"],
        ["torch", "/x", 1, "torch._dynamo.eval_frame.DisableContext.__call__.<locals>._fn"],
        ["probe", "/x/windows/ops.py", 1, "_narrows_probe.windows.ops.Look"],
        ["torch", "/x", 1, "torch._ops.OpOverload"],
    ]
    told = found(crash(CPU.format(3 * GIB), frames=[*FRAMES, *ours]))
    assert told is not None
    assert (told.where, told.op, told.state) == ("net.py:41", "torch.nn.functional.gelu", "forward")
    backward = [
        FRAMES[0],
        ["torch", "/x", 1, "torch.autograd.backward"],
        ["torch", "/x", 1, "torch.autograd.graph._run"],
    ]
    told = found(crash(CPU.format(3 * GIB), frames=backward))
    assert told is not None
    assert (told.where, told.op, told.state) == ("train.py:50", None, "backward")


def test_what_an_error_let_go_of_is_counted() -> None:
    told = found(crash(CPU.format(3 * GIB // 2), limit_size=8 * GIB))
    assert told is not None
    assert (told.missed_bytes, told.held_bytes) == (GIB // 2, 7 * GIB)


@pytest.mark.parametrize(("before", "held"), [(7, 6), (5, 7), (None, 6)])
def test_a_peak_that_came_after_the_first_steps_is_that_of_the_failure(before: int | None, held: int) -> None:
    look = {"t": 1, "parameters": 1, "gradients": 1, "optimizer": 1, "peak_size": before * GIB if before else None}
    told = found(crash(CPU.format(3 * GIB), limit_size=8 * GIB), memory=look)
    assert told is not None
    assert (told.held_bytes, told.missed_bytes, told.parts) == (held * GIB, (held - 5) * GIB, None)


@pytest.mark.parametrize("gone", [0, 8 * MIB])
def test_what_malloc_took_to_try_again_is_not_counted(gone: int) -> None:
    sizes = {"size": 6 * GIB - gone, "peak_size": 6 * GIB + 64 * MIB}
    told = found(crash(CPU.format(3 * GIB), limit_size=8 * GIB, **sizes))
    assert told is not None
    assert (told.missed_bytes, told.held_bytes) == (GIB - 64 * MIB, 6 * GIB - 64 * MIB)


def test_what_nothing_explains_is_not_counted() -> None:
    told = found(crash(CPU.format(1000), limit_size=8 * GIB))
    assert told is not None
    assert (told.limit_kind, told.missed_bytes) == ("address_space", None)
    told = found(crash(CPU.format(1000)))
    assert told is not None
    assert (told.limit_kind, told.limit_bytes, told.missed_bytes) == (None, None, None)


def test_the_limit_of_data_and_of_the_machine() -> None:
    told = found(crash(CPU.format(3 * GIB), limit_data=5 * GIB, limit_size=100 * GIB))
    assert told is not None
    assert (told.limit_kind, told.missed_bytes, told.held_bytes) == ("data", 2 * GIB, 4 * GIB)
    told = found(crash(CPU.format(30 * GIB)))
    assert told is not None
    assert (told.limit_kind, told.missed_bytes, told.held_bytes) == ("machine", 10 * GIB, 5 * GIB)


def test_an_error_that_says_nothing() -> None:
    told = found(crash("", type="MemoryError", limit_size=8 * GIB))
    assert told is not None
    assert (told.asked_bytes, told.limit_bytes, told.missed_bytes, told.message) == (None, 8 * GIB, None, "MemoryError")


def test_an_event_without_numbers() -> None:
    told = found({"t": 1, "message": CPU.format(5)})
    assert told is not None
    assert (told.asked_bytes, told.limit_kind, told.where) == (5, None, None)


def test_a_workers_error_is_told_from_its_own_traceback() -> None:
    text = (
        "Caught MemoryError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
        '  File "/x/site-packages/torch/utils/data/_utils/fetch.py", line 54, in fetch\n'
        '  File "/home/me/data.py", line 12, in __getitem__\n    return np.zeros(n)\n'
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array with shape (1000000000,) "
        "and data type float64\n"
    )
    told = found(crash(text, limit_size=8 * GIB), memory={"t": 6, "parameters": 1, "gradients": 1, "optimizer": 1})
    assert told is not None
    assert (told.where, told.asked_bytes, told.limit_bytes) == ("data.py:12", 8 * 10**9, 8 * GIB)
    assert (told.held_bytes, told.missed_bytes, told.parts) == (None, None, None), "those are of another process"


def test_a_job_that_the_kernel_killed() -> None:
    look = {"t": 3, "parameters": 4, "gradients": 4, "optimizer": 8, "rss_peak": GIB}
    limits = {"group": [2 * GIB, GIB], "total": 24 * GIB}
    told = found(ended="out_of_memory", exit_code=137, peak=3 * GIB // 2, memory=look, limits=limits)
    assert told is not None
    assert (told.killed, told.asked_bytes, told.updates) == (True, None, 7)
    assert (told.limit_kind, told.limit_bytes, told.held_bytes) == ("cgroup", 2 * GIB, 3 * GIB // 2)
    assert told.parts is not None
    assert (told.parts.optimizer, told.parts.other) == (8, 3 * GIB // 2 - 16)
    told = judged((), ended="out_of_memory", exit_code=137, peak_bytes=GIB)
    assert told is not None
    assert (told.limit_bytes, told.held_bytes) == (None, GIB)


def test_a_worker_that_the_kernel_killed() -> None:
    end = {"error": "RuntimeError: DataLoader worker (pid 41) is killed by signal: Killed. "}
    told = found(kills=1, end=end, limits={"group": None, "total": 24 * GIB})
    assert told is not None
    assert (told.killed, told.limit_kind) == (True, "machine")
    assert found(kills=0, end=end) is None, "somebody else killed it"


def test_the_jobs_own_process_goes_before_its_children() -> None:
    first = fakes.process((), out_of_memory=crash(CPU.format(1), t=1))
    assert judged((first,), exit_code=1) is not None
    child = replace(first, pid=2, parent=1, events={"out_of_memory": (crash(CPU.format(2), t=9),)})
    told = judged((first, child), exit_code=1)
    assert told is not None
    assert told.asked_bytes == 1
