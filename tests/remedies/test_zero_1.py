from typing import Any

import pytest

from narrows.remedies import zero_1
from tests.remedies.parallel_job import OPTIMIZER, exchanging


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parallel": {}, "optimizer": {**OPTIMIZER, "state_bytes": 0}},
        {"parallel": {}, "optimizer": [OPTIMIZER] * 2},
    ],
)
def test_it_is_not_tried_without_a_state_that_ranks_hold_alike(changes: dict[str, Any]) -> None:
    assert zero_1.candidates(exchanging(**changes)) == []


def test_half_of_the_update_is_saved_and_half_an_exchange_is_paid_for() -> None:
    (found,) = zero_1.candidates(exchanging(parallel={}, wait=8.0))
    assert found.seconds == pytest.approx(0.002 - 0.004, abs=2e-4)


def test_shares_are_of_about_the_same_size() -> None:
    owners = zero_1.shared_out([5, 1, 4, 4, 2], 2)
    assert owners == [0, 0, 1, 1, 0]
    assert zero_1.shared_out([], 3) == []
