"""Measures the fixed cost of ops: each one called at its smallest size. Run by path with the job's interpreter.

Reads a JSON list of calls as the probe wrote them ([name, arguments, keywords]) from standard input, and prints a
list of seconds, null where a small call could not be made.
"""

import json
import statistics
import sys
import time

import torch

BUDGET = 6.0
CALLS = 40


class Unknown(Exception):
    pass


def build(value, size):
    """A value like the one recorded, its tensors at the smallest size (`size` where 1 will not do)."""
    if not isinstance(value, list):
        return value
    kind, *rest = value
    if kind == "T":
        return tensor(rest[0], rest[1], rest[2], size)
    if kind == "L":
        return [build(item, size) for item in rest]
    if kind == "D":
        return getattr(torch, rest[0])
    if kind == "V":
        return torch.device(rest[0])
    raise Unknown


def tensor(shape, dtype, layout, size):
    if layout == "s":
        raise Unknown
    kind = getattr(torch, dtype)
    small = [min(n, size) for n in shape]
    made = torch.zeros(small, dtype=kind) if not kind.is_floating_point else torch.full(small, 0.5, dtype=kind)
    if layout == "l" and len(small) == 4:
        made = made.contiguous(memory_format=torch.channels_last)
    return made


def shrink(name, arguments, size):
    """Arguments that are sizes follow the tensors."""
    if name in ("view", "_unsafe_view", "expand", "reshape", "zeros", "ones", "full", "empty", "new_zeros", "repeat"):
        first = [a for a in arguments if isinstance(a, torch.Tensor)]
        count = first[0].numel() if first else 1
        return [
            [count if i == 0 else 1 for i in range(len(a))] if isinstance(a, list) and all(isinstance(x, int) for x in a)
            else a
            for a in arguments
        ]  # fmt: skip
    if name in ("slice", "narrow", "select"):
        return [a if not isinstance(a, int) or i < 2 else min(a, 1 if name == "slice" and i > 2 else 0)
                for i, a in enumerate(arguments)]  # fmt: skip
    if name in ("convolution", "convolution_backward"):
        return [[n if n is not None else 1 for n in a] if isinstance(a, list) and a and isinstance(a[0], int) else a
                for a in arguments]  # fmt: skip
    if name == "embedding_dense_backward":
        arguments[2] = 1
    if name in ("_log_softmax_backward_data", "_softmax_backward_data", "nll_loss_backward"):
        return arguments
    return arguments


def median_call(function, arguments, keywords):
    with torch.no_grad():
        for _ in range(3):
            function(*arguments, **keywords)
        times = []
        for _ in range(CALLS):
            start = time.perf_counter_ns()
            function(*arguments, **keywords)
            times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e9


def measure(name, arguments, keywords):
    """Seconds, or None. Sizes of 1 first; where an op will not have them, 2, 4 and 8."""
    library, op, overload = name.split(".")
    function = getattr(getattr(getattr(torch.ops, library), op), overload)
    for size in (1, 2, 4, 8):
        try:
            made = [build(a, size) for a in arguments]
            made = shrink(op, made, size)
            return median_call(function, made, {k: build(v, size) for k, v in keywords})
        except Unknown:
            return None
        except Exception:
            continue
    return None


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads())
    calls = json.load(sys.stdin)
    began, found = time.perf_counter(), []
    for name, arguments, keywords in calls:
        if time.perf_counter() - began > BUDGET:
            found.append(None)
            continue
        try:
            found.append(measure(name, arguments, keywords))
        except Exception:
            found.append(None)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
