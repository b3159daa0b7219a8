from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

from narrows.machine.bench import links  # noqa: E402


def test_the_file_system_of_a_folder_is_that_of_the_innermost_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\nodd line\n")
    assert links.file_system(str(tmp_path / "x"), str(mounts)) == "tmpfs"
    assert links.file_system("/", str(mounts)) == "ext4"
    assert links.file_system("/", str(tmp_path / "none")) == "?"


def test_memory_is_not_taken_for_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "file_system", lambda folder: "tmpfs")
    assert links.disk_read() is None


def test_nothing_is_left_on_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(links, "DISK_BYTES", 1 << 20)
    monkeypatch.setattr(links, "PIECE", 1 << 18)
    monkeypatch.setattr(links.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(links, "file_system", lambda folder: "ext4")
    found = links.disk_read()
    assert found is None or found > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_copies_to_and_from_a_device() -> None:
    there, back = links.host_device_copies()
    assert set(there) == set(back) == {"pinned", "pageable"}
    assert all(rate > 0 for rate in (*there.values(), *back.values()))
