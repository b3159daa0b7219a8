"""Image and text: what is drawn and read, the contrastive loss by the formula, recall by hand, and a search."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")
if find_spec("qtawesome") is None:
    pytest.skip("needs qtawesome", allow_module_level=True)

import numpy as np  # noqa: E402

from narrows.workloads import multimodal  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def font() -> multimodal.Font:
    return multimodal.Font()


def test_icons_are_drawn_from_the_font(font: multimodal.Font) -> None:
    assert len(font.names) > 5000
    full, outline = font.draw("folder"), font.draw("folder-outline")
    assert full.shape == (1, multimodal.SIZE, multimodal.SIZE)
    assert 0 <= full.min()
    assert full.max() == 1.0
    assert full.mean() > outline.mean() > 0.05


def test_names_and_questions_are_read_alike() -> None:
    assert multimodal.words_of("clock-time-10") == ["clock", "time", "1", "0"]
    assert multimodal.words_of("Clock, time: 10!") == ["clock", "time", "1", "0"]
    vocabulary = multimodal.Vocabulary(["clock", "time"])
    assert vocabulary.encode("time of the clock").tolist() == [3, 1, 1, 2, 0, 0, 0, 0]


def test_the_loss_is_that_of_the_formula() -> None:
    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    x = logits.double().numpy()
    by_text = np.mean([np.log(np.exp(x[i]).sum()) - x[i, i] for i in range(5)])
    by_image = np.mean([np.log(np.exp(x[:, i]).sum()) - x[i, i] for i in range(5)])
    assert multimodal.contrastive(logits).item() == pytest.approx((by_text + by_image) / 2, rel=1e-5)


def test_recall_counts_those_among_the_first(font: multimodal.Font, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers(torch.nn.Module):
        def forward(self, images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[3.0, 2.0, 1.0], [0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])

    icons = multimodal.Icons(font, font.names[:3], multimodal.Vocabulary([]), augment=False)
    for first, expected in ((1, 2 / 3), (2, 2 / 3), (3, 1.0)):
        monkeypatch.setattr(multimodal, "FIRST", first)
        assert multimodal.recall(Answers(), icons) == pytest.approx(expected)


def test_augmentation_moves_and_leaves_out_but_the_slow_one_draws_the_same(font: multimodal.Font) -> None:
    names, vocabulary = ["folder-lock"], multimodal.Vocabulary(["folder", "lock"])
    plain = multimodal.Icons(font, names, vocabulary, augment=False)
    slow = multimodal.Icons(font, names, vocabulary, augment=False, slow=True)
    assert all(torch.equal(a, b) for a, b in zip(plain[0], slow[0], strict=True))
    torch.manual_seed(0)
    augmented = multimodal.Icons(font, names, vocabulary, augment=True)
    seen = [augmented[0] for _ in range(60)]
    assert all(torch.isclose(image.sum(), plain[0][0].sum()) for image, _ in seen)
    assert {int((text > 0).sum()) for _, text in seen} >= {1, 2}
    assert len({image.numpy().tobytes() for image, _ in seen}) > 10


def test_a_search_names_five_icons(
    font: multimodal.Font, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"words": ["lock"], "state": multimodal.TwoTowers(1).state_dict()}, tmp_path / "m.pt")
    monkeypatch.setattr(multimodal, "Font", lambda: font)
    monkeypatch.setattr(font, "names", font.names[:50])
    words = ["multimodal", "--infer", "a lock", "--model", str(tmp_path / "m.pt")]
    monkeypatch.setattr(sys, "argv", words)
    multimodal.main()
    told = capsys.readouterr().out.strip().split("; ")
    assert len(told) == 5
    assert all(re.fullmatch(r"[\w-]+ -?\d\.\d\d", each) for each in told)
