"""Applies a recipe's remedies inside the job (`narrows/remedies/`, imported as `_narrows_remedies`)."""

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
        imports.when("torch", lambda torch: apply(torch, chosen))


def seed(number: int) -> None:
    """In a trial: the job's random numbers are the same in each run, as far as the job does not seed them itself."""
    random.seed(number)

    def then(torch: Any) -> None:
        torch.manual_seed(number)
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            numpy.random.seed(number)

    imports.when("torch", then)


def apply(torch: Any, chosen: list[list[Any]]) -> None:
    job.spool.event("remedies", torch=torch.__version__)
    for name, value in chosen:
        try:
            module = importlib.import_module(f"{PACKAGE}.{name.replace('-', '_')}")
            if hasattr(module, "apply"):
                module.apply(torch, value)
        except Exception as error:
            job.spool.event("not_applied", remedy=name, why=repr(error)[:300])


def _package() -> None:
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "remedies")
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = module
        spec.loader.exec_module(module)
