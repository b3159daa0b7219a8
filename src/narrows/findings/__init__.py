"""Named inefficiencies: one file each, with `find(view)`; adding one edits no list."""

import importlib
import pkgutil

from narrows.findings.view import View
from narrows.report.model import Finding


def findings(view: View) -> list[Finding]:
    """All that were found, the most expensive first."""
    found: list[Finding] = []
    for module in pkgutil.iter_modules(__path__):
        find = getattr(importlib.import_module(f"{__name__}.{module.name}"), "find", None)
        if find is not None:
            found.extend(find(view))
    return sorted(found, key=lambda finding: -finding.seconds)
