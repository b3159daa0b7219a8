"""Long documents: what is taken out of them, attention by hand, windows, and an answer for a file."""

import re
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from narrows.workloads import bert_long  # noqa: E402

pytestmark = pytest.mark.torch


def test_what_names_the_answer_is_taken_out() -> None:
    text = "import numpy as np\n  from torch import nn\nnp.linalg.SolveLower(x_1)  # as NumPy does"
    assert bert_long.words_of(text) == [
        ".", "linalg", ".", "solve", "lower", "(", "x", "1", ")", "#", "as", "does",
    ]  # fmt: skip


def test_documents_are_long_enough_and_of_all_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bert_long, "FILES", 3)
    found = bert_long.documents(256)
    assert sorted(label for _, label in found) == [i // 3 for i in range(3 * len(bert_long.PROJECTS))]
    assert all(words and not {"numpy", "np", "torch", "sympy"} & set(words) for words, _ in found)
    assert [label for _, label in found] == [label for _, label in bert_long.documents(256)]


def test_attention_by_hand_gives_the_same_and_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    by_hand = bert_long.Encoder(length=64, by_hand=True).eval()
    fused = bert_long.Encoder(length=64).eval()
    fused.load_state_dict(by_hand.state_dict())
    index = {"a": 3, "b": 4}
    text = bert_long.encode(["a", "b", "b", "c"], index, 5)[None]
    padded = bert_long.encode(["a", "b", "b", "c"], index, 64)[None]
    assert text.tolist() == [[bert_long.CLS, 3, 4, 4, bert_long.UNKNOWN]]
    with torch.no_grad():
        expected = fused(text)
        for other in (by_hand(text), fused(padded), by_hand(padded)):
            assert torch.allclose(expected, other, atol=1e-5)


def test_windows_follow_each_other() -> None:
    words = [f"w{i}" for i in range(22)]
    index = {word: i + 3 for i, word in enumerate(words)}
    found = bert_long.windows(words, index, 9)
    assert found.shape == (3, 9)
    assert [i - 3 for row in found.tolist() for i in row if i > bert_long.CLS] == list(range(22))
    assert bert_long.windows(words[:4], index, 9).shape == (1, 9)


@pytest.mark.parametrize("text", ["def f(x):\n    return x\n", ""])
def test_it_answers_for_a_file_with_words(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file.py").write_text(text)
    state = bert_long.Encoder(length=32).state_dict()
    torch.save({"length": 32, "words": ["return"], "state": state}, tmp_path / "m.pt")
    words = ["bert-long", "--infer", str(tmp_path / "file.py"), "--model", str(tmp_path / "m.pt")]
    monkeypatch.setattr(sys, "argv", words)
    if text:
        bert_long.main()
        assert re.fullmatch(r"(\w+)  \(\d+\.\d% sure\)\n", capsys.readouterr().out)
    else:
        with pytest.raises(SystemExit, match="2"):
            bert_long.main()
        assert "has no words" in capsys.readouterr().err
