"""The same step on several ranks, modelled from one rank's ledger. Pure.

What is kept whole and what is cut is from ZeRO (Rajbhandari et al., 2020, arXiv:1910.02054, figure 1) and FSDP's notes: a
sharded unit is gathered before it is used, and the next one beside it. The units are a model's repeated blocks, and all the
rest is one, which stays whole from the forward to the backward pass.
"""

from typing import Literal

from narrows.memory.ledger import Ledger
from narrows.spool.record import Process

Strategy = Literal["ddp", "zero-1", "zero-2", "fsdp"]
_CUT: dict[Strategy, tuple[str, ...]] = {
    "ddp": (), "zero-1": ("optimizer",), "zero-2": ("optimizer", "gradients"),
    "fsdp": ("optimizer", "gradients", "parameters"),
}  # fmt: skip
STRATEGIES = tuple(_CUT)
GATHERED = 2
"""Blocks that are whole at one time: the one in use, and the one that is fetched ahead."""


def gathered(process: Process, ledger: Ledger) -> int:
    """Bytes of parameters that are whole at one time; of several models, of the one with the most."""
    blocks = process.last("memory_blocks").get("blocks") or ()
    whole = ledger.parts["parameters"]
    return min(whole, max((rest + GATHERED * block for block, rest in blocks), default=whole))


def needed(ledger: Ledger, strategy: Strategy, ranks: int, gathered: int) -> int:
    """Bytes that each rank needs, with the same batch on each. `gathered`: of parameters that are whole at one time where
    each rank holds a share of them."""
    parts = ledger.parts
    cut = _CUT[strategy]
    if ranks <= 1:
        return ledger.needed
    saved = sum(parts[name] - -(-parts[name] // ranks) for name in cut)
    # Gradients are copied into buckets for the reduction, unless they are cut up.
    beside = gathered if strategy == "fsdp" else parts["gradients"]
    return ledger.needed - saved + beside
