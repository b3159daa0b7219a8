"""A look at the job, read back: what trials are set up from, and what remedies are asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from narrows.findings.view import View
from narrows.job import facts as facts_
from narrows.job import watch
from narrows.job.facts import Facts
from narrows.report.build import Accounts, accounts_of, view_of
from narrows.spool.read import read
from narrows.spool.record import Process


@dataclass(frozen=True, kw_only=True)
class Looked:
    folder: Path
    facts: Facts
    processes: Sequence[Process]
    accounts: Accounts

    @property
    def memory_bytes(self) -> int:
        """Of the machine; 0 if not known."""
        return self.facts.machine.memory_bytes if self.facts.machine else 0

    @property
    def view(self) -> View | None:
        """None for a job without a ledger."""
        mine = self.accounts.mine
        if mine is None or mine.steady is None or not mine.kernels:
            return None
        return view_of(self.facts, self.processes, self.accounts, "en")


def looked(folder: Path) -> Looked:
    facts, processes = facts_.read(folder), read(folder / "spool")
    every = accounts_of(facts, processes, watch.read(folder / watch.WATCHED))
    return Looked(folder=folder, facts=facts, processes=processes, accounts=every)
