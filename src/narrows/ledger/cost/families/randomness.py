"""Random numbers: 8 flops for each, by the package's convention for a function; results are written, not read.

What is drawn in place (`normal_`) overwrites its target. Where probabilities or means are tensors, they are read.
"""

from narrows.ledger.cost.registry import NOTHING, Work, formula
from narrows.ledger.cost.traffic import argument, largest, results, tensor, tensors, total
from narrows.spool.record import Op

DRAW = 8.0

_FRESH = """
    rand randn randint rand_like randn_like randint_like randperm uniform normal_functional exponential
    geometric cauchy log_normal random _philox_normal _philox_uniform bernoulli_ normal_
""".split()
_FROM_TENSORS = """
    bernoulli normal poisson binomial _standard_gamma _sample_dirichlet multinomial
""".split()


@formula(*_FRESH, kind="random")
def _fresh(op: Op) -> Work:
    """`bernoulli_` may have its probabilities in a second tensor."""
    return Work(flops=DRAW * largest(op), read=total(tensors(op.arguments[1:])) if op.name.endswith("_") else 0.0)


@formula(*_FROM_TENSORS, kind="random")
def _drawn(op: Op) -> Work:
    return Work(flops=DRAW * largest(op))


@formula("native_dropout", "_fused_dropout", kind="random")
def _dropout(op: Op) -> Work:
    """Draw, scale, mask; the mask is a second result."""
    return Work(flops=(DRAW + 2) * tensor(op, 0, "input").elements)


@formula("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "rrelu", kind="random")
def _module(op: Op) -> Work:
    """Under inference mode: (values, p, train), and nothing happens unless it trains."""
    train = argument(op, 3 if op.name.startswith("rrelu") else 2, "train", False)
    if not train and not op.name.startswith("rrelu"):
        return NOTHING
    return Work(flops=(DRAW + 2) * results(op)[0].elements)
