"""Softmax and its relatives, counted per element.

softmax: maximum 1, subtract 1, exponential 8, sum 1, scale 1. Its gradient: multiply 2, sum 1, subtract 1; that of the
logarithm takes an exponential as well.
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import tensor
from narrows.spool.record import Op

_FLOPS = {
    "_softmax": 12.0,
    "_log_softmax": 12.0,
    "softmax": 12.0,
    "log_softmax": 12.0,
    "special_softmax": 12.0,
    "special_log_softmax": 12.0,
    "_safe_softmax": 13.0,
    "_masked_softmax": 13.0,
    "logsumexp": 11.0,
    "special_logsumexp": 11.0,
    "logcumsumexp": 18.0,
    "_logcumsumexp": 18.0,
    "_softmax_backward_data": 4.0,
    "_masked_softmax_backward": 4.0,
    "_log_softmax_backward_data": 12.0,
}


@formula(*_FLOPS, kind="softmax")
def _softmax(op: Op) -> Work:
    return Work(flops=_FLOPS[op.name] * tensor(op, 0, "self").elements)
