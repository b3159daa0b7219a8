"""Where the job's random numbers are: compared with where they were, and set back. Standard library only."""

import ctypes
import pickle
import random
import sys
from typing import Any


class Drawn:
    """Python's, NumPy's, torch's own and its devices' random numbers, as they are when this is made."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.python, self.numpy, self.own, self.devices = _states(torch)

    def same(self) -> bool:
        """None has been drawn, and none set, since."""
        return _bytes(*_states(self.torch)) == _bytes(self.python, self.numpy, self.own, self.devices)

    def undo(self) -> None:
        random.setstate(self.python)
        if self.numpy is not None:
            sys.modules["numpy"].random.set_state(self.numpy)
        self.torch.set_rng_state(self.own)
        if self.devices is not None:
            self.torch.cuda.set_rng_state_all(self.devices)


def _states(torch: Any) -> tuple[Any, Any, Any, Any]:
    numpy, cuda = sys.modules.get("numpy"), torch.cuda
    return (
        random.getstate(),
        numpy.random.get_state() if numpy is not None else None,
        torch.get_rng_state(),
        cuda.get_rng_state_all() if cuda.is_initialized() else None,
    )


def _bytes(python: Any, numpy: Any, own: Any, devices: Any) -> list[bytes]:
    # Tensors are read where they lie: in a trace without numbers, these are the only ones that have some.
    tensors = [ctypes.string_at(state.data_ptr(), state.numel()) for state in (own, *(devices or ()))]
    return [pickle.dumps(python), pickle.dumps(numpy), *tensors]
