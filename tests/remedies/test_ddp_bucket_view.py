from typing import Any

import pytest

from narrows.remedies import ddp_bucket_view
from tests.remedies.parallel_job import exchanging


@pytest.mark.parametrize("changes", [{}, {"parallel": {"bucket_view": True}}, {"parallel": {}, "wait": 400.0}])
def test_it_is_not_tried_where_copies_are_not_made_or_cost_next_to_nothing(changes: dict[str, Any]) -> None:
    assert ddp_bucket_view.candidates(exchanging(**changes)) == []


def test_it_saves_a_copy_of_all_gradients() -> None:
    (found,) = ddp_bucket_view.candidates(exchanging(parallel={}))
    assert found.seconds == pytest.approx(2 * (32 << 20) / 2e10)
