"""Inside the job: the ways in which remedies reach what the script makes. Standard library only.

Nothing here raises into the job: where a change cannot be made, the job runs as it would have, and the trial says so.
"""

import functools
import gc
import inspect
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any


def note(remedy: str, **values: object) -> None:
    """Say that the remedy found something to change; the report of a trial says which did."""
    try:
        from _narrows_probe import job  # type: ignore[import-not-found,unused-ignore]

        job.spool.event("applied", remedy=remedy, **values)
    except Exception:
        pass


def fault(remedy: str, error: BaseException) -> None:
    """Say that the remedy could not make its change."""
    try:
        from _narrows_probe import job

        job.spool.event("not_applied", remedy=remedy, why=repr(error)[:300])
    except Exception:
        pass


def arguments(remedy: str, owner: Any, change: Callable[[Any, dict[str, Any]], None], method: str = "__init__") -> None:
    """Let `change(self, arguments)` edit the named arguments of each call of `owner.method`, defaults filled in.

    If the call with changed arguments raises, it is made again as the script wrote it.
    """
    original = getattr(owner, method)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            first, *_ = bound.arguments
            given = dict(bound.arguments)
            before = dict(given)
            given.pop(first)
            change(self, given)
            if all(before[name] is value for name, value in given.items()):
                return original(self, *args, **kwargs)
            bound.arguments.update(given)
            return original(*bound.args, **bound.kwargs)
        except Exception as error:
            fault(remedy, error)
            return original(self, *args, **kwargs)

    setattr(owner, method, changed)


def through(torch: Any, make: Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Let `make(call, module, args, kwargs)` make each outermost model call: `call(module, *args, **kwargs)`, which may
    be made at another time, too."""
    module_class = torch.nn.Module
    original = module_class.__call__
    inside = [False]

    def call(module: Any, *args: Any, **kwargs: Any) -> Any:
        before, inside[0] = inside[0], True
        try:
            return original(module, *args, **kwargs)
        finally:
            inside[0] = before

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        if inside[0]:
            return original(self, *args, **kwargs)
        inside[0] = True
        try:
            return make(call, self, args, kwargs)
        finally:
            inside[0] = False

    module_class.__call__ = __call__


def watch(owner: Any, name: str, then: Callable[..., None]) -> None:
    """Call `then` with the same arguments before each call of `owner.name`."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        then(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, watched)


def utility(torch: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put `make(original)` in both places where torch keeps a function on gradients, if this torch has it."""
    utilities = torch.nn.utils
    if hasattr(utilities, name):
        made = make(getattr(utilities, name))
        setattr(utilities, name, made)
        setattr(utilities.clip_grad, name, made)


def first_call(torch: Any, change: Callable[[Any, tuple[Any, ...], dict[str, Any]], None]) -> None:
    """Call `change(module, args, kwargs)` before the first outermost call of each module that has parameters."""
    seen: Any = weakref.WeakSet()

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if module not in seen:
            seen.add(module)
            if next(module.parameters(), None) is not None:
                change(module, args, kwargs)
        return call(module, *args, **kwargs)

    through(torch, make)


def thread(target: Callable[..., None], *args: Any, daemon: bool) -> threading.Thread:
    """Start a thread that may use all cores: OpenMP, told to bind its threads, bound this one when it was loaded."""

    def run() -> None:
        if os.environ.get("OMP_PROC_BIND") or os.environ.get("GOMP_CPU_AFFINITY"):
            try:
                os.sched_setaffinity(0, os.sched_getaffinity(os.getppid()))
            except (OSError, AttributeError):
                pass
        target(*args)

    made = threading.Thread(target=run, daemon=daemon)
    made.start()
    return made


def careful(remedy: str, change: Callable[..., None]) -> Callable[..., None]:
    """The same change; what it raises is noted, and the job goes on."""

    def tried(*args: Any) -> None:
        try:
            change(*args)
        except Exception as error:
            fault(remedy, error)

    return tried


def alive(kinds: type | tuple[type, ...]) -> list[Any]:
    """All objects of that class, or of these, that there are."""
    return [each for each in gc.get_objects() if issubclass(type(each), kinds)]


def modes(torch: Any) -> tuple[bool, ...]:
    """Whatever could make another answer of the same tensors."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.is_autocast_enabled("cuda"),
    )


def infers(torch: Any, module: Any) -> bool:
    """The model is called to answer, not to learn."""
    return not (module.training and torch.is_grad_enabled())


def first_training_call(torch: Any, remedy: str, change: Callable[[Any], None]) -> None:
    """Call `change(module)` before the first outermost call of each module that is to learn."""
    seen: Any = weakref.WeakSet()

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if module.training and module not in seen and torch.is_grad_enabled():
            seen.add(module)
            if next(module.parameters(), None) is not None:
                try:
                    change(module)
                except Exception as error:
                    fault(remedy, error)
        return call(module, *args, **kwargs)

    through(torch, make)
