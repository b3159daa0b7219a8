from typing import Any

import pytest

from narrows.remedies import ddp_compress
from tests.remedies.parallel_job import exchanging


@pytest.mark.parametrize(
    "changes", [{}, {"parallel": {}, "wait": 0.1}, {"parallel": {}, "model": {"dtypes": {"bfloat16": 9}}}]
)
def test_it_is_not_tried_where_little_is_exchanged_or_in_half_already(changes: dict[str, Any]) -> None:
    assert ddp_compress.candidates(exchanging(**changes)) == []


def test_halves_save_less_than_half_and_factors_more() -> None:
    found = {each.value: each.seconds for each in ddp_compress.candidates(exchanging(parallel={}, wait=20.0))}
    assert list(found) == ["bf16", "fp16", "powersgd-4"]
    assert 0 < found["bf16"] == found["fp16"] < 0.0101
    assert found["powersgd-4"] < 0.0142


def test_each_setting_says_how_it_is_written() -> None:
    for value in ("bf16", "fp16", "powersgd-4"):
        compile(ddp_compress.by_hand(value), "by_hand", "exec")
