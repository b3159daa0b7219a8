"""What a finding may look at: one process's spool, and the ledger made from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from narrows.ledger.build import Entry
from narrows.ledger.gaps import Gap
from narrows.ledger.kernels import Kernel
from narrows.ledger.ranks import Together
from narrows.ledger.steady import Steady
from narrows.ledger.steps import Steps
from narrows.report.model import Cause, Ceilings, Finding
from narrows.report.record import Basis
from narrows.spool.place import named
from narrows.spool.record import TENSORFLOW, Line, Op, Process

Text = dict[str, tuple[str, str, str]]
"""By language: title, evidence, advice; the last two with `{names}` to fill in."""

SMALL = 0.03
"""Share of the step under which an inefficiency is not worth a finding: the noise of a median here."""


@dataclass(frozen=True, kw_only=True)
class View:
    process: Process
    workers: tuple[Process, ...]
    """Processes of the job that made batches for this one."""
    others: tuple[Process, ...]
    """The other ranks."""
    steps: Steps
    steady: Steady
    kernels: tuple[Kernel, ...]
    gaps: tuple[Gap, ...]
    entries: tuple[Entry, ...]
    ceilings: Ceilings
    cores: int
    cwd: str
    lang: str
    apart: Callable[[Op], float | None] = lambda op: None
    """Seconds of a call with no more threads than cores, where the job had more and that was measured."""
    held_back: Mapping[int, float] = field(default_factory=dict)
    """Seconds for which a process (by its id) waited for a core, over all that was seen of it."""
    together: Together | None = None
    """What the ranks wait for; None if there is one, or they do not step together."""

    @property
    def step(self) -> float:
        return self.steady.median

    @property
    def framework(self) -> str:
        """`keras` (its own loop, on whatever backend), `tensorflow` or `torch`: what remedies and advice are for."""
        if self.process.first("trainer"):
            return "keras"
        return "tensorflow" if any(k.name.startswith(TENSORFLOW) for k in self.kernels) else "torch"

    @property
    def ranks_here(self) -> tuple[Process, ...]:
        """The ranks that share this machine's cores with this one, and itself; all, where their machines are not known."""
        host = self.process.first("start").get("host")
        return (self.process, *(p for p in self.others if p.first("start").get("host") == host))

    def seconds(self, cause: Cause) -> float:
        return sum(e.seconds for e in self.entries if e.cause == cause)

    def share(self, seconds: float) -> float:
        return seconds / self.step if self.step else 0.0

    def lines(self, role: str | None = None) -> list[Line]:
        from narrows.ledger.gaps import merge

        found = merge(line for w in self.process.windows if w.kind == "lines" for line in w.lines)
        return [line for line in found if role is None or line.role == role]

    def place(self, file: str, line: int) -> str:
        """`train.py:41`, from where the user was."""
        return named(file, line, self.cwd)

    def at(self, where: Any) -> str | None:
        """The same, of a `[file, line, function]` in an event."""
        return self.place(where[0], where[1]) if where else None

    def source(self, where: tuple[str, int] | None) -> str:
        """The line of source itself, for evidence."""
        if where is None:
            return ""
        try:
            return Path(where[0]).read_text(errors="replace").splitlines()[where[1] - 1].strip()[:100]
        except (OSError, IndexError):
            return ""

    def finding(
        self,
        id: str,
        text: Text,
        *,
        cause: Cause | None,
        seconds: float,
        where: str | None = None,
        remedies: Iterable[str] = (),
        basis: Basis = "measured",
        **values: object,
    ) -> Finding:
        title, evidence, advice = text.get(self.lang) or text["en"]
        return Finding(
            id=id,
            title=title,
            cause=cause,
            seconds=max(0.0, seconds),
            basis=basis,
            where=where,
            evidence=evidence.format(**values),
            advice=advice.format(**values),
            remedies=list(remedies),
        )
