"""What is known of the workloads without running them."""

from pathlib import Path

import pytest

from narrows.gallery import catalogue
from narrows.job.failure import Failure

SCRIPT = '''"""Nothing."""
import no_such_module_of_anybody
WORKLOAD = {"field": "f", "model": "m", "data": "d", "size": "s", "licence": "l", "bottleneck": "b", "score": "accuracy",
            "better": "higher", "needs": ["no_such_module_of_anybody"]}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    (tmp_path / "my_job.py").write_text(SCRIPT)
    (tmp_path / "__init__.py").write_text("")
    return tmp_path


def test_a_workload_is_read_without_being_run(folder: Path) -> None:
    assert catalogue.names() == ["my-job"]
    found = catalogue.find("my-job")
    assert (found.field, found.score, found.script) == ("f", "accuracy", folder / "my_job.py")


@pytest.mark.parametrize("name", ["", "nothing", "_", "__init__", "../my_job"])
def test_what_is_not_there_is_said_with_what_is(folder: Path, name: str) -> None:
    with pytest.raises(Failure, match="there are: @my-job") as caught:
        catalogue.find(name)
    assert caught.value.code == 127


def test_what_is_not_installed_is_said_with_how_to_install_it(folder: Path) -> None:
    with pytest.raises(Failure, match=r"no_such_module_of_anybody.*pip install 'narrows\[workloads,keras\]'") as caught:
        catalogue.installed("my-job")
    assert caught.value.code == 2
