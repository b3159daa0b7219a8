"""The same step on several ranks, modelled from one rank's ledger. Pure.

What is kept whole and what is cut is from ZeRO (Rajbhandari et al., 2020, arXiv:1910.02054, figure 1) and FSDP's notes: a
sharded unit is gathered before it is used, and the next one beside it.
"""

from typing import Literal

from narrows.memory.ledger import Ledger

Strategy = Literal["ddp", "zero-1", "zero-2", "fsdp"]
_CUT: dict[Strategy, tuple[str, ...]] = {
    "ddp": (), "zero-1": ("optimizer",), "zero-2": ("optimizer", "gradients"),
    "fsdp": ("optimizer", "gradients", "parameters"),
}  # fmt: skip
STRATEGIES = tuple(_CUT)
GATHERED = 2
"""Units that are whole at one time: the one in use, and the one that is fetched ahead."""


def needed(ledger: Ledger, strategy: Strategy, ranks: int, unit: int) -> int:
    """Bytes that each rank needs, with the same batch on each. `unit`: bytes of parameters of the largest part that is
    gathered at once."""
    parts = ledger.parts
    cut = _CUT[strategy]
    if ranks <= 1:
        return ledger.needed
    saved = sum(parts[name] - -(-parts[name] // ranks) for name in cut)
    # Gradients are copied into buckets for the reduction, unless they are cut up.
    beside = GATHERED * unit if strategy == "fsdp" else parts["gradients"]
    return ledger.needed - saved + beside
