"""What a job without numbers saves, and loads again: nothing is written, and loading it gives back what was saved.

It is pickled, as `torch.save` does it, so that it stays as it was; of its tensors only the shapes are kept, as what is in a
file takes no memory. Tensors that had numbers have them again.
"""

import functools
import io
import os
import pickle
from typing import Any, NamedTuple

from .. import job
from .values import Values


class _Shape(NamedTuple):
    storage: int
    """Tensors with the same number share one."""
    bytes: int
    dtype: Any
    device: Any
    place: tuple[Any, Any, Any]
    """Size, strides and offset in it."""
    trained: bool
    parameter: bool
    value: Any
    """Its numbers; None if they are not known."""


def install(torch: Any, kind: Any, values: Values) -> None:
    files: dict[Any, tuple[bytes, list[Any]]] = {}
    """By file: what is pickled, and its tensors."""
    load = torch.load

    class Pickler(pickle.Pickler):
        def __init__(self, file: Any) -> None:
            super().__init__(file)
            self.tensors: list[Any] = []
            self.storages: list[Any] = []
            """Kept until the end, so that no address is met twice."""

        def persistent_id(self, value: Any) -> Any:
            if not isinstance(value, torch.Tensor):
                return None
            self.tensors.append(self.shape(value) if isinstance(value, kind) else values.known(copied, (value,), {}))
            return len(self.tensors) - 1

        def shape(self, value: Any) -> _Shape:
            storage, known = value.untyped_storage(), values.get(value)
            self.storages.append(storage)
            return _Shape(
                storage=storage._cdata, bytes=storage.nbytes(), dtype=value.dtype, device=value.device,
                place=(value.size(), value.stride(), value.storage_offset()), trained=value.requires_grad,
                parameter=isinstance(value, torch.nn.Parameter),
                value=values.known(copied, (known,), {}) if known is not None else None,
            )  # fmt: skip

    class Unpickler(pickle.Unpickler):
        def __init__(self, file: Any, tensors: list[Any], device: Any) -> None:
            super().__init__(file)
            self.tensors, self.device = tensors, device
            self.storages: dict[int, Any] = {}

        def persistent_load(self, number: int) -> Any:
            found = self.tensors[number]
            if not isinstance(found, _Shape):
                return values.known(copied, (found,), {})
            if found.storage not in self.storages:
                count = found.bytes // found.dtype.itemsize
                device = found.device if self.device is None else self.device
                self.storages[found.storage] = torch.empty(count, dtype=found.dtype, device=device)
            made = self.storages[found.storage].as_strided(*found.place)
            made = torch.nn.Parameter(made, found.trained) if found.parameter else made.requires_grad_(found.trained)
            if found.value is not None and isinstance(made, kind):
                values.set(made, values.known(copied, (found.value,), {}))
            return made

    def copied(value: Any) -> Any:
        return value.detach().clone()

    def save_shapes(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
        files.pop(_name(f), None)
        try:
            file = io.BytesIO()
            pickler = Pickler(file)
            pickler.dump(obj)
            files[_name(f)] = file.getvalue(), pickler.tensors
        except Exception as error:
            job.quiet(error)

    @functools.wraps(load)
    def load_shapes(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        found = files.get(_name(f))
        if found is None:
            return load(f, map_location, *args, **kwargs)
        device = torch.device(map_location) if isinstance(map_location, (str, torch.device)) else None
        return Unpickler(io.BytesIO(found[0]), found[1], device).load()

    torch.save, torch.load = save_shapes, load_shapes


def _name(file: Any) -> Any:
    """The path; the object itself, where it has none."""
    if isinstance(file, (str, os.PathLike)):
        return os.path.abspath(file)
    name = getattr(file, "name", None)
    return os.path.abspath(name) if isinstance(name, str) else _Same(file)


class _Same:
    """A key of an object that may be equal to others."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.file is self.file

    def __hash__(self) -> int:
        return id(self.file)
