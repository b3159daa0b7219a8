"""One line of a terminal that is written over: what narrows is doing right now."""

import sys


class Status:
    """Anywhere but in a terminal, and where quiet was asked for, it writes nothing."""

    def __init__(self, *, quiet: bool) -> None:
        self.on = not quiet and sys.stderr.isatty()
        self.drawn = False

    def show(self, text: str) -> None:
        if self.on:
            self.drawn = True
            sys.stderr.write(f"\r\x1b[2K{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self.drawn:
            self.drawn = False
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
