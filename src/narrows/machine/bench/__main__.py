"""`PYTHON path/to/bench --threads N`: prints this machine's ceilings as one JSON object.

With `--ops`: reads calls from standard input and prints what each costs at its smallest size, or with `--whole` at its own
(see `ops.py`).
With `--ranks N`: prints what collectives between so many processes take (see `exchange.py`).
"""

import os
import sys
from typing import Any

if not __package__:  # run by path: make this folder a package, and take the path away again below
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    __package__ = "bench"

NO_TORCH = 3
"""Exit status of an interpreter that cannot import torch."""


def main() -> int:
    import argparse
    import json

    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch would use")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long to try; 0: 9, or 5 with --ops")
    parser.add_argument("--largest", type=int, default=512, help="largest working set, in MiB")
    parser.add_argument("--ops", action="store_true", help="the fixed cost of the calls on standard input")
    parser.add_argument("--whole", action="store_true", help="what they cost as large as they are")
    parser.add_argument("--ranks", type=int, default=0, help="collectives between so many processes")
    parser.add_argument("--backend", default="gloo", help="of these: gloo, nccl")
    parser.add_argument("--rank", type=int, default=0, help="which of them this is; 0 starts the others")
    parser.add_argument("--store", default="", help="the file where they meet")
    options = parser.parse_args()
    try:
        import torch
    except ImportError as error:
        return without_torch(options, error)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.ranks:
        return ranks(options)
    from . import ceilings

    del sys.path[0]  # everything of this folder is imported
    if options.ops:
        from . import ops

        ops.answer(json.load(sys.stdin), sys.stdout, options.seconds or 5.0, whole=options.whole)
    else:
        found = ceilings.measure(options.seconds or 9.0, options.largest << 20)
        print(json.dumps(found), flush=True)
    return 0


def ranks(options: Any) -> int:
    import json

    from . import exchange

    del sys.path[0]
    if options.rank:
        exchange.measure(options.ranks, options.rank, options.backend, options.store)
    else:
        print(json.dumps(exchange.answer(options.ranks, options.backend)), flush=True)
    return 0


def without_torch(options: Any, error: ImportError) -> int:
    """TensorFlow measures, too; a fixed cost of an op and collectives it is not asked for."""
    try:
        if options.ranks:
            raise error
        import tensorflow  # noqa: F401
    except ImportError:
        sys.stderr.write(f"{error}\n")
        return NO_TORCH
    import json

    from . import tensorflow_only

    if not options.ops:
        if options.threads:
            tensorflow_only.threads(options.threads)
        print(json.dumps(tensorflow_only.measure(options.seconds or 9.0, options.largest << 20)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
