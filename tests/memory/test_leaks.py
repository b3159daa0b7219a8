"""Memory that grows from step to step: first jobs that keep much and do not leak, then each kind of leak and its line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from narrows.job.environment import environment
from narrows.memory.leaks import Leak, leaks
from narrows.spool.read import read

pytest.importorskip("torch")

SETUP = """
import copy
from collections import deque
import torch
from torch import nn

torch.set_num_threads(1)
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
measure = nn.MSELoss()


def batch():
    return torch.randn(32, 16), torch.randn(32, 4)


def update(loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


Result = tuple[list[Leak], str, Path]


@pytest.fixture(scope="module")
def jobs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Result]]]:
    """Those that are asked for, two at a time: most of each is importing torch."""
    names = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if item.path == request.path and isinstance(item, pytest.Function)
    ]
    with ThreadPoolExecutor(2) as pool:
        bodies = {**CLEAN, **{name: leak[0] for name, leak in LEAKS.items()}}
        yield {name: pool.submit(found, tmp_path_factory.mktemp("job"), bodies[name]) for name in names}


def found(folder: Path, body: str) -> Result:
    """Leaks of the script, its text, and where it lies."""
    path, spool = folder / "job.py", folder / "spool"
    text = SETUP + dedent(body)
    path.write_text(text)
    spool.mkdir()
    told = environment(spool, plan="none", memory="real", memory_steps=8, seed=0)
    done = subprocess.run(
        [sys.executable, str(path)], cwd=folder, env={**os.environ, **told}, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    process = read(spool)[0]
    assert "fault" not in process.events
    assert process.last("growth")
    return leaks(process, lambda file: Path(file).read_text()), text, path


def line(text: str, mark: str, path: Path) -> str:
    """`file:line` of the line with `# mark`."""
    return f"{path}:{next(n for n, each in enumerate(text.splitlines(), 1) if each.endswith('# ' + mark))}"


ATTEND = """
        class Attend(nn.Module):
            def __init__(self):
                super().__init__()
                self.up = nn.Linear(16, 16)

            def forward(self, x, cache):
                cache.append(self.up(x))
                keys = torch.cat(cache, dim=1)
                return (x @ keys.transpose(1, 2)).softmax(-1) @ keys  # made

        attend = Attend()
"""
CLEAN = {
    "loader": """
        from torch.utils.data import DataLoader, TensorDataset

        loader = DataLoader(TensorDataset(torch.randn(320, 16), torch.randn(320, 4)), batch_size=32, shuffle=True)
        running, losses = 0.0, []
        for x, y in loader:
            output = model(x)
            loss = measure(output, y)
            update(loss)
            running += loss.item()
            losses.append(float(loss))
            last = (x, output, loss)
        """,
    "average of the weights": """
        average = copy.deepcopy(model)
        best, least = None, 1e9
        for step in range(12):
            x, y = batch()
            loss = measure(model(x), y)
            update(loss)
            with torch.no_grad():
                for a, p in zip(average.parameters(), model.parameters()):
                    a.copy_(a * 0.9 + p * 0.1)
            if loss.item() < least or step % 2:
                least, best = loss.item(), copy.deepcopy(model.state_dict())
        """,
    "buffer that is full": """
        buffer, recent = deque(maxlen=4), deque(maxlen=3)
        for step in range(12):
            x, y = batch()
            buffer.append(x)
            loss = measure(model(torch.cat(list(buffer))), y.repeat(len(buffer), 1))
            recent.append(loss)
            update(loss)
        """,
    "buffer that fills up": """
        replay = deque(maxlen=1000)
        for step in range(12):
            x, y = batch()
            output = model(x)
            replay.append((x, output.detach()))
            update(measure(output, y))
        """,
    "two optimizers": """
        critic = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
        second = torch.optim.Adam(critic.parameters())
        for step in range(12):
            x, y = batch()
            made = model(x)
            second.zero_grad()
            critic_loss = critic(made.detach()).mean() - critic(y).mean()
            critic_loss.backward()
            second.step()
            loss = -critic(made).mean()
            update(loss)
        """,
    "closure": """
        optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
        x, y = batch()

        def closure():
            optimizer.zero_grad()
            loss = measure(model(x), y)
            loss.backward()
            return loss

        for step in range(12):
            loss = optimizer.step(closure)
        """,
    "accumulated gradients": """
        for step in range(12):
            optimizer.zero_grad()
            total, outputs = 0, []
            for part in range(4):
                x, y = batch()
                outputs.append(model(x))
                loss = measure(outputs[-1], y) / 4
                total = total + loss
                loss.backward()
            optimizer.step()
        """,
    "hidden state, detached": """
        cell = nn.LSTM(16, 8)
        optimizer = torch.optim.Adam([*cell.parameters()])
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3)
        hidden = None
        for step in range(12):
            output, hidden = cell(torch.randn(5, 4, 16), hidden)
            hidden = tuple(h.detach() for h in hidden)
            update(output.square().mean())
            schedule.step()
        """,
    "sequences of many lengths": """
        cell = nn.GRUCell(16, 8)
        optimizer = torch.optim.Adam(cell.parameters())
        for step in range(12):
            hidden, states = torch.zeros(4, 8), []
            for _ in (3, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15)[step:step + 1] * 1:
                for _ in range(_):
                    hidden = cell(torch.randn(4, 16), hidden)
                    states.append(hidden)
            update(torch.stack(states).square().mean())
        """,
    "cleared now and then": """
        class Trainer:
            def __init__(self):
                self.outputs = []

            def run(self):
                for step in range(12):
                    x, y = batch()
                    output = model(x)
                    self.outputs.append(output)
                    if step % 3 == 2:
                        self.outputs.clear()
                    update(measure(output, y))
                    model.kept = self  # a cycle

        Trainer().run()
        """,
    "data in memory": """
        import numpy

        data = [torch.from_numpy(numpy.random.rand(32, 16).astype("float32")) for _ in range(40)]
        for x in data[:12]:
            y = torch.randn(32, 4)
            update(measure(model(x), y))
        """,
    "checkpointed": """
        from torch.utils.checkpoint import checkpoint

        for step in range(12):
            x, y = batch()
            loss = measure(checkpoint(model, x, use_reentrant=False), y)
            update(loss)
            x.loop = [x]  # a cycle: gone when it is collected
        """,
    "cache of a generation, in pieces": ATTEND
    + """
        def generate():
            cache, x = [], torch.randn(4, 3, 16)
            for step in range(24):
                x = attend(x, cache)[:, -1:]

        with torch.no_grad():
            generate()
        """,
    "generations of which each is longer": ATTEND
    + """
        def generate(count):
            cache, words, x = [], [], torch.randn(4, 3, 16)
            for step in range(count):
                x = attend(x, cache)[:, -1:]
                words.append(x.argmax(-1))

        with torch.no_grad():
            for count in (6, 12, 30):
                generate(count)
        """,
    "evaluation that is over": """
        def evaluate():
            with torch.no_grad():
                seen = [model(batch()[0]) for _ in range(10)]
            return torch.cat(seen)

        predictions = evaluate()
        for step in range(12):
            x, y = batch()
            update(measure(model(x), y))
        """,
}


@pytest.mark.parametrize("name", CLEAN)
def test_no_leak(name: str, jobs: dict[str, Future[Result]]) -> None:
    assert jobs[name].result()[0] == []


LEAKS = {
    "losses": (
        """
        losses = []
        for step in range(12):
            x, y = batch()
            loss = measure(model(x), y)  # made
            update(loss)
            losses.append(loss)  # held
        """,
        "losses", "list", 4 * 32 * 4, True,
    ),
    "losses of a function, with their graphs": (
        """
        def train():
            losses = []
            for step in range(12):
                x, y = batch()
                output = model(x)
                loss = measure(output, y)
                losses.append(loss)  # held
                optimizer.zero_grad()
                loss.backward(retain_graph=True)
                optimizer.step()

        train()
        """,
        "losses", "list", 4 * 32 * (16 + 4 + 64 + 4 + 4), True,
    ),
    "evaluation that sums": (
        """
        def evaluate():
            model.eval()
            total = 0.0
            for step in range(20):
                x, y = batch()
                total += measure(model(x), y)  # held
            return total.item() / 20

        evaluate()
        """,
        "total", "tensor", 4 * 32 * (16 + 64 + 4 + 4), True,
    ),
    "sum of losses": (
        """
        total = torch.zeros(())
        for step in range(12):
            x, y = batch()
            loss = measure(model(x), y)
            update(loss)
            total = total + loss  # held
        """,
        "total", "tensor", 0, True,
    ),
    "outputs of an object": (
        """
        class Trainer:
            def __init__(self):
                self.outputs = []

            def step(self):
                x, y = batch()
                output = model(x)  # made
                self.outputs.append(output.detach())  # held
                update(measure(output, y))

        trainer = Trainer()
        for step in range(12):
            trainer.step()
        """,
        "Trainer.outputs", "list", 4 * 32 * 4, False,
    ),
    "cache by step": (
        """
        cache = {"x": {}}
        for step in range(12):
            x, y = batch()
            cache["x"][step] = x  # held
            update(measure(model(x), y))
        """,
        "cache['x']", "dict", 4 * 32 * 16, False,
    ),
    "activations of a hook": (
        """
        def watch(layer):
            seen = []

            def hook(module, args, output):
                seen.append({"output": output.detach().clone()})  # held

            layer.register_forward_hook(hook)

        watch(model[0])
        for step in range(12):
            x, y = batch()
            update(measure(model(x), y))
        """,
        "seen", "list", 4 * 32 * 64, False,
    ),
    "outputs of generations": (
        ATTEND + """
        outputs = []

        def generate(count):
            cache, x = [], torch.randn(4, 1, 16)
            for step in range(count):
                output = attend(x, cache)
                outputs.append(output)  # held
                x = output[:, -1:]

        with torch.no_grad():
            for count in (6, 12, 6):
                generate(count)
        """,
        "outputs", "list", 4 * 16 * 4, False,
    ),
    "hidden state": (
        """
        cell = nn.LSTM(16, 8)
        hidden = (torch.zeros(1, 4, 8), torch.zeros(1, 4, 8))
        for step in range(12):
            output, hidden = cell(torch.randn(5, 4, 16), hidden)  # held
            output.square().mean().backward(retain_graph=True)
            optimizer.step()
        """,
        "hidden", "tuple", None, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_leak(name: str, jobs: dict[str, Future[Result]]) -> None:
    body, held_by, kind, size, graph = LEAKS[name]
    every, text, path = jobs[name].result()
    assert len(every) == 1, every
    leak = every[0]
    assert (leak.held_by, leak.kind, leak.graph) == (held_by, kind, graph)
    assert leak.held_at == line(text, "held", path)
    assert size is None or leak.bytes_per_step == pytest.approx(size, rel=0.01)
    if "# made" in body:
        assert leak.made_at == line(text, "made", path)
    assert (leak.nodes_per_step > 0) == graph
