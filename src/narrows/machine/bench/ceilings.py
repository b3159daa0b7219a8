"""Measures this machine's ceilings. Run by path with the job's own interpreter; prints one JSON object.

Standard library and torch only: the job's environment need not have narrows in it. Each figure is the best of
several repeats, since a ceiling is what the machine can do, not what it does while something else runs.
"""

import argparse
import json
import os
import tempfile
import time

import torch


def best(function, seconds, repeats=3):
    """Seconds of the fastest call, over `seconds` of trying and at least `repeats` calls."""
    function()
    fastest, began, count = float("inf"), time.perf_counter(), 0
    while count < repeats or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        function()
        synchronize()
        fastest = min(fastest, time.perf_counter() - start)
        count += 1
        if time.perf_counter() - began > 4 * seconds:
            break
    return fastest


def synchronize():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def products(device):
    """Operations per second of a matrix product, by dtype, over shapes that suit it."""
    found = {}
    sizes = ((512, 512, 512), (1024, 1024, 1024), (2048, 1024, 1024))
    if device == "cuda":
        sizes = ((4096, 4096, 4096), (8192, 8192, 8192))
    for name in ("float64", "float32", "bfloat16", "float16"):
        dtype = getattr(torch, name)
        rates = []
        for m, n, k in sizes:
            try:
                a = torch.randn(m, k, device=device).to(dtype)
                b = torch.randn(k, n, device=device).to(dtype)
                out = torch.empty(m, n, dtype=dtype, device=device)
                start = time.perf_counter()
                torch.mm(a, b, out=out)
                synchronize()
                if time.perf_counter() - start > 0.05 and rates == [] and m == 512:  # no kernel for this dtype
                    rates.append(2.0 * m * n * k / best(lambda: torch.mm(a, b, out=out), 0.0))  # noqa: B023
                    break
                rates.append(2.0 * m * n * k / best(lambda: torch.mm(a, b, out=out), 0.12))  # noqa: B023
            except RuntimeError:
                continue
        if rates:
            found[name] = max(rates)
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        a = torch.randn(8192, 8192, device=device)
        found["tf32"] = 2.0 * 8192**3 / best(lambda: a @ a, 0.2)
        torch.backends.cuda.matmul.allow_tf32 = False
    try:
        a = torch.randint(-8, 8, (1024, 1024), dtype=torch.int8, device=device)
        start = time.perf_counter()
        torch._int_mm(a, a)
        if time.perf_counter() - start < 0.5:
            found["int8"] = 2.0 * 1024**3 / best(lambda: torch._int_mm(a, a), 0.1)
    except (RuntimeError, AttributeError):
        pass
    return found


def convolutions(device):
    """Operations per second of a 3x3 convolution as in a ResNet, the better of NCHW and NHWC."""
    found = {}
    batch = 64 if device == "cuda" else 8
    for name in ("float64", "float32", "bfloat16", "float16"):
        rates = []
        for memory in (torch.contiguous_format, torch.channels_last):
            for channels, size in ((64, 56), (128, 28)):
                try:
                    x = torch.randn(batch, channels, size, size, device=device)
                    x = x.to(getattr(torch, name)).to(memory_format=memory)
                    w = torch.randn(channels, channels, 3, 3, device=device).to(x.dtype).to(memory_format=memory)
                    start = time.perf_counter()
                    torch.nn.functional.conv2d(x, w, padding=1)
                    synchronize()
                    if time.perf_counter() - start > 0.15:
                        rates.append(
                            2.0 * batch * channels * channels * 9 * size * size / (time.perf_counter() - start)
                        )
                        continue
                    seconds = best(lambda: torch.nn.functional.conv2d(x, w, padding=1), 0.08)  # noqa: B023
                    rates.append(2.0 * batch * channels * channels * 9 * size * size / seconds)
                except RuntimeError:
                    continue
        if rates:
            found[name] = max(rates)
    return found


def bandwidths(device):
    """[(working set in bytes, bytes per second)]: the best of copy, add and sum, without allocation."""
    found = []
    sizes = [1 << power for power in range(15, 30, 2)]
    if device == "cuda":
        sizes = [1 << power for power in range(20, 33, 2)]
    for size in sizes:
        count = size // 8  # two float32 arrays
        a = torch.ones(count, device=device)
        b = torch.empty(count, device=device)
        inner = max(1, (1 << 22) // size)

        def copy(a=a, b=b, inner=inner):
            for _ in range(inner):
                b.copy_(a)

        def scale(a=a, inner=inner):
            for _ in range(inner):
                a.mul_(1.0)

        both = 8.0 * count * inner
        rates = [both / best(copy, 0.08), both / best(scale, 0.08)]
        whole = torch.ones(2 * count, device=device)
        out = torch.empty((), device=device)

        def read(whole=whole, out=out, inner=inner):
            for _ in range(inner):
                torch.sum(whole, 0, out=out)

        rates.append(both / best(read, 0.08))
        found.append([size, max(rates), rates[0], rates[2]])
    return found


def dispatch():
    """Seconds of one op on one element, called from Python, gradients off."""
    x = torch.zeros(1)
    with torch.no_grad():

        def hundred():
            for _ in range(100):
                x.add_(1)

        return best(hundred, 0.2) / 100


def copies():
    """Bytes per second between host and device, both ways, pinned and not; nothing without a device."""
    if not torch.cuda.is_available():
        return None, None
    size = 1 << 26
    there, back = {}, {}
    for name, pinned in (("pageable", False), ("pinned", True)):
        host = torch.empty(size, dtype=torch.uint8, pin_memory=pinned)
        device = torch.empty(size, dtype=torch.uint8, device="cuda")
        there[name] = size / best(lambda: device.copy_(host, non_blocking=True), 0.2)  # noqa: B023
        back[name] = size / best(lambda: host.copy_(device, non_blocking=True), 0.2)  # noqa: B023
    return there, back


def disk():
    """Bytes per second of reading a file that is not in the page cache; None where that cannot be arranged."""
    if not hasattr(os, "posix_fadvise"):
        return None
    size = 32 << 20
    try:
        with tempfile.NamedTemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp")) as file:
            file.write(os.urandom(1 << 20) * (size >> 20))
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            start = time.perf_counter()
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            while os.read(file.fileno(), 1 << 20):
                pass
            return size / (time.perf_counter() - start)
    except OSError:
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    curve = bandwidths(device)
    there, back = copies()
    result = {
        "flops": products(device),
        "convolution": convolutions(device),
        "bandwidth": curve[-1][2],
        "read_bandwidth": curve[-1][3],
        "bandwidth_by_size": [[size, rate] for size, rate, _, _ in curve],
        "dispatch_seconds": dispatch(),
        "host_to_device": there,
        "device_to_host": back,
        "disk_read": disk(),
        "collective": None,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
