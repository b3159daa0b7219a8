from typing import Any

import pytest

from narrows.remedies import ddp_buckets
from tests.remedies.parallel_job import exchanging


@pytest.mark.parametrize("changes", [{}, {"parallel": {}, "wait": 0.01}])
def test_it_is_not_tried_where_nothing_waits_for_an_exchange(changes: dict[str, Any]) -> None:
    assert ddp_buckets.candidates(exchanging(**changes)) == []


def test_it_is_not_tried_where_other_buckets_would_be_as_many() -> None:
    assert ddp_buckets.candidates(exchanging(parallel={"bytes": 1 << 19})) == []


def test_one_bucket_for_all_is_cut_so_that_the_last_one_is_small() -> None:
    found = ddp_buckets.candidates(exchanging(parallel={"bucket_bytes": 1 << 30}))
    assert {each.value for each in found} == {1, 5, 25}
    assert all(0 < each.seconds < 0.0082 for each in found)


def test_many_small_buckets_are_put_together() -> None:
    found = ddp_buckets.candidates(exchanging(parallel={"bucket_bytes": 1 << 16}))
    assert {each.value for each in found} == {1, 5, 25, 100}
