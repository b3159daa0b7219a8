"""Runs a command so that nothing it writes stays: `python -I -S shield.py FOLDER [--keep DIR] [--put FROM TO] -- ...`

On Linux the command sees every file through an overlay: it reads what is there, and what it writes goes to FOLDER,
whose owner deletes it. What it shares in memory (`/dev/shm`) goes to a memory of its own, as large as the real one has
room. `--keep` names a folder that is the real one; `--put` lays a file over another. Where overlays
are not allowed (many containers), the kernel is asked to refuse writes outside of FOLDER (Landlock); a job that writes
then fails, but harms nothing. Where neither works the command is not run, and the exit code is `NO_SHIELD`.

A program of its own, which imports nothing of ours: what it does to itself must not reach narrows.
"""

import ctypes
import os
import shutil
import sys

NO_SHIELD, ONLY_READ = 123, 122
"""Exit codes: no protection could be had; `--put` was asked for, and there is only the weaker one."""
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000
BIND, REMOUNT, READ_ONLY, RECURSIVE, PRIVATE = 0x1000, 0x20, 0x1, 0x4000, 1 << 18
AS_THEY_ARE = ("/proc", "/sys", "/dev", "/run")
"""Not files of the user's, and devices are to work."""
SHARED, SESSION = "/dev/shm", "/run/user"
"""But in these the user has files: memory that processes share by name, and what is there until the user logs out."""
PASSING = ("sem.", "torch_", "nccl-", "__KMP_")
"""Names in it that libraries give, by chance or number, to what only they use."""
NO_DEVICES = 0x6
"""And no setuid: as such memory is mounted."""

libc = ctypes.CDLL(None, use_errno=True)


def main(words: list[str]) -> None:
    folder, keep, put, command = _parse(words)
    here = os.getcwd()
    if hasattr(libc, "prctl"):
        libc.prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG: a trial that is held would outlive a narrows that was killed
    try:
        _overlay(folder, keep, put, here)
    except OSError as error:
        _complain(f"no overlay: {error}")
        if put:
            sys.exit(ONLY_READ)
        try:
            _refuse_writes([folder, *keep, *_devices()])
        except OSError as second:
            _complain(f"no Landlock: {second}")
            sys.exit(NO_SHIELD)
        os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)
        os.environ["TMPDIR"] = os.path.join(folder, "tmp")
    os.execvp(command[0], command)


def _parse(words: list[str]) -> tuple[str, list[str], list[tuple[str, str]], list[str]]:
    folder, *rest = words
    keep: list[str] = []
    put: list[tuple[str, str]] = []
    while rest[0] != "--":
        if rest[0] == "--keep":
            keep.append(rest[1])
            rest = rest[2:]
        else:
            put.append((rest[1], rest[2]))
            rest = rest[3:]
    return folder, keep, put, rest[1:]


def _overlay(folder: str, keep: list[str], put: list[tuple[str, str]], here: str) -> None:
    """Put this process behind overlays. Raises OSError if that is not allowed; then nothing has changed for others."""
    option = _own_mounts()
    _mount("none", "/", None, RECURSIVE | PRIVATE)
    root = os.path.join(folder, "root")
    os.makedirs(root)
    points = _mount_points()
    _mount("/", root, None, BIND | RECURSIVE)
    for point in points:
        _mount("none", root + point, None, BIND | REMOUNT | READ_ONLY | _flags(root + point))
    for number, path in enumerate([*_without_mounts("/", points), *_without_mounts(SESSION, points)]):
        try:
            _lay(path, root, os.path.join(folder, str(number)), option)
        except OSError as error:  # stays read-only
            _complain(f"{path} is read-only here: {error}")
    if os.path.isdir(SHARED):
        _own_memory(os.path.realpath(SHARED), root, os.path.join(folder, "memory"), option)
    for path in keep:
        _mount(path, root + path, None, BIND)
    for source, target in put:
        shutil.copyfile(source, root + target)
    os.chroot(root)
    os.chdir(here)


def _lay(path: str, root: str, place: str, option: str) -> None:
    """An overlay of the folder; what is written goes to `place`."""
    upper, work = os.path.join(place, "written"), os.path.join(place, "work")
    os.makedirs(upper)
    os.mkdir(work)
    shutil.copystat(path, upper)
    _mount("overlay", root + path, "overlay", 0, f"lowerdir={path},upperdir={upper},workdir={work}{option}")


