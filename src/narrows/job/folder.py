"""The run folder: everything that one run leaves behind."""

import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOM = 4 << 20
"""Bytes: a run of a few thousand steps."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    path: Path
    note: str | None
    """One sentence, if the folder is not where it was asked for."""

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def report(self) -> Path:
        return self.path / "report.json"


def make(out: Path) -> Folder:
    """A new folder under `out`, or, where that cannot be written, under the system's temporary one."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    note = None
    for base in (out, Path(tempfile.gettempdir()) / f"narrows-{os.getuid()}"):
        path = (base / name).absolute()
        try:
            (path / "spool").mkdir(parents=True)
            _has_room(path)
            _ignored_by_git(base)
            return Folder(path=path, note=note)
        except OSError as error:
            note = f"{out} cannot be written ({error.strerror}), so this run is kept in {tempfile.gettempdir()}"
    return Folder(path=Path(tempfile.mkdtemp(prefix="narrows-")), note=note)


def _has_room(path: Path) -> None:
    """Raises OSError if what a run leaves behind would not fit."""
    trial = path / "room"
    try:
        with trial.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, ROOM)
            else:
                file.write(bytes(ROOM))
    finally:
        trial.unlink(missing_ok=True)


def _ignored_by_git(base: Path) -> None:
    """The folder holds measurements, not source: it tells git so itself."""
    ignore = base / ".gitignore"
    if base.name == ".narrows" and not ignore.exists():
        ignore.write_text("*\n")
