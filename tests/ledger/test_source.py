from pathlib import Path

import pytest

from narrows.ledger.source import BACKWARD, LOADER, MODEL, UPDATE, roles


def classify(tmp_path: Path, text: str, **sites: int) -> dict[str, str]:
    """Role by source line; `sites` name a line by a word in it."""
    path = tmp_path / "script.py"
    path.write_text(text)
    lines = text.splitlines()
    where = [(next(i for i, line in enumerate(lines, 1) if word in line), bits) for word, bits in sites.items()]
    found = roles(str(path), 1, where)
    return {lines[number - 1].strip(): role for number, role in found.items() if number <= len(lines)}


def test_a_plain_loop(tmp_path: Path) -> None:
    found = classify(
        tmp_path,
        """
for step in range(100):
    x, y = get_batch()
    x = augment(x)
    out = model(x)
    loss = criterion(out, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    history.append(loss.item())
    accuracy = (out.argmax(1) == y).float().mean()
    if step % 10 == 0:
        print(accuracy)
""",
        **{"model(x)": MODEL, "loss.backward": BACKWARD, "optimizer.step": UPDATE},
    )
    assert found["x, y = get_batch()"] == "input"
    assert found["x = augment(x)"] == "input"
    assert found["out = model(x)"] == "model"
    assert found["loss = criterion(out, y)"] == "framework"
    assert found["optimizer.zero_grad()"] == "framework"
    assert found["scheduler.step()"] == "framework"
    assert found["history.append(loss.item())"] == "host"
    assert found["accuracy = (out.argmax(1) == y).float().mean()"] == "host"
    assert found["print(accuracy)"] == "host"


def test_a_batch_that_is_built_up_is_input(tmp_path: Path) -> None:
    found = classify(
        tmp_path,
        """
while True:
    rows = []
    for i in range(32):
        rows.append(dataset[i])
    batch = torch.stack(rows)
    loss = model(batch)
    loss.backward()
""",
        **{"model(batch)": MODEL, "backward": BACKWARD},
    )
    assert found["rows.append(dataset[i])"] == "input"
    assert found["batch = torch.stack(rows)"] == "input"


def test_what_depends_on_the_models_answer_cannot_be_fetched_beforehand(tmp_path: Path) -> None:
    found = classify(
        tmp_path,
        """
for t in range(100):
    action = policy(state).argmax()
    state, reward = env.step(action)
""",
        **{"policy(state)": MODEL},
    )
    assert found["state, reward = env.step(action)"] == "feedback"


def test_a_loader_is_input_and_methods_of_self_are_followed(tmp_path: Path) -> None:
    found = classify(
        tmp_path,
        """
for batch in self.loader:
    self.batch = prepare(batch)
    out = self.model(self.batch)
    self.meter.log(out)
""",
        **{"in self.loader": LOADER, "self.model": MODEL},
    )
    assert found["self.batch = prepare(batch)"] == "input"
    assert found["self.meter.log(out)"] == "host"


@pytest.mark.parametrize("file", ["<string>", "/nowhere/at/all.py"])
def test_source_that_cannot_be_read_has_no_roles(file: str) -> None:
    assert roles(file, 1, [(1, MODEL)]) == {}


def test_a_simulator_between_the_policy_and_the_backward_is_feedback_and_the_loss_is_not(tmp_path: Path) -> None:
    found = classify(
        tmp_path,
        """
for episode in range(9):
    state, rewards, logs = env.reset(), [], []
    for t in range(30):
        dist = Categorical(logits=policy(state))
        action = dist.sample()
        logs.append(dist.log_prob(action))
        state, reward = env.step(action.item())
        rewards.append(reward)
    loss = -(torch.stack(logs) * torch.tensor(rewards)).sum()
    loss.backward()
""",
        **{"policy(state)": MODEL, "backward": BACKWARD},
    )
    assert found["state, reward = env.step(action.item())"] == "feedback"
    assert found["action = dist.sample()"] == "framework"
    assert found["logs.append(dist.log_prob(action))"] == "framework"
    assert found["loss = -(torch.stack(logs) * torch.tensor(rewards)).sum()"] == "framework"


def test_statements_on_one_line_are_what_the_loop_is_about(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("for i in range(9):\n    loss = net(x)\n    o.zero_grad(); loss.backward(); o.step(); print(i)\n")
    found = roles(str(path), 0, [(2, MODEL), (3, BACKWARD), (3, UPDATE)])
    assert found[3] == "framework"


def test_a_function_of_the_users_is_not_taken_for_the_frameworks(tmp_path: Path) -> None:
    found = classify(
        tmp_path,
        """
for x, y in batches:
    loss = criterion(model(x), y)
    loss.backward()
    clip_gradients(model, 1.0)
    clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()

def clip_gradients(model, most):
    pass
""",
        **{"model(x)": MODEL, "loss.backward": BACKWARD, "optimizer.step": UPDATE},
    )
    assert found["clip_gradients(model, 1.0)"] == "host"
    assert found["clip_grad_norm_(model.parameters(), 1.0)"] == "framework"
