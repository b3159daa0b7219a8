"""What other tools estimate of a script's peak memory: `python others.py SCRIPT [ARGS...]` prints a line of JSON.

`accelerate` is what `accelerate estimate-memory` prints as "Training using Adam". The command takes models of the hub
only; here its own two functions are called with the script's model: `accelerate.utils.calculate_maximum_sizes` for the
bytes of parameters and buffers, then `accelerate.commands.estimate.estimate_training_usage`, of which the command shows
the largest figure. In float32 that is 4 x the model (weights, gradients, Adam's two moments), in bfloat16 2 x. It
knows neither the batch nor the optimizer. Of several models the sum. For a job without training (`model`) it is the
size of the model, the command's "Total Size".

`mem_tracker` is `torch.distributed._tools.mem_tracker.MemTracker` around two steps of the script's own `train_step`
under `FakeTensorMode`, with model, optimizer and batch registered as its documentation says: no data and no kernels.
`mem_tracker_first` is its peak in the first step alone, when the optimizer has had no state yet. What the script keeps
beside these, such as its data set, is not seen. The tracker refuses an outermost module that is called twice in a step,
as in a GAN; the tokens of a generation are therefore put into one module's call. Where fake tensors do not work,
`mem_tracker_real` is the same with real ones. What does not run is null, with the reason under `why`.
"""

import argparse
import gc
import importlib.util
import json
import os
import sys
from pathlib import Path

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from torch.utils._pytree import tree_map_only


def load(script: str, arguments: list[str]):
    """The script as a module, and its arguments."""
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(script) or ".")
    spec = importlib.util.spec_from_file_location(Path(script).stem, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module, module.args if hasattr(module, "args") else module.get_args()


def a_batch(module, args):
    if hasattr(module, "make_loader"):
        return next(iter(module.make_loader(args)))
    return next(module.make_batches(args)) if hasattr(module, "make_batches") else module.get_batch()


def accelerate(module, args) -> int:
    from accelerate.commands.estimate import estimate_training_usage
    from accelerate.utils import calculate_maximum_sizes

    made = module.make_model(args)
    size = sum(calculate_maximum_sizes(m)[0] for m in (made if isinstance(made, tuple) else (made,)))
    if not hasattr(module, "train_step"):
        return size
    return int(max(estimate_training_usage(size, "bfloat16" if args.bf16 else "float32").values()))


class Whole(nn.Module):
    """A job as the one call of one module, since the tracker refuses an outermost module that is called twice."""

    def __init__(self, models, act):
        super().__init__()
        self.models, self.act = nn.ModuleList(models), act

    def forward(self):
        return self.act()


def tracked(module, args, *, fake: bool) -> tuple[int, int]:
    """The tracker's peaks: of the first step, and of two."""
    batch = a_batch(module, args)
    mode = FakeTensorMode() if fake else torch.autograd.set_grad_enabled(True)
    with mode:
        if fake:
            batch = tree_map_only(torch.Tensor, mode.from_tensor, batch)
        model = module.make_model(args)
        models = model if isinstance(model, tuple) else (model,)
        tensors = [batch] if isinstance(batch, torch.Tensor) else batch.values() if isinstance(batch, dict) else batch
        tracker = MemTracker()
        peaks = []
        if hasattr(module, "train_step"):
            optimizer = module.make_optimizer(model)
            optimizers = optimizer if isinstance(optimizer, tuple) else (optimizer,)
            tracker.track_external(*models, *optimizers, *tensors)
            with tracker:
                for _ in range(2):
                    tracker.reset_mod_stats()
                    module.train_step(model, optimizer, batch, args)
                    peaks.append(highest(tracker))
        else:
            tracker.track_external(*models, *tensors)
            with tracker:
                Whole(models, lambda: module.generate(model, batch, args))()
            peaks = [highest(tracker)] * 2
    return peaks[0], peaks[1]


def highest(tracker: MemTracker) -> int:
    return sum(snapshot["Total"] for snapshot in tracker.get_tracker_snapshot("peak").values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    module, args = load(options.script, options.arguments)
    found: dict = {"accelerate": None, "mem_tracker": None, "mem_tracker_first": None, "why": {}}

    def attempt(name: str, act):
        try:
            return act()
        except Exception as error:
            found["why"][name] = f"{type(error).__name__}: {str(error).strip()[:300]}"
            return None

    found["accelerate"] = attempt("accelerate", lambda: accelerate(module, args))
    peaks = attempt("mem_tracker", lambda: tracked(module, args, fake=True))
    if peaks is not None:
        found["mem_tracker_first"], found["mem_tracker"] = peaks
    else:
        gc.collect()
        module, args = load(options.script, options.arguments)
        real = attempt("mem_tracker_real", lambda: tracked(module, args, fake=False))
        found["mem_tracker_real"] = real and real[1]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
