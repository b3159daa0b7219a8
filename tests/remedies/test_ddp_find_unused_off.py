from typing import Any

import pytest

from narrows.remedies import ddp_find_unused_off
from tests.remedies.parallel_job import LOOKS, exchanging

ASKED = {"find_unused": True}
MISSING = [*LOOKS, {"unused": ["head.weight"], "unused_elements": 3}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parallel": {}},
        {"parallel": {**ASKED, "static_graph": True}},
        {"parallel": ASKED, "looks": MISSING},
        {"parallel": ASKED, "other": MISSING},
        {"parallel": ASKED, "other": LOOKS[:1]},
    ],
)
def test_it_is_not_tried_unless_every_rank_was_seen_with_all_gradients(changes: dict[str, Any]) -> None:
    assert ddp_find_unused_off.candidates(exchanging(wait=0.1, **changes)) == []


def test_it_saves_the_walk_and_an_exchange() -> None:
    (found,) = ddp_find_unused_off.candidates(exchanging(wait=-12.0, parallel=ASKED))
    assert found.seconds == pytest.approx(2e-4, rel=0.1)
