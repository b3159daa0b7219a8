"""A second form of a model that only answers, used where it was seen to give the same answers."""

from __future__ import annotations

import contextlib
import functools
import math
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import later, nested, unchanged, within

Fast = Callable[[list[Any]], Sequence[Any]]
"""The model's tensors in, the tensors of its answer out."""
MOST_FORMS = 32
"""Shapes of input for which the two are compared; with more, the rest is answered as before."""
CLOSE = 1e-4
"""Largest difference, as a share of the largest number in the answer."""


class Differs(Exception):
    pass


@contextlib.contextmanager
def tracing(torch: Any) -> Iterator[None]:
    """Raises `Differs` where what is traced branches on a value, or loops over a length, as it went this time."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    if any(issubclass(each.category, torch.jit.TracerWarning) for each in said):
        raise Differs("the trace depends on values")


def answer_with(torch: Any, remedy: str, build: Callable[[Any, list[Any]], Fast], *, device: str | None = None) -> None:
    """Answer outermost calls in eval mode with what `build(flat, tensors)` makes of the model at its first one.

    `flat` is a module that takes and gives nothing but tensors. Each shape of input is answered by both the first time:
    if the answers differ, if building fails, or if the inputs are more than tensors, the model itself goes on
    answering. What is built holds a copy of the weights: it is given up when the model trains, or is changed in any way.
    Where somebody looks at the calls inside of the model, the model answers.
    """
    tensor = torch.Tensor
    twins: Any = weakref.WeakKeyDictionary()
    parts: dict[int, tuple[Any, Any]] = {}
    """By the id of a part of a model: (the part, the twins of models that it is in), all weak."""

    def belongs(part: Any, twin: _Twin) -> None:
        key = id(part)
        if key not in parts:
            parts[key] = weakref.ref(part, lambda _: parts.pop(key, None)), weakref.WeakSet()
        parts[key][1].add(twin)

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        twin = twins.get(module)
        if module.training:
            if twin is not None:
                twin.give_up()
            return call(module, *args, **kwargs)
        if twin is None:
            if next(module.parameters(), None) is None:
                return call(module, *args, **kwargs)
            twin = twins[module] = _Twin(torch, remedy, build, device)
            for part in module.modules():
                belongs(part, twin)
        if twin.given_up:
            return call(module, *args, **kwargs)
        try:
            form = within.modes(torch), nested.form(tensor, (args, kwargs))
            given = nested.tensors(tensor, (args, kwargs))
        except TypeError as error:
            twin.give_up(error)
            return call(module, *args, **kwargs)
        if any(t.requires_grad for t in given):
            return call(module, *args, **kwargs)
        return twin.answer(call, module, args, kwargs, form, given)

    original = torch.nn.Module.__setattr__

    @functools.wraps(original)
    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        part = parts.get(id(self))
        # What a model sets while it is called is no change of it, and its modes are looked at when it is.
        if part is not None and name != "training" and vars(self).get(name, parts) is not value:
            for twin in part[1]:
                if not twin.calling:
                    twin.give_up()
        original(self, name, value)

    torch.nn.Module.__setattr__ = __setattr__
    within.through(torch, make)


class _Twin:
    def __init__(self, torch: Any, remedy: str, build: Any, device: str | None) -> None:
        self.torch, self.remedy, self.build, self.device = torch, remedy, build, device
        self.fast: Fast | None = None
        self.given_up = self.calling = False
        self.answers: dict[Any, Any] = {}
        """By form of the input: the answer, its tensors empty, and which of them have a graph; None if the two
        differed."""
        self.parts: Any = None
        self.numbers: Any = None
        self.later = later.Later(torch)

    def give_up(self, error: BaseException | None = None) -> None:
        self.given_up, self.fast = True, None
        self.answers.clear()
        if error is not None:
            within.fault(self.remedy, error)

    def answer(self, call: Any, module: Any, args: Any, kwargs: Any, form: Any, given: list[Any]) -> Any:
        tensor = self.torch.Tensor
        if self.parts is not None:
            if not self.parts.same() or not self.numbers.same():
                self.give_up(Differs("the model was changed"))
                return self._call(call, module, args, kwargs)
            if self.parts.looked_at():
                return self._call(call, module, args, kwargs)
        known = self.answers.get(form, self)
        if known is self:
            if len(self.answers) >= MOST_FORMS:
                return self._call(call, module, args, kwargs)
            return self._first(call, module, args, kwargs, form, given)
        if known is None or self.fast is None:
            return self._call(call, module, args, kwargs)
        empty, graphs = known
        with self.torch.no_grad():
            made = list(self.fast(given))
        if any(graphs):
            again = later.Again(self.torch, call, module, args, kwargs, given)
            made = self.later.answers(again, [later.own(t) for t in made], graphs, self.parts.parameters)
        answers = iter(made)
        return nested.changed(tensor, empty, lambda _: next(answers))

    def _call(self, call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        self.calling = True
        try:
            return call(module, *args, **kwargs)
        finally:
            self.calling = False

    def _first(self, call: Any, module: Any, args: Any, kwargs: Any, form: Any, given: list[Any]) -> Any:
        torch = self.torch
        held = [(b, b.clone()) for b in module.buffers()]
        output = self._call(call, module, args, kwargs)
        self.answers[form] = None
        self.calling = True
        try:
            if any(part.training for part in module.modules()):
                raise Differs("a part of the model is in training mode")
            if self.device is not None and any(t.device.type != self.device for t in given):
                raise Differs(f"inputs are not on the {self.device}")
            if not all(torch.equal(b, before) for b, before in held):
                raise Differs("a call changes the model")
            nested.form(torch.Tensor, output)
            started = self.fast is None
            if started:
                self.parts, self.numbers = unchanged.Parts(torch, module), unchanged.Numbers(torch, module)
                if self.parts.looked_at():
                    raise Differs("somebody looks at the calls inside of the model")
            with torch.no_grad():
                if self.fast is None:
                    self.fast = self.build(_flat(torch, call, module, args, kwargs), given)
                # Twice: the second call may run another form than the first.
                for _ in range(2):
                    compare(torch, nested.tensors(torch.Tensor, output), list(self.fast(given)))
            graphs = [t.requires_grad for t in nested.tensors(torch.Tensor, output)]
            self.answers[form] = nested.changed(torch.Tensor, output, lambda t: t.new_empty(0)), graphs
        except Exception as error:
            if len(self.answers) == 1 or self.fast is None:
                self.give_up(error)  # it did not answer a single form
            return output
        finally:
            self.calling = False
        if started:
            within.note(self.remedy, model=type(module).__name__)
        return output


def compare(torch: Any, slow: list[Any], fast: list[Any]) -> None:
    """Raises `Differs` where two answers are not the same."""
    if len(slow) != len(fast):
        raise Differs("another number of tensors")
    for one, other in zip(slow, fast, strict=True):
        if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
            raise Differs("another shape, dtype or device")
        if not one.is_floating_point():
            if not torch.equal(one, other):
                raise Differs("other numbers")
        elif one.numel():
            difference, size = float((one - other).abs().max()), float(one.abs().max())
            if not difference <= CLOSE * size or math.isnan(size):
                raise Differs(f"answers differ by {difference:.2g} where the largest number is {size:.2g}")


def _flat(torch: Any, call: Any, module: Any, args: Any, kwargs: Any) -> Any:
    """The module as one that takes and gives nothing but tensors."""
    tensor = torch.Tensor

    class Flat(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, *given: Any) -> Any:
            left = iter(given)
            mine, named = nested.changed(tensor, (args, kwargs), lambda _: next(left))
            return tuple(nested.tensors(tensor, call(self.inner, *mine, **named)))

    flat = Flat()
    flat.training = False
    return flat
