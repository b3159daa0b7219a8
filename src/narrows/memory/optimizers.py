"""The same step with another optimizer, modelled. Pure.

What each keeps for a parameter is from its publication: the momentum of SGD; the two averages of Adam and AdamW (Kingma and
Ba, 2015); the same in 8 bits with a float32 scale for each block of 256 (Dettmers et al., 2022, arXiv:2110.02861, and the
block size of bitsandbytes).
"""

from narrows.memory.ledger import Ledger
from narrows.memory.stream import Stream
from narrows.spool.record import Process

_FLOAT32 = 4
_BLOCK = 256
STATES: dict[str, float] = {
    "SGD": 0.0, "Adam in 8 bits": 2 * (1 + _FLOAT32 / _BLOCK), "SGD with momentum": 4.0, "Adam": 8.0,
}  # fmt: skip
"""Bytes of state for each number that is learned in float32."""


def trained(process: Process, stream: Stream) -> int:
    """Bytes of the parameters that are learned: those that have a gradient, which itself may be a sparse one."""
    learned = process.last("memory_owners").get("learned") or ()
    return sum(stream.storages[n].bytes for n in learned if n in stream.storages)


def needed(ledger: Ledger, learned: int, optimizer: str) -> int:
    """Bytes that the job needs with it. `learned`: of parameters, as `trained` has them."""
    state = round(STATES[optimizer] / _FLOAT32 * learned)
    return ledger.needed - ledger.parts["optimizer"] + state
