"""A whole program that was compiled, on JAX: what is known of it stands in its arguments."""

from narrows.ledger.cost.registry import Work, formula
from narrows.spool.record import XLA, Op


@formula(f"{XLA}program", kind="matmul")
def _program(op: Op) -> Work:
    """(flops, bytes of its arguments, bytes of its results)"""
    flops, read, written = (float(number) for number in op.arguments)
    return Work(flops=flops, read=read, written=written, dtype="float32")
