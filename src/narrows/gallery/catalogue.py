"""The built-in workloads: which there are, what each is, and what it needs. Nothing of them is run to know."""

import ast
import dataclasses
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import msgspec

from narrows.job.failure import Failure

FOLDER = Path(__file__).parent.parent / "workloads"
EXTRA = "narrows[workloads,keras]"
"""What installs all that they need."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The `WORKLOAD` literal of a script."""

    name: str
    field: str
    model: str
    data: str
    size: str
    licence: str
    bottleneck: str
    score: str
    better: str
    """`higher` or `lower`."""
    framework: str = "torch"
    needs: list[str] = dataclasses.field(default_factory=list)
    """Modules beyond the framework, NumPy and scikit-learn."""

    @property
    def script(self) -> Path:
        return _script(self.name)


def names() -> list[str]:
    return sorted(p.stem.replace("_", "-") for p in FOLDER.glob("*.py") if not p.stem.startswith("_"))


def find(name: str) -> Workload:
    """Raises `Failure` with 127 if there is none of that name."""
    if not name or name.startswith("_") or not _script(name).is_file():
        raise Failure(f"there is no workload @{name}; there are: {', '.join('@' + n for n in names())}", 127)
    return msgspec.convert({"name": name, **_literal(_script(name).read_text())}, Workload)


def installed(name: str) -> Workload:
    """One that can be run. Raises `Failure`, with 2 where something is not installed."""
    found = find(name)
    missing = [module for module in (found.framework, *found.needs) if importlib.util.find_spec(module) is None]
    if missing:
        raise Failure(
            f"the workload @{name} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed: pip install '{EXTRA}' has all that workloads need",
            2,
        )
    return found


def _script(name: str) -> Path:
    return FOLDER / f"{name.replace('-', '_')}.py"


def _literal(source: str) -> dict[str, object]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "WORKLOAD":
            found = ast.literal_eval(node.value)
            return found if isinstance(found, dict) else {}
    return {}
