"""Which random numbers the job has seeded, and which it has drawn from."""

import functools
from typing import Any

from .. import imports, job, places

_seeded: dict[str, Any] = {}
"""Where, by name of the function."""


def install(keras: Any) -> None:
    watch(keras.utils, "set_random_seed", "keras.utils.set_random_seed")
    imports.when("tensorflow", lambda tf: watch(tf.random, "set_seed", "tf.random.set_seed"))
    imports.when("numpy", lambda numpy: watch(numpy.random, "seed", "numpy.random.seed"))
    imports.when("random", lambda random: watch(random, "seed", "random.seed"))
    job.at_end.append(lambda: job.spool.event("seeds", seeded=_seeded))


def watch(owner: Any, name: str, called: str) -> None:
    """Note the first call that comes from the user's own code with a seed in it."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def seed(*args: Any, **kwargs: Any) -> Any:
        if called not in _seeded and (args or kwargs):
            _seeded[called] = places.here()
        return original(*args, **kwargs)

    setattr(owner, name, seed)
