from typing import Any

import pytest

from narrows.remedies import ddp_static_graph
from tests.remedies.parallel_job import LOOKS, exchanging

ASKED = {"find_unused": True}
MISSING = [{"unused": ["head.weight"], "unused_elements": 3}] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parallel": {}, "looks": MISSING, "other": MISSING},
        {"parallel": {**ASKED, "static_graph": True}, "looks": MISSING, "other": MISSING},
        {"parallel": ASKED},
        {"parallel": ASKED, "looks": MISSING},
        {"parallel": ASKED, "looks": [*MISSING, LOOKS[0]], "other": MISSING},
    ],
)
def test_it_is_not_tried_unless_the_same_gradients_are_missing_each_time(changes: dict[str, Any]) -> None:
    assert ddp_static_graph.candidates(exchanging(wait=0.1, **changes)) == []


def test_it_saves_to_look_for_them_again() -> None:
    (found,) = ddp_static_graph.candidates(exchanging(wait=-12.0, parallel=ASKED, looks=MISSING, other=MISSING))
    assert found.seconds == pytest.approx(2e-4, rel=0.1)
