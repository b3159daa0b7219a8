"""The ceilings of an environment that has TensorFlow and no torch: fewer candidates, each for a fixed time.

The clock is read around calls of compiled graphs that do the same thing many times, so that calling them does not count.
"""

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

from . import pages

DTYPES = ("float32", "bfloat16", "float16", "float64")
SIZES = ((256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (64, 4096, 1024), (2048, 2048, 2048))
IMAGE, WEIGHT = (8, 28, 28, 64), (3, 3, 64, 64)
SMALLEST = 1 << 14
LONGEST = 0.5
"""Seconds: a call that takes longer has no kernel here, and larger ones are not tried."""


def threads(count: int) -> None:
    """Before anything else is done."""
    tf.config.threading.set_intra_op_parallelism_threads(count)


def measure(seconds: float, largest: int) -> dict[str, Any]:
    """Rates per second and costs in seconds, as `ceilings.measure` has them; what it takes a torch for is None."""
    each = max(0.02, seconds / 60)
    touch, give_back = pages.costs()
    sizes = [SMALLEST]
    while sizes[-1] * 2 <= largest:
        sizes.append(sizes[-1] * 2)
    by_size = [[size, repeats(size) * size / fastest(_accumulate(size), each)] for size in sizes]
    return {
        "flops": {dtype: rate for dtype in DTYPES if (rate := _products(dtype, each))},
        "convolution": {"float32": _convolution(each)},
        "bandwidth": by_size[-1][1],
        "read_bandwidth": sizes[-1] / fastest(_sum(sizes[-1]), each),
        "bandwidth_by_size": by_size,
        "dispatch_seconds": fastest(_tiny(), each),
        "page_touch_seconds": touch,
        "page_release_seconds": give_back,
        "host_to_device": None,
        "device_to_host": None,
        "disk_read": None,
        "collective": None,
        "busy": 0.0,
    }


def fastest(call: Callable[[], object], seconds: float) -> float:
    """Seconds of the fastest call in about so many seconds."""
    call()
    best, deadline = float("inf"), time.perf_counter() + seconds
    while True:
        began = time.perf_counter()
        call()
        now = time.perf_counter()
        best = min(best, now - began)
        if now > deadline:
            return best


def _products(dtype: str, each: float) -> float:
    """The best rate of a matrix product: 2 m n k operations for (m, k) by (k, n); 0 if there is none."""
    best = 0.0
    for m, n, k in SIZES:
        a = tf.cast(tf.random.uniform((m, k)) - 0.5, dtype)
        b = tf.cast(tf.random.uniform((k, n)) - 0.5, dtype)
        product = tf.function(lambda a=a, b=b: tf.matmul(a, b))
        try:
            took = fastest(lambda call=product: call(), each)  # type: ignore[misc]
        except tf.errors.OpError:
            return best
        best = max(best, 2.0 * m * n * k / took)
        if took > LONGEST:
            break
    return best


def _convolution(each: float) -> float:
    image, weight = tf.random.uniform(IMAGE), tf.random.uniform(WEIGHT)
    call = tf.function(lambda: tf.nn.conv2d(image, weight, 1, "SAME"))
    batch, rows, columns, channels = IMAGE
    return 2.0 * batch * rows * columns * WEIGHT[0] * WEIGHT[1] * channels * WEIGHT[3] / fastest(call, each)


def _accumulate(size: int) -> Callable[[], object]:
    """In place: two thirds are read, one is written, and nothing is allocated."""
    count = max(1, size // 12)
    total, part, times = tf.Variable(tf.zeros(count)), tf.ones(count), repeats(size)

    def add() -> None:
        for _ in range(times):
            total.assign_add(part, read_value=False)

    return tf.function(add)  # type: ignore[no-any-return]


def repeats(size: int) -> int:
    """How often a graph moves so many bytes: calling one takes 0.1 ms."""
    return max(1, min(256, (1 << 24) // size))


def _sum(size: int) -> Callable[[], object]:
    values = tf.ones(size // 4)
    return tf.function(lambda: tf.reduce_sum(values))  # type: ignore[no-any-return]


def _tiny() -> Callable[[], object]:
    """One op on one element, called from Python."""
    one = tf.zeros(())
    return lambda: tf.add(one, one)
