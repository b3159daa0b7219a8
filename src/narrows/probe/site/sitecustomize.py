"""Python imports this before the job's own code, because narrows put this folder first on PYTHONPATH.

It starts the probe, takes its folder off `sys.path` again, and then gives way to the `sitecustomize` that the
job would have had.
"""

import os
import sys


def _start() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    if not os.environ.get("NARROWS_SPOOL"):
        return
    import importlib.util

    package = os.path.dirname(here)
    spec = importlib.util.spec_from_file_location(
        "_narrows_probe", os.path.join(package, "__init__.py"), submodule_search_locations=[package]
    )
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["_narrows_probe"] = module
    spec.loader.exec_module(module)
    importlib.import_module("_narrows_probe.start").start()


def _give_way() -> None:
    import importlib

    ours = sys.modules.pop("sitecustomize", None)
    importlib.invalidate_caches()
    try:
        importlib.import_module("sitecustomize")
    finally:
        # Python looks the module up again when this one ends.
        if ours is not None:
            sys.modules.setdefault("sitecustomize", ours)


try:
    _start()
except Exception as error:
    if os.environ.get("NARROWS_DEBUG"):
        sys.stderr.write(f"narrows: the probe could not start: {error!r}\n")
try:
    _give_way()
except ModuleNotFoundError as error:
    if error.name != "sitecustomize":
        raise
