"""Applies a recipe's remedies inside the job (`narrows/remedies/`, imported as `_narrows_remedies`)."""

import functools
import importlib
import importlib.util
import json
import os
import random
import sys
from typing import Any

from . import imports, job

PACKAGE = "_narrows_remedies"


def start(recipe: str) -> None:
    """`recipe`: a JSON list of [name, value], in the order in which they are applied."""
    chosen = json.loads(recipe)
    if chosen:
        _package()
        for framework in ("torch", "tensorflow", "keras"):
            mine = [(name, value) for name, value in chosen if _framework(name) == framework]
            if mine or framework == "torch":
                imports.when(framework, functools.partial(apply, chosen=mine))


def seed(number: int) -> None:
    """In a trial: the job's random numbers are the same in each run, as far as the job does not seed them itself.

    Those that it seeds itself are shifted by the number: how much its losses vary from seed to seed could not be seen
    otherwise.
    """
    random.seed(number)
    if number:
        shift(random, "seed", number)

    def torch_then(torch: Any) -> None:
        torch.manual_seed(number)
        if number:
            shift(torch, "manual_seed", number)

    def numpy_then(numpy: Any) -> None:
        numpy.random.seed(number)
        if number:
            shift(numpy.random, "seed", number)
            shift(numpy.random, "default_rng", number)

    def tensorflow_then(tensorflow: Any) -> None:
        tensorflow.random.set_seed(number)
        if number:
            shift(tensorflow.random, "set_seed", number)

    imports.when("torch", torch_then)
    imports.when("numpy", numpy_then)
    imports.when("tensorflow", tensorflow_then)


def shift(owner: Any, name: str, number: int) -> None:
    """`owner.name(seed)` is called with another seed, if it is given one that is a number."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def shifted(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], int):
            args = (args[0] + number, *args[1:])
        elif isinstance(kwargs.get("seed"), int):
            kwargs["seed"] += number
        return original(*args, **kwargs)

    setattr(owner, name, shifted)


def _framework(name: str) -> str:
    """What the remedy changes; of one that cannot be read, torch, where that is said."""
    try:
        module = importlib.import_module(f"{PACKAGE}.{name.replace('-', '_')}")
        return str(getattr(module, "FRAMEWORK", "torch"))
    except Exception:
        return "torch"


def apply(torch: Any, chosen: list[tuple[str, Any]]) -> None:
    """`torch`: or another framework, whose remedies these are."""
    job.spool.event("remedies", torch=torch.__version__)
    for name, value in chosen:
        try:
            module = importlib.import_module(f"{PACKAGE}.{name.replace('-', '_')}")
            if hasattr(module, "apply"):
                module.apply(torch, value)
        except Exception as error:
            job.spool.event("not_applied", remedy=name, why=repr(error)[:300])


def blocks(torch: Any, module: Any) -> list[list[Any]]:
    """The repeated blocks of a model, as remedies find them."""
    if PACKAGE not in sys.modules:
        _package()
    found: list[list[Any]] = importlib.import_module(f"{PACKAGE}.inside.blocks").lists(torch, module)
    return found


def _package() -> None:
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "remedies")
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = module
        spec.loader.exec_module(module)
