"""Runs a script with its model compiled and nothing else changed: `python compiled.py script.py [args]`.

It does for each outermost module with parameters what `model = torch.compile(model)` in the script would: the module
stays, and its calls go to the compiled one.
"""

import runpy
import sys

import torch


def compiled(original):
    """The call of a module, that of its compiled one if it is an outermost one. Closures, as the script takes this
    module's name."""
    compiling = torch.compiler.is_compiling
    found: dict[torch.nn.Module, torch.nn.Module] = {}
    inside = False

    def call(self, *args, **kwargs):
        nonlocal inside
        # Asked first, so that the compiler does not read what changes.
        if compiling() or inside:
            return original(self, *args, **kwargs)
        inside = True
        try:
            if self not in found:  # a loss has no parameters, and is no model
                found[self] = torch.compile(self) if any(True for _ in self.parameters()) else self
            return original(found[self], *args, **kwargs)
        finally:
            inside = False

    return call


torch.nn.Module.__call__ = compiled(torch.nn.Module.__call__)
script, *rest = sys.argv[1:]
sys.argv = [script, *rest]
sys.path[0] = script.rpartition("/")[0] or "."
runpy.run_path(script, run_name="__main__")
