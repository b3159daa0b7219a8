"""Every storage of a tensor, from the op that made it to its end.

A TorchDispatchMode sees each op below autograd, backward and optimizer included, and runs it unchanged; a weak
reference to the storage tells when it goes. Views, in-place ops and tied weights share a storage, which counts once.
What an op takes and gives back inside of itself is `inside.py`'s.
"""

import time
import weakref
from array import array
from typing import Any

from .. import job
from .inside import LEAST
from .sites import Sites

INDEXED = ("aten::index_", "aten::_index_put", "aten::scatter")
"""Ops that are given all of what they change a piece of."""


class _Ref(weakref.ref):  # type: ignore[type-arg]
    __slots__ = ("address", "number")
    number: int
    address: int


class Book:
    """Events (+n: storage n came; -n - 1: it went) and what is known of each storage."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.events = array("q")
        self.size = array("q")
        self.site = array("q")
        self.born = array("q")
        """The step in which it was made."""
        self.step = 0
        self.kind: dict[int, int] = {}
        """By storage: `kinds.py`."""
        self.alive: dict[int, _Ref] = {}
        """By address of the storage."""
        self.numbers: set[int] = set()
        self.fed: dict[int, int] = {}
        self.written: dict[int, int] = {}
        """By storage: the last step in which an op of a model call was given it, or changed a piece of it."""
        self.live = 0

    def add(self, storage: Any, op: Any) -> int:
        """Its number; a new one is noted."""
        address = storage._cdata
        known = self.alive.get(address)
        if known is not None:
            return known.number
        number = len(self.size)
        reference = _Ref(storage, self._gone)
        reference.number, reference.address = number, address
        self.alive[address] = reference
        self._came(number, storage.nbytes(), self.sites.number(op, storage.device.type))
        return number

    def resized(self, storage: Any) -> None:
        """A storage that is known has another size now: its old one went, and one like it came."""
        known = self.alive.get(storage._cdata)
        if known is None or self.size[known.number] == storage.nbytes():
            return
        before, known.number = known.number, len(self.size)
        self._went(before)
        self._came(known.number, storage.nbytes(), self.site[before])
        if before in self.kind:
            self.kind[known.number] = self.kind[before]

    def _gone(self, reference: Any) -> None:
        self.alive.pop(reference.address, None)
        self._went(reference.number)

    def _came(self, number: int, size: int, site: int) -> None:
        self.numbers.add(number)
        self.size.append(size)
        self.born.append(self.step)
        self.site.append(site)
        self.live += size
        self.events.append(number)

    def _went(self, number: int) -> None:
        self.numbers.discard(number)
        self.live -= self.size[number]
        self.events.append(-number - 1)

    def forget(self) -> None:
        """At the end of a step: how those were used that are gone."""
        self.fed = {number: step for number, step in self.fed.items() if number in self.numbers}
        self.written = {number: step for number, step in self.written.items() if number in self.numbers}

    @property
    def own_bytes(self) -> int:
        """What keeping it takes, roughly."""
        return 8 * (len(self.events) + 3 * len(self.size)) + 250 * len(self.alive) + 600 * len(self.sites.table)


def resizing(torch: Any, book: Book) -> None:
    """Sharded models give storages back by making them empty, which no op shows."""
    storages = torch.UntypedStorage
    original = storages.resize_

    def resize_(self: Any, size: int) -> Any:
        made = original(self, size)
        try:
            book.resized(self)
        except Exception as error:
            job.quiet(error)
        return made

    storages.resize_ = resize_


def mode_class(torch: Any) -> Any:
    from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
        TorchDispatchMode,
    )

    inference = torch.is_inference_mode_enabled
    tensor, strided, sparse = torch.Tensor, torch.strided, torch.sparse_coo

    class Track(TorchDispatchMode):  # type: ignore[misc,unused-ignore]
        supports_higher_order_operators = True
        """Else torch refuses those (flex_attention, cond) while a mode is open."""

        def __init__(self, book: Book, fake: Any) -> None:
            super().__init__()
            self.book, self.fake = book, fake
            self.calls = array("q")
            """Of this step: op, events so far, bytes handled; of each that is not small."""
            self.ops: dict[str, int] = {}
            self.inside: Any = None
            """In the step in which the allocator is watched."""
            self.off = False
            """In a process that was forked."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if self.off:
                return func(*args, **(kwargs or {}))
            if self.fake is None and any(hasattr(kind, "__tensor_flatten__") for kind in types):
                return NotImplemented  # a shard, or another wrapper: it comes back as the tensors inside
            if inference() and func.name()[:6] == "aten::":  # only there do composed ops come whole
                with self:
                    parts = func.decompose(*args, **(kwargs or {}))
                if parts is not NotImplemented:
                    return parts
            book = self.book
            try:
                self.see(args, None)
                schema = getattr(func, "_schema", None)  # a higher order operator has none
                if schema is not None and schema.is_mutable and book.sites.modules.stack:
                    self.write(func, args)
            except Exception as error:
                job.quiet(error)
            given = self.given(args)
            began = time.time_ns()
            result = func(*args, **(kwargs or {})) if self.fake is None else self.fake.call(func, args, kwargs or {})
            ended, first = time.time_ns(), len(book.size)
            try:
                self.see(result, func)
                handled = given + sum(book.size[first:])
                if handled >= LEAST:
                    self.calls.extend((self.ops.setdefault(str(func), len(self.ops)), len(book.events), handled))
                if self.inside is not None:
                    self.inside.note(func, began, ended, handled)
            except Exception as error:
                job.quiet(error)
            return result

        def storage(self, value: Any) -> Any:
            return (value if self.fake is None else self.fake.of(value)).untyped_storage()

        def write(self, func: Any, args: Any) -> None:
            """Note the storages that an op inside of a model call changes a piece of."""
            indexed = func.name().startswith(INDEXED)
            for argument, value in zip(func._schema.arguments, args, strict=False):
                alias = argument.alias_info
                if alias is not None and alias.is_write and isinstance(value, tensor) and value.layout is strided:
                    storage = self.storage(value)
                    if indexed or value.numel() * value.element_size() < storage.nbytes():
                        self.book.written[self.book.add(storage, None)] = self.book.step

        def given(self, args: Any) -> int:
            """Bytes of the tensors that an op is given."""
            found = 0
            for value in args:
                if isinstance(value, tensor) and value.layout is strided:
                    found += value.numel() * value.element_size()
                elif isinstance(value, (list, tuple)):
                    found += self.given(value)
            return found

        def see(self, value: Any, op: Any) -> None:
            """Note the storages of all tensors in it."""
            if isinstance(value, tensor):
                if value.layout is strided:
                    number = self.book.add(self.storage(value), op)
                    if op is None and self.book.sites.modules.stack:
                        self.book.fed[number] = self.book.step
                elif value.layout is sparse:
                    self.see(value._indices(), op)
                    self.see(value._values(), op)
            elif isinstance(value, (list, tuple)):
                for item in value:
                    self.see(item, op)
            elif isinstance(value, dict):
                for item in value.values():
                    self.see(item, op)

    return Track
