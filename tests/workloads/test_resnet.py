"""The residual network on solar cells: which are left out, what images become, and what a fresh block computes."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
pytest.importorskip("elpv_dataset")
pytestmark = pytest.mark.torch

from narrows.workloads import resnet  # noqa: E402


def test_doubtful_cells_are_left_out_and_exposures_made_alike() -> None:
    files, defective = resnet.cells()
    assert (len(files), int(defective.sum())) == (2223, 715), "of 2,624; the rest has a chance of 1/3 or 2/3"
    image = resnet.decoded(files[0])
    assert image.shape == (1, 75, 75)
    assert torch.allclose(resnet.normalised(image), resnet.normalised(image.float() * 0.5 + 3), atol=1e-5)


def test_decoding_each_time_gives_the_same_images() -> None:
    files, defective = (each[:3] for each in resnet.cells())
    once, again = (resnet.Cells(files, defective, augment=False, slow=slow) for slow in (False, True))
    assert all(torch.equal(once[i][0], again[i][0]) for i in range(3))


def test_a_fresh_block_is_its_shortcut() -> None:
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(resnet.Block(4, 4)(x), x.relu())
    block = resnet.Block(4, 8, stride=2)
    assert torch.allclose(block(x), block.shortcut(x).relu())


def test_it_judges_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(resnet.make_model().state_dict(), tmp_path / "model.pt")
    resnet.Image.new("L", (5, 5)).save(tmp_path / "small.png")
    asked = ["resnet", "--model", str(tmp_path / "model.pt"), "--infer"]
    monkeypatch.setattr(sys, "argv", [*asked, str(resnet.cells()[0][0])])
    resnet.main()
    assert capsys.readouterr().out.startswith(("sound  (defective with ", "defective  (defective with "))
    monkeypatch.setattr(sys, "argv", [*asked, str(tmp_path / "small.png")])
    with pytest.raises(SystemExit):
        resnet.main()
    assert "5 x 5 pixels" in capsys.readouterr().err
