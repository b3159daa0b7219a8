"""What an autograd graph keeps: from a tensor's grad_fn along its nodes, to the storages that they have saved."""

import time
from bisect import bisect_right
from typing import Any

MOST_NODES = 200_000


class Graphs:
    """Nodes have numbers below 0, as storages have from 0 up: one set of numbers says what a tensor keeps."""

    def __init__(self, torch: Any, numbers: dict[int, int], ends: list[int], deadline: float) -> None:
        """`numbers`: of the storages that matter, by address. `ends`: torch's count of nodes at the end of each step."""
        self.tensor = torch.Tensor
        self.numbers, self.ends, self.deadline = numbers, ends, deadline
        self.nodes: dict[Any, tuple[int, list[Any], set[int]]] = {}
        """(number, the nodes that it leads to, the storages that it has saved). They are kept, so that each is met as
        the same object again."""
        self.steps: list[int] = []
        """In which each node was made: node -1, node -2 ..."""
        self.saved: dict[type, list[str]] = {}

    def kept(self, root: Any) -> set[int]:
        """By this grad_fn: numbers of nodes and storages."""
        found: set[int] = set()
        stack = [root]
        while stack:
            node = stack.pop()
            known = self.nodes.get(node)
            if known is None:
                if len(self.nodes) >= MOST_NODES or time.thread_time() > self.deadline:
                    return found
                known = self.nodes[node] = self._look(node)
            number, following, storages = known
            if number in found:
                continue
            found.add(number)
            found |= storages
            stack.extend(following)
        return found

    def _look(self, node: Any) -> tuple[int, list[Any], set[int]]:
        self.steps.append(bisect_right(self.ends, node._sequence_nr()))
        following = [f for f, _ in node.next_functions if f is not None and not hasattr(f, "variable")]
        kind = type(node)
        if kind not in self.saved:
            self.saved[kind] = [name for name in dir(kind) if name.startswith("_raw_saved_")]
        storages: set[int] = set()
        for name in self.saved[kind]:
            try:
                # `data` is what is there. Unpacking it would call hooks: a checkpoint would compute again.
                self._add(getattr(node, name), storages)
            except Exception:
                continue  # given back after the backward, or an older torch that does not show it
        self._add(list(getattr(node, "__dict__", {}).values()), storages)  # of a function written in Python
        return -len(self.steps), following, storages

    def _add(self, value: Any, storages: set[int]) -> None:
        if isinstance(value, (tuple, list)):
            for item in value:
                self._add(item, storages)
        elif isinstance(value, self.tensor):
            number = self.numbers.get(value.untyped_storage()._cdata)
            if number is not None:
                storages.add(number)
        elif type(value).__name__ == "SavedTensor":
            self._add(value.data, storages)
