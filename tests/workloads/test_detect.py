"""The detector: its scenes, what a cell is to learn, suppression, and the precision against results known by hand."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
pytest.importorskip("mlxtend")
pytest.importorskip("PIL")
pytestmark = pytest.mark.torch

from narrows.workloads import detect  # noqa: E402

SQUARE = torch.tensor([[0.0, 0, 10, 10]])


@pytest.fixture(scope="module")
def scenes() -> detect.Scenes:
    return detect.Scenes("test", 20)


def test_a_scene_is_always_the_same_and_its_boxes_hold_ink_and_do_not_overlap(scenes: detect.Scenes) -> None:
    slow = detect.Scenes("test", 20, slow=True)
    for i in range(4):
        image, boxes, labels = scenes.scene(i)
        assert torch.equal(image, slow.scene(i)[0])
        assert len(boxes) == len(labels) > 0
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert boxes.min() >= 0
        assert boxes.max() <= detect.SIDE
        for n, box in enumerate(boxes):
            assert detect.overlap(boxes, box[None]).argmax() == n


def test_what_the_cells_are_to_learn_is_read_back_as_the_scene(scenes: detect.Scenes) -> None:
    class Perfect(torch.nn.Module):
        def forward(self, images):  # type: ignore[no-untyped-def]
            return found

    truths, answers = [scenes.scene(i)[1:] for i in range(20)], []
    for boxes, labels in truths:
        classes, shapes = detect.targets(boxes, labels)
        found = torch.cat([20 * classes - 10, shapes])[None]
        assert detect.loss_of(found, classes[None], shapes[None]).item() == pytest.approx(0, abs=1e-3)
        answers += detect.detect(Perfect(), None)
    assert detect.mean_average_precision(answers, truths) == pytest.approx(1)


def test_overlap_and_suppression() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 5, 10, 15], [0, 1, 10, 11], [20, 20, 30, 30]])
    assert detect.overlap(boxes, SQUARE).tolist() == pytest.approx([1, 50 / 150, 90 / 110, 0])
    assert detect.suppress(boxes, torch.tensor([0.5, 0.6, 0.9, 0.1])) == [2, 1, 3]


@pytest.mark.parametrize(
    ("answers", "precision"),
    [
        ([[(0.9, 3, SQUARE[0])], []], 0.5),
        ([[(0.9, 3, SQUARE[0]), (0.8, 3, SQUARE[0])], [(0.7, 3, SQUARE[0])]], (1 + 2 / 3) / 2),
        ([[], []], 0),
        ([[(0.9, 3, SQUARE[0] + 6)], [(0.8, 3, SQUARE[0])]], 0.25),
    ],
)
def test_the_precision_of_two_scenes_with_one_3_each(answers: list[list[tuple[object, ...]]], precision: float) -> None:
    truths = [(SQUARE, [3]), (SQUARE, [3])]
    assert detect.mean_average_precision(answers, truths) == pytest.approx(precision)


def test_it_looks_at_an_image_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(detect.make_model().state_dict(), tmp_path / "model.pt")
    asked = ["detect", "--model", str(tmp_path / "model.pt"), "--infer", str(tmp_path / "image.png")]
    monkeypatch.setattr(sys, "argv", asked)
    detect.Image.new("L", (61, 100)).save(tmp_path / "image.png")
    detect.main()
    assert capsys.readouterr().out == "no digit\n"
    detect.Image.new("L", (61, 7)).save(tmp_path / "image.png")
    with pytest.raises(SystemExit):
        detect.main()
    assert "61 x 7 pixels" in capsys.readouterr().err
