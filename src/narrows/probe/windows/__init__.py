"""The deep windows: one file each. A window has `open() -> bool` and `close()`, and is made by `make()`."""

import importlib

from .. import schedule


def load() -> None:
    for name in ("alone", "lines", "ops", "values"):
        schedule.kinds[name] = importlib.import_module(f"{__name__}.{name}").make
