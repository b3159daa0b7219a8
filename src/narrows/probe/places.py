"""Places in the user's source: which frames belong to the training loop, and where a call came from."""

import os
import sys
import sysconfig
from types import CodeType, FrameType

MODEL, UPDATE, BACKWARD, LOADER = 1, 2, 4, 8
_BITS = {"model": MODEL, "update": UPDATE, "backward": BACKWARD, "loader": LOADER}

learning = True
"""During the first boundaries each hook notes the frames it was called from (5 microseconds each)."""
ancestors: dict[CodeType, int] = {}
"""Code objects that were on the stack when the model, the backward, the update or the loader was called."""
sites: dict[tuple[CodeType, int], int] = {}
"""The lines that they stood at."""

_probe = os.path.dirname(os.path.abspath(__file__)) + os.sep
_library = tuple(
    {
        os.path.abspath(path) + os.sep
        for path in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
        if path
    }
)
_kinds: dict[str, str] = {}


def kind(file: str) -> str:
    """`user`, `library`, `torch` or `probe`."""
    found = _kinds.get(file)
    if found is None:
        path = os.path.abspath(file) if not file.startswith("<") else file
        if path.startswith(_probe):
            found = "probe"
        elif f"{os.sep}site-packages{os.sep}" in path or f"{os.sep}dist-packages{os.sep}" in path:
            found = "torch" if f"-packages{os.sep}torch{os.sep}" in path else "library"
        elif path.startswith(_library) or path.startswith("<frozen"):
            found = "library"
        else:
            found = "user"
        _kinds[file] = found
    return found


def line(frame: FrameType) -> int:
    """The line a frame is at; of a library's function only its first, as its lines are not traced one by one."""
    code = frame.f_code
    return frame.f_lineno if kind(code.co_filename) == "user" else code.co_firstlineno


def learn(what: str) -> None:
    """Note the frames on the stack as ancestors of this kind of call."""
    bit = _BITS[what]
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        ancestors[code] = ancestors.get(code, 0) | bit
        site = (code, frame.f_lineno)
        sites[site] = sites.get(site, 0) | bit
        frame = frame.f_back


def known_sites() -> list[list[object]]:
    """[file, function, its first line, line, bits] of the sites outside of torch."""
    return [
        [code.co_filename, code.co_qualname, code.co_firstlineno, line, bits]
        for (code, line), bits in sites.items()
        if kind(code.co_filename) in ("user", "library")
    ]


def here() -> list[object] | None:
    """[file, line, function] of the innermost frame of the user's own code."""
    return user(sys._getframe(1))


def user(frame: FrameType | None) -> list[object] | None:
    """The same, of a stack that ends in this frame."""
    while frame is not None:
        if kind(frame.f_code.co_filename) == "user":
            return [frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name]
        frame = frame.f_back
    return None
