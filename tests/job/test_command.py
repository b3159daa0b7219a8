import sys
from pathlib import Path

import pytest

from narrows.job.command import mask, resolve
from narrows.job.failure import Failure


def test_a_script_and_a_module_mean_this_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("")
    assert resolve([str(script), "--lr", "1"]).words == (sys.executable, str(script), "--lr", "1")
    assert resolve(["-m", "pkg.mod", "--", "x"]).words == (sys.executable, "-m", "pkg.mod", "--", "x")


def test_a_command_is_run_as_it_is() -> None:
    assert resolve(["--", "sh", "-c", "exit 3"]).words == ("sh", "-c", "exit 3")
    assert resolve([sys.executable, "x.py"]).python == sys.executable


def test_a_workload_is_a_script_of_ours() -> None:
    pytest.importorskip("torch")
    words = resolve(["@char-lm", "--slow"]).words
    assert words[1].endswith("workloads/char_lm.py")
    assert words[2] == "--slow"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["no-such-command"], 127, "no command no-such-command"),
        (["no_such.py"], 127, "no file no_such.py"),
        (["@nothing"], 127, "@char-lm"),
        (["/etc/passwd"], 126, "cannot be executed"),
        ([], 2, "no job"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_a_code(words: list[str], code: int, says: str) -> None:
    with pytest.raises(Failure, match=says) as caught:
        resolve(words)
    assert caught.value.code == code
    assert "\n" not in caught.value.message


def test_secrets_are_masked() -> None:
    hidden = mask(
        ["python", "train.py", "--api-key", "abc", "--token=xyz", "hf_abcdefghijklmnop", "s3://u:pw@host/x", "--lr", "1",
         "--tokenizer-path=a"]
    )  # fmt: skip
    assert hidden[:2] == ["python", "train.py"]
    assert "abc" not in hidden
    assert "xyz" not in " ".join(hidden)
    assert "hf_" not in " ".join(hidden)
    assert ":pw@" not in " ".join(hidden)
    assert hidden[7:9] == ["--lr", "1"]
