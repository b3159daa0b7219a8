"""`einsum`, which under inference mode is one op: operands are contracted in pairs, from left to right."""

from math import prod

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, multiply_add, tensors
from narrows.spool.record import Op, Tensor


def contraction(equation: str, operands: list[Tensor]) -> tuple[float, float]:
    """(multiply-adds, plain multiplications) of an equation. A pair that sums over an index which both have costs
    a multiply-add for each combination of their indices; one that sums over nothing, a multiplication."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = [_indices(term, operand.shape) for term, operand in zip(left.split(","), operands, strict=True)]
    sizes: dict[str, int] = {}
    for indices, operand in zip(terms, operands, strict=True):
        for index, size in zip(indices, operand.shape, strict=True):
            sizes[index] = max(size, sizes.get(index, 1))
    ellipsis = sorted({i for term in terms for i in term if len(i) > 1})
    if arrow:
        kept = set(right.replace("...", "")) | (set(ellipsis) if "..." in right else set())
    else:
        every = [i for term in terms for i in term]
        kept = {i for i in every if every.count(i) == 1} | set(ellipsis)
    sums, products = 0.0, 0.0
    held = set(terms[0])
    for number, term in enumerate(terms[1:], start=1):
        other = set(term)
        later = kept.union(*terms[number + 1 :])
        shared = held & other
        # An index that only one of the two has, and nobody needs later, is summed away before the product.
        union = {i for i in held | other if i in later or i in shared}
        work = float(prod(sizes[i] for i in union))
        if union - later:
            sums += work
        else:
            products += work
        held = union & later
    return sums, products


def _indices(term: str, shape: tuple[int, ...]) -> list[str]:
    """The index of each dimension; those of an ellipsis are numbered from the right."""
    before, dots, after = term.partition("...")
    if not dots:
        return list(term)
    hidden = len(shape) - len(before) - len(after)
    return [*before, *(f".{i}" for i in range(hidden, 0, -1)), *after]


@formula("einsum", kind="matmul")
def _einsum(op: Op) -> Work:
    operands = tensors(argument(op, 1, "tensors"))
    sums, products = contraction(argument(op, 0, "equation"), operands)
    dtype = operands[0].dtype
    return Work(flops=multiply_add(dtype) * sums + products, dtype=dtype)
