"""The graphs that were traced: which op had which shapes, by the name that the recording knows it by."""

import functools
import importlib
import sys
import weakref
from typing import Any

from .. import job, state
from . import function

_graphs: list[Any] = []
"""Weak references, in the order in which the graphs were made."""
MOST_GRAPHS = 2000
_PRODUCTS = ("MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "FusedBatchNormV3")
BY_HAND = ("AssignSubVariableOp", "ResourceApply")
_BACK = 4
"""Ops that a fused one may hold after its product: a bias, an activation."""


def install(tensorflow: Any) -> None:
    module: Any = importlib.import_module("tensorflow.python.framework.func_graph")
    original = module.func_graph_from_py_func

    @functools.wraps(original)
    def func_graph_from_py_func(name: Any, *args: Any, **kwargs: Any) -> Any:
        graph = original(name, *args, **kwargs)
        try:
            if _of_a_pipeline():
                return graph
            if len(_graphs) < MOST_GRAPHS:
                _graphs.append(weakref.ref(graph))
            if state.now_in in (state.GRAPH, state.EVALUATE):
                function.made(str(name))
                if any(op.type.startswith(BY_HAND) for op in graph.get_operations()):
                    function.changes_weights()
        except Exception as error:
            job.quiet(error)
        return graph

    module.func_graph_from_py_func = func_graph_from_py_func


def _of_a_pipeline() -> bool:
    """Whether `tf.data` asked for the graph."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.endswith("structured_function.py"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


class Shapes:
    """Looks ops up by name; goes through the graphs once."""

    def __init__(self) -> None:
        self.ops: dict[str, Any] = {}
        for reference in _graphs:
            graph = reference()
            if graph is not None:
                for op in graph.get_operations():
                    self.ops[op.name] = op
        self.known: dict[tuple[str, int], tuple[list[Any], Any] | None] = {}

    def batch(self, size: int) -> int:
        """How many samples there are in that many bytes of the pipeline's element; 0 if the graphs do not leave it open."""
        for op in self.ops.values():
            if op.type == "IteratorGetNext" and size:
                each = sum(_sample_bytes(t) for t in op.outputs)
                return round(size / each) if each else 0
        return 0

    def of(self, name: str, kind: str, batch: int) -> tuple[list[Any], Any] | None:
        """(arguments, outputs) as the spool keeps them; None if no such op was traced. `batch` stands for a size that
        the graph leaves open."""
        key = (f"{name}:{kind}", batch)
        if key not in self.known:
            op = self.find(name)
            if op is not None and "Fused" in kind and "Batch" not in kind:
                op = self.product(op)
            self.known[key] = None if op is None else describe(op, batch)
        return self.known[key]

    def find(self, name: str) -> Any:
        """The graph optimizer puts the names of calls, and its own, before an op's."""
        rest = name
        while rest:
            found = self.ops.get(rest)
            if found is not None:
                return found
            _, _, rest = rest.partition("/")
        return None

    def product(self, op: Any) -> Any:
        """What a fused op is named after is its last part; its product comes before that."""
        left = [(op, 0)]
        while left:
            at, depth = left.pop(0)
            if at.type in _PRODUCTS:
                return at
            if depth < _BACK:
                left.extend((t.op, depth + 1) for t in at.inputs)
        return op


def describe(op: Any, batch: int) -> tuple[list[Any], Any]:
    return [_tensor(t, batch) for t in op.inputs], ("L", *[_tensor(t, batch) for t in op.outputs])


def _tensor(tensor: Any, batch: int) -> Any:
    """A handle (a variable's, an iterator's) is no tensor."""
    kind = tensor.dtype.base_dtype.name
    if kind in ("resource", "variant", "string"):
        return None
    sizes = tensor.shape.as_list() if tensor.shape.rank is not None else None
    if sizes is None or sum(size is None for size in sizes) > 1:
        return ("?",)
    return ("T", tuple(batch if size is None else size for size in sizes), kind, "c")


def _sample_bytes(tensor: Any) -> int:
    sizes = tensor.shape.as_list() if tensor.shape.rank else [0]
    if sizes[0] is not None:
        return 0
    found = int(tensor.dtype.base_dtype.size)
    for size in sizes[1:]:
        found *= size or 0
    return found
