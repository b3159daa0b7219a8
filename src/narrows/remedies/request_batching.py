"""Single requests from a loader are answered several at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import datasets, nested, serving, together, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "request-batching"
CLASS = "exact"
TEXT = {
    "en": (
        "Several requests of a loader are answered by one model call",
        "The same answers, up to the order of additions. The first request of a group waits for all of them and the others "
        "for none: the time of a single request says nothing any more. Batches are fetched ahead, and random numbers that "
        "the dataset draws interleave with the model's in another way.",
    ),
    "zh": (
        "一次模型调用回答加载器给出的多个请求",
        "答案不变，只是加法顺序可能不同。每组的第一个请求要等全组算完，其余的不用等：单个请求的耗时不再有意义。"
        "批数据会提前读取，数据集取的随机数与模型的交错方式会变。",
    ),
}
TOGETHER = (8, 32)
SMALL = 4
"""Samples of a batch that is a single request."""
LEFT = 0.5
"""Of the time spent on memory, what is for activations and not for weights."""
UNKNOWN = 16
"""Model calls in a row with other tensors than the loader's, after which nothing is fetched ahead any more."""


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    size = loader.get("batch_size") or 0
    if not estimates.infers(view) or view.process.events.get("optimizer") or not 0 < size <= SMALL:
        return []
    batches = loader.get("batches")
    fixed = estimates.spent(view, "overhead") + (1 - LEFT) * estimates.spent(view, "bandwidth")
    return [
        Candidate(value=number, seconds=(1 - 1 / number) * fixed)
        for number in TOGETHER
        if (batches is None or batches >= 2 * number) and view.share((1 - 1 / number) * fixed) >= estimates.WORTH
    ]


def apply(torch: Any, value: int) -> None:
    answers = together.Answers(torch, value)
    on, unknown, noted = [True], [0], [False]
    groups: deque[together.Ahead] = deque(maxlen=2)
    """What was fetched last. Two: the next may be fetched before the last of a group is answered."""

    def off(why: str) -> None:
        groups.clear()
        if on[0]:
            on[0] = False
            within.fault(NAME, RuntimeError(why))

    def serve(loader: Any, batches: Any) -> Any:
        streams = datasets.streams(torch, loader.dataset)
        if not on[0] or streams or not 0 < (loader.batch_size or 0) <= SMALL:
            return batches
        return Fetched(batches, value, on, lambda got: groups.append(together.Ahead(torch, got)))

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if not on[0] or next(module.parameters(), None) is None:
            return call(module, *args, **kwargs)
        given = nested.tensors(torch.Tensor, (args, kwargs))
        ahead = next((g for g in reversed(groups) if g.find(given)), None)
        if ahead is None:
            unknown[0] += 1
            if unknown[0] >= UNKNOWN:
                off("the model is not given the tensors of a loader of single requests")
        elif any(part.training for part in module.modules()):
            off("the model is in training mode")
        elif not any(t.requires_grad for t in given):
            unknown[0] = 0
            try:
                answer = answers.answer(call, module, args, kwargs, ahead, given)
                if answers.proven and not noted[0]:
                    noted[0] = True
                    within.note(NAME, model=type(module).__name__, requests=value)
                return answer
            except together.Unlike:
                pass
            except together.Different as error:
                off(str(error))
                return error.answer
            except Exception as error:
                off(str(error) or repr(error))
        return call(module, *args, **kwargs)

    within.through(torch, make)
    serving.instead(torch, serve)
    within.watch(torch.optim.Optimizer, "__init__", lambda *_, **__: off("there is an optimizer"))
    # Other weights give other answers than those that are ready.
    within.watch(torch.nn.Module, "load_state_dict", lambda *_, **__: groups.clear())
    within.watch(torch.nn.Module, "_apply", lambda *_, **__: groups.clear())


class Fetched(serving.Served):
    """A loader's iterator that asks for several batches at a time, and gives them one by one."""

    def __init__(self, batches: Any, number: int, on: list[bool], got: Any) -> None:
        super().__init__(batches)
        self._number, self._on, self._got = number, on, got
        self._ready: deque[Any] = deque()
        self._error: BaseException | None = None

    def __next__(self) -> Any:
        if not self._ready and self._error is None:
            for _ in range(self._number if self._on[0] else 1):
                try:
                    self._ready.append(next(self._batches))
                except Exception as error:  # it comes after those that were fetched before it
                    self._error = error
                    break
            if len(self._ready) > 1:
                self._got(list(self._ready))
        if self._ready:
            return self._ready.popleft()
        came, self._error = self._error, None
        assert came is not None
        raise came


def by_hand(value: int) -> str:
    return f"DataLoader(..., batch_size={value})  # and model(batch) once for all of them"
