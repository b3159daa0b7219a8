"""The GAN: its distance against the formula for one number, its layers' sizes, and gradients that vanish in the slow one."""

import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
pytest.importorskip("mlxtend")
pytestmark = pytest.mark.torch

from narrows.workloads import gan  # noqa: E402


def test_the_distance_of_two_gaussians_is_the_one_of_the_formula() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(4000, 1), 3 + 2 * torch.randn(4000, 1)
    pairs = [torch.cat([x, torch.randn(4000, 1)], 1) for x in (a, b)]
    m, n = a.std().item(), b.std().item()
    by_hand = (b.mean() - a.mean()).item() ** 2 + (n - m) ** 2
    assert gan.frechet(*(pair.numpy() for pair in pairs)) == pytest.approx(by_hand, rel=0.02)
    assert gan.frechet(pairs[0].numpy(), pairs[0].numpy()) == pytest.approx(0, abs=1e-6)
    assert gan.frechet(np.zeros((10, 3)), np.zeros((10, 3))) == 0, "where all are alike, too"


def test_gradients_vanish_on_the_way_through_sigmoids() -> None:
    torch.manual_seed(0)
    x, ratios = torch.randn(8, 1, 28, 28), []
    for slow in (False, True):
        generator, judge = gan.make_generator(slow=slow), gan.make_discriminator(slow=slow)
        for each in (generator, judge):
            each.apply(gan.initialise)
        assert generator(torch.randn(8, gan.NOISE)).shape == x.shape
        judge(x).sum().backward()
        ratios.append(gan.gradient_ratio(judge))
    assert ratios[0] > 100 * ratios[1]


def test_it_draws_the_same_for_the_same_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    generator = gan.make_generator()
    with torch.no_grad():  # untrained, each image is one shade of grey
        for weights in generator.parameters():
            weights.mul_(8)
    torch.save({"slow": False, "state": generator.state_dict()}, tmp_path / "model.pt")
    drawn = []
    for seed in ("7", "7", "8"):
        monkeypatch.setattr(sys, "argv", ["gan", "--model", str(tmp_path / "model.pt"), "--infer", seed])
        gan.main()
        drawn.append(capsys.readouterr().out)
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0].splitlines()) == 28
