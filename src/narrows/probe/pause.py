"""A short pause of what makes batches in the background, so that a few steps have the cores to themselves.

A loader's worker asks before each batch until when it is to wait: a time, so that nothing keeps it waiting for good, whatever
happens to the process that trains. Asking costs it a microsecond. A thread of the job's own that feeds a queue waits
after it has put a batch there.
"""

import mmap
import os
import struct
from collections.abc import Iterable
from time import perf_counter_ns as clock
from time import sleep
from typing import Any

from . import job

UNTIL = struct.Struct("<Q")
SLOTS = 4096 - UNTIL.size
BUSY, IDLE = 1, 2
LOOK = 0.001
"""Seconds between two looks of a worker that waits."""

board: Any = None
"""Shared by the process that trains and its workers: until when to wait (ns), then a byte for each worker."""
producers: dict[int, int] = {}
"""Threads that put batches into queues: BUSY or IDLE, by identity."""
look: Any = None
"""Set by the window that wants to see when batches are asked for, and when they come."""
_until = 0


def make() -> None:
    """In the process that trains, before its workers start."""
    global board
    if board is None:
        _open(os.getpid(), os.O_CREAT)


def join() -> None:
    """In a worker: a forked one has the board, one that was spawned looks for its parent's."""
    if board is None:
        _open(os.getppid(), 0)
    _mark(IDLE)


def _open(pid: int, flags: int) -> None:
    global board
    try:
        descriptor = os.open(os.path.join(job.folder, f"{pid}.pause"), os.O_RDWR | os.O_CLOEXEC | flags, 0o644)
    except OSError:
        return
    try:
        size = UNTIL.size + SLOTS
        if flags:
            os.pwrite(descriptor, bytes(size), 0)  # written, not left as a hole: a full disk fails here
        board = mmap.mmap(descriptor, size)
    except (OSError, ValueError):
        board = None
    finally:
        os.close(descriptor)


def begin() -> None:
    """In a worker, before a batch."""
    if board is not None:
        while clock() < UNTIL.unpack_from(board)[0]:
            sleep(LOOK)
        _mark(BUSY)


def end() -> None:
    """In a worker, after a batch."""
    _mark(IDLE)


def _mark(what: int) -> None:
    if board is not None:
        board[_slot(os.getpid())] = what


def _slot(pid: int) -> int:
    return UNTIL.size + pid % SLOTS


def until(ns: int) -> None:
    """In the process that trains: nobody begins a batch before that time; 0 ends the pause."""
    global _until
    _until = ns
    if board is not None:
        UNTIL.pack_into(board, 0, ns)


def wait() -> None:
    """In a thread that feeds a queue, after it has put a batch there."""
    while clock() < _until:
        sleep(LOOK)


def all_idle(pids: Iterable[int]) -> bool:
    """None of these workers is making a batch, as far as they have said so."""
    return board is not None and all(board[_slot(pid)] == IDLE for pid in pids)


def producers_idle() -> bool:
    return bool(producers) and BUSY not in producers.values()


def asked(idle: bool, empty: bool) -> None:
    """In the process that trains, while a window looks: a batch is about to be asked for."""
    try:
        look.asked(idle, empty)
    except Exception as error:
        job.quiet(error)


def served(idle: bool) -> None:
    """A batch came."""
    try:
        look.served(idle)
    except Exception as error:
        job.quiet(error)
