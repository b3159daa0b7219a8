"""Batches that a model has not been asked about yet, answered along with one that it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import nested, twin, within

MOST_FORMS = 32
"""Kinds of calls for which the answers are compared; with more, the rest is answered as before."""

Call = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


class Unlike(Exception):
    """These batches cannot be answered together."""


class Ahead:
    """Batches of a loader that were fetched together."""

    def __init__(self, torch: Any, batches: list[Any]) -> None:
        self.tensors = [nested.tensors(torch.Tensor, batch) for batch in batches]
        self.places = {id(t): (at, i) for at, mine in enumerate(self.tensors) for i, t in enumerate(mine)}
        self.answers: dict[Any, Any] = {}
        """By call and batch: the answer, and the inputs it was made from."""

    def find(self, given: list[Any]) -> tuple[int, tuple[int, ...]] | None:
        """Of which batch these are the very tensors, and which of it; None if they are not."""
        found = [self.places.get(id(each), (-1, -1)) for each in given]
        batches = {at for at, _ in found}
        return (found[0][0], tuple(i for _, i in found)) if len(batches) == 1 and -1 not in batches else None


class Answers:
    """Compares answers with those of batches one by one, and gives them where they were the same."""

    def __init__(self, torch: Any, compared: int) -> None:
        self.torch = torch
        self.left: dict[Any, int] = {}
        """By kind of call: so many are still to be compared."""
        self.compared = compared
        self.proven = False

    def answer(self, call: Call, module: Any, args: Any, kwargs: Any, ahead: Ahead, given: list[Any]) -> Any:
        """Raises `Unlike` where the call is to be made as it would have been, `twin.Differs` where for good."""
        torch, found = self.torch, ahead.find(given)
        if found is None:
            raise Unlike
        at, places = found
        kind = (id(module), places, nested.form(torch.Tensor, (args, kwargs)), within.modes(torch))
        left = self.left.get(kind)
        if left is None:
            if len(self.left) >= MOST_FORMS:
                raise Unlike
            left = self.left[kind] = self.compared
        held = ahead.answers.get((kind, at))
        if held is None:
            self._ask(call, module, args, kwargs, ahead, kind, at)
            held = ahead.answers[kind, at]
        answer, inputs = held
        if not all(torch.equal(now, then) for now, then in zip(given, inputs, strict=True)):
            raise twin.Differs("an input was changed after the loader gave it")
        if not left:
            return answer
        slow = call(module, *args, **kwargs)
        if nested.form(torch.Tensor, slow) != nested.form(torch.Tensor, answer):
            raise Different(slow, "answers of another form")
        try:
            twin.compare(torch, nested.tensors(torch.Tensor, slow), nested.tensors(torch.Tensor, answer))
        except twin.Differs as error:
            raise Different(slow, str(error)) from None
        self.left[kind] = left - 1
        self.proven = self.proven or left == 1
        return slow

    def _ask(self, call: Call, module: Any, args: Any, kwargs: Any, ahead: Ahead, kind: Any, at: int) -> None:
        """One call for this batch and those after it that have its shapes."""
        torch, tensor, places = self.torch, self.torch.Tensor, kind[1]

        def inputs(batch: int) -> list[Any]:
            return [ahead.tensors[batch][i] for i in places]

        def shapes(batch: int) -> Any:
            return nested.form(tensor, inputs(batch)) if max(places) < len(ahead.tensors[batch]) else None

        alike = [i for i in range(at, len(ahead.tensors)) if shapes(i) == shapes(at)]
        first = inputs(at)
        rows = first[0].shape[0] if first[0].dim() else 0
        if len(alike) < 2 or not rows or any(not t.dim() or t.shape[0] != rows for t in first):
            raise Unlike
        before = _State(module) if self.left[kind] == self.compared else None
        joined = [torch.cat(each) for each in zip(*map(inputs, alike), strict=True)]
        left = iter(joined)
        mine, named = nested.changed(tensor, (args, kwargs), lambda _: next(left))
        output = call(module, *mine, **named)
        if any(not t.dim() or t.shape[0] != rows * len(alike) for t in nested.tensors(tensor, output)):
            raise twin.Differs("an answer has no row for each row of the input")
        if before is not None and before.changed(torch):
            raise twin.Differs("a call leaves something in the model")
        for number, batch in enumerate(alike):
            part = slice(number * rows, (number + 1) * rows)
            ahead.answers[kind, batch] = (
                # Copies, which the script may change: they share nothing with each other.
                nested.changed(tensor, output, lambda t, part=part: t[part].clone()),  # type: ignore[misc]
                [each[part] for each in joined],
            )


class _State:
    """What a call may leave behind in a model: attributes, and numbers in its buffers."""

    def __init__(self, module: Any) -> None:
        self.parts = [(part, dict(vars(part))) for part in module.modules()]
        if any(part._forward_hooks or part._forward_pre_hooks for part, _ in self.parts):
            raise twin.Differs("somebody looks at the calls inside of the model")
        self.buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]

    def changed(self, torch: Any) -> bool:
        """If so, it is put back."""
        found = [
            (part, then)
            for part, then in self.parts
            if len(then) != len(vars(part))
            or any(vars(part).get(name, self) is not value for name, value in then.items())
        ]
        for part, then in found:
            vars(part).clear()
            vars(part).update(then)
        changed = [(buffer, then) for buffer, then in self.buffers if not torch.equal(buffer, then)]
        for buffer, then in changed:
            buffer.copy_(then)
        return bool(found or changed)


class Different(twin.Differs):
    """The answer that the model itself gave, where the two differ."""

    def __init__(self, answer: Any, why: str) -> None:
        super().__init__(why)
        self.answer = answer
