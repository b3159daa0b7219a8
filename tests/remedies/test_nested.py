"""Containers keep their class, and what else they have, when a tensor in them is changed."""

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest

from narrows.remedies.inside import nested


class Named(dict[Any, Any]):
    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.note = "kept"


Pair = namedtuple("Pair", "one other")
VALUES = (
    {1: 2.0, "a": [3.0, (4.0, None)]},
    OrderedDict([(3, 1.0), (1, 2.0)]),
    defaultdict(list, {0: 1.0}),
    Named(a=1.0, b="x"),
    Pair(1.0, {"deep": OrderedDict([((1, 2), 5.0)])}),
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_changed_is_of_the_same_class(value: Any) -> None:
    made = nested.changed(float, value, lambda held: held + 1)
    assert type(made) is type(value)
    assert nested.tensors(float, made) == [held + 1 for held in nested.tensors(float, value)]
    assert getattr(made, "note", None) == getattr(value, "note", None)
    assert getattr(made, "default_factory", None) == getattr(value, "default_factory", None)
    if isinstance(value, dict):
        assert list(made) == list(value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_not_changed_is_the_same_object(value: Any) -> None:
    assert nested.changed(float, value, lambda held: held) is value
    assert nested.changed(complex, value, lambda held: 0) is value
