"""The AlexNet on MNIST: what its images become, where its crops lie, and that the vote of five crops is a probability."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
pytest.importorskip("mlxtend")
pytestmark = pytest.mark.torch

from narrows.workloads import alexnet  # noqa: E402


def test_images_get_a_margin_and_the_middle_crop_is_the_image() -> None:
    pixels = torch.randint(0, 256, (2, 784), generator=torch.Generator().manual_seed(0))
    images = alexnet.normalised(pixels)
    assert images.shape == (2, 1, 32, 32)
    assert torch.allclose(alexnet.crop(images, 2, 2).flatten(1) * 0.3081 + 0.1307, pixels / 255, atol=1e-6)
    assert torch.allclose(images[:, :, :2] * 0.3081 + 0.1307, torch.zeros(()), atol=1e-6)


def test_the_vote_is_the_mean_of_five_crops() -> None:
    torch.manual_seed(0)
    model, images = alexnet.make_model(), torch.randn(3, 1, 32, 32)
    seen = alexnet.chances(model, images)
    assert model.training
    assert torch.allclose(seen.sum(1), torch.ones(3))
    model.eval()
    by_hand = [
        model(images[..., y : y + 28, x : x + 28]).softmax(1) for y, x in [(2, 2), (0, 0), (0, 4), (4, 0), (4, 4)]
    ]
    assert torch.allclose(seen, sum(by_hand) / 5, atol=1e-6)


def test_it_reads_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(alexnet.make_model().state_dict(), tmp_path / "model.pt")
    np.savetxt(tmp_path / "image.txt", np.zeros((28, 28)), fmt="%d")
    (tmp_path / "small.txt").write_text("1 2 3\n")
    asked = ["alexnet", "--model", str(tmp_path / "model.pt"), "--infer"]
    monkeypatch.setattr(sys, "argv", [*asked, str(tmp_path / "image.txt")])
    alexnet.main()
    assert capsys.readouterr().out.endswith("% sure)\n")
    monkeypatch.setattr(sys, "argv", [*asked, str(tmp_path / "small.txt")])
    with pytest.raises(SystemExit):
        alexnet.main()
    assert "1 x 3 numbers" in capsys.readouterr().err
