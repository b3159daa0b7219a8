"""Follows a spool while it is written: how many boundaries its busiest process has passed."""

import os
from pathlib import Path

from narrows.spool.read import HEADER, MAGIC, RECORD

END = 8
"""Bytes: a record counts when its end, the first field, is not 0."""


class Follow:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[str, int] = {}

    def boundaries(self) -> int:
        """So far. A file that cannot be read yet counts for nothing."""
        try:
            names = [name for name in os.listdir(self.folder) if name.endswith(".steps")]
        except OSError:
            return 0
        return max((self._count(name) for name in names), default=0)

    def _count(self, name: str) -> int:
        seen = self.seen.get(name, 0)
        try:
            with open(self.folder / name, "rb") as file:
                if not seen and file.read(len(MAGIC)) != MAGIC:
                    return 0
                file.seek(HEADER.size + seen * RECORD.size)
                while file.read(RECORD.size)[:END].strip(b"\0"):
                    seen += 1
        except OSError:
            pass
        self.seen[name] = seen
        return seen