def _own_memory(shared: str, root: str, place: str, option: str) -> None:
    """What processes share by name is in memory here, too, and there is as much room for it: with more, a job might pass
    that fails where it is run. Raises OSError."""
    os.mkdir(place)
    room = os.statvfs(shared)
    size = max(1, room.f_bavail) * room.f_frsize  # of 0 there would be no limit
    _mount("tmpfs", place, "tmpfs", NO_DEVICES, f"mode=1777,size={size}")
    try:
        _lay(shared, root, place, option)
    except OSError as error:
        _complain(f"{shared} is empty here: {error}")
        _mount("tmpfs", root + shared, "tmpfs", NO_DEVICES, f"mode=1777,size={size}")


def _without_mounts(path: str, points: list[str]) -> list[str]:
    """The largest folders that have no mount below them: an unprivileged overlay of any other is refused."""
    if path in AS_THEY_ARE or os.path.islink(path) or not os.path.isdir(path):
        return []
    inside = path.rstrip("/") + "/"
    if path != "/" and not any(p.startswith(inside) for p in points):
        return [path]
    try:
        return [found for name in sorted(os.listdir(path)) for found in _without_mounts(inside + name, points)]
    except OSError:
        return []


def _own_mounts() -> str:
    """A mount table of our own, as root or as the root of a user namespace; options that overlays then need."""
    if libc.unshare(NEW_MOUNTS) == 0:
        return ""
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(NEW_MOUNTS | NEW_USER), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return ",userxattr"


def _mount_points() -> list[str]:
    """Where the user's files are mounted, parents first."""
    found = {"/"}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            point = line.split()[4].encode().decode("unicode_escape")
            below = any(f"{point}/".startswith(kept + "/") for kept in AS_THEY_ARE)
            if (not below or f"{point}/".startswith(SESSION + "/")) and os.path.exists(point):
                found.add(point)
    return sorted(found)


def _flags(path: str) -> int:
    """Flags that the mount has and, in a user namespace, may not lose (nosuid, nodev, noexec ...)."""
    return os.statvfs(path).f_flag & 0xE


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    _check(libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


# Landlock: linux/landlock.h. The numbers of its calls are the same on every architecture.
CREATE, ADD, RESTRICT = 444, 445, 446
WRITE_FILE, WRITING = 0b10, 0b1_1111_1111_0010
"""WRITE_FILE, and with it REMOVE_DIR, REMOVE_FILE, MAKE_* (version 1)."""
REFER, TRUNCATE = 1 << 13, 1 << 14
"""Versions 2 and 3. Without TRUNCATE a file could be emptied: then this is no protection."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled_access_fs", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def _refuse_writes(but: list[str]) -> None:
    """From here on this process and its children can write to these files and below these folders only. Raises OSError."""
    if libc.syscall(CREATE, None, 0, 1) < 3:
        raise OSError("version 3 is needed")
    handled = WRITING | REFER | TRUNCATE
    rules = _Ruleset(handled)
    ruleset = libc.syscall(CREATE, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    _check(int(ruleset < 0), "landlock_create_ruleset")
    for path in but:
        try:
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # it is not there
        folder = os.path.isdir(path)
        rule = _Beneath(handled if folder else WRITE_FILE | TRUNCATE, parent)
        refused = libc.syscall(ADD, ruleset, 1, ctypes.byref(rule), 0)
        _check(refused if folder else 0, "landlock_add_rule")  # of a device that cannot be allowed, writes fail
        os.close(parent)
    _check(libc.prctl(38, 1, 0, 0, 0), "prctl")  # PR_SET_NO_NEW_PRIVS
    _check(libc.syscall(RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _devices() -> list[str]:
    """Where a job writes that harms no file of the user's: devices, and shared memory if nothing of the user's is there."""
    found = ["/proc", "/sys"]
    for entry in os.scandir("/dev"):
        if entry.path != SHARED and not entry.is_symlink():
            found.append(entry.path)
    try:
        mine = [each for each in os.listdir(SHARED) if not each.startswith(PASSING)]
    except OSError:
        return found
    return found if any(os.access(os.path.join(SHARED, each), os.W_OK) for each in mine) else [*found, SHARED]


def _complain(text: str) -> None:
    sys.stderr.write(f"narrows: {text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
