"""What the three findings on `tf.data` pipelines look at."""

from collections.abc import Mapping
from typing import Any

from narrows.findings.view import View

WAITS = 0.05
"""Share of the step spent waiting for input."""


def waited_for(view: View) -> Mapping[str, Any]:
    """The pipeline that the step waits for, as the probe told it; empty if it does not, or if Python makes the elements, which is
    another finding's."""
    told = view.process.first("pipeline")
    waits = view.share(view.steady.seconds["next"]) >= WAITS
    return told if waits and not any("Generator" in name for name in stages(told)) else {}


def stages(told: Mapping[str, Any]) -> list[str]:
    """Class names, the last stage first."""
    return [name for name, _ in told.get("stages", ())]


def ran(view: View) -> list[str]:
    """Stages that were recorded, those that TensorFlow put there by itself among them."""
    return [name for event in view.process.events.get("graphs", ()) for name, *_ in event["stages"]]
