"""A job that only answers: its steps are model calls, and nothing runs backward."""

from dataclasses import replace
from typing import Any

from narrows.findings.view import View
from narrows.spool.record import CALL, Window
from tests import fakes


def answering(*windows: Window, forward: float, **events: Any) -> View:
    marks = tuple(replace(b, backwards=0) for b in fakes.boundaries(kind=CALL, forward=forward))
    return fakes.view(fakes.process(marks, *windows, **events))
