"""Edits of the optimizers that a script makes."""

from collections.abc import Iterable

from narrows.edits.arguments import Wanted, keywords

POSITIONAL = 5
"""Arguments of an optimizer that may be given by position: none of those that an edit gives is among them."""


def optimizers(source: str, kinds: Iterable[str], wanted: Wanted) -> str | None:
    """Every optimizer of these classes has the arguments that `wanted` says; None if it says None of one."""
    return keywords(source, [f"torch.optim.{name}" for name in kinds], wanted, positional=POSITIONAL)
