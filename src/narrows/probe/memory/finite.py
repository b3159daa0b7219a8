"""Whether numbers are finite: in a job that goes well all of them are, though nobody knows them.

A script that stops at a NaN, or leaves out the update, is so traced as it would run. What is asked of such a number is
asked of 1: `isnan`, a comparison with infinity, and whether a tensor is itself, which a NaN is not. `isfinite` is made of
these.
"""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .values import Values

_TESTS = frozenset(f"aten::{name}" for name in ("isnan", "isinf", "isposinf", "isneginf"))
_COMPARISONS = frozenset(f"aten::{name}" for name in ("eq", "ne", "lt", "le", "gt", "ge"))
_CHECK = "aten::_amp_foreach_non_finite_check_and_unscale_"
"""A gradient scaler's: it notes in its second argument whether it has met one that is not finite."""


class Finite:
    def __init__(self, torch: Any, values: "Values") -> None:
        self.torch, self.values = torch, values

    def keeps(self, func: Any) -> bool:
        """Whether it is the scaler's check, which changes nothing in its second argument."""
        return bool(func._schema.name == _CHECK)

    def answer(self, func: Any, args: Any) -> Any:
        """True or False for all of a tensor whose numbers are not known; None of any other op."""
        name = func._schema.name
        if name not in _TESTS and name not in _COMPARISONS:
            return None
        x, *others = args
        if name in _COMPARISONS and others[0] is not x and not self._infinite(others[0]):
            return None
        one = self.values.known(self.torch.ones, ((),), {"dtype": x.dtype})
        return self.values.known(func, (one, *(one if each is x else self._number(each) for each in others)), {})

    def _infinite(self, value: Any) -> bool:
        number = self._number(value)
        return number is not None and not self.values.known(math.isfinite, (number,), {})

    def _number(self, value: Any) -> Any:
        """Of a tensor of one element it is one without dimensions; None if it is not known."""
        if not isinstance(value, self.torch.Tensor):
            return value
        known = self.values.get(value) if value.numel() == 1 else None
        return self.values.known(known.reshape, ((),), {}) if known is not None else None
