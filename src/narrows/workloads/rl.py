"""A policy that learns to balance a pole on a cart: policy gradient, with a learned value as its baseline."""

import argparse
import os
import sys
from pathlib import Path

import gymnasium
import numpy as np
import torch
from torch import nn

WORKLOAD = {
    "field": "reinforcement learning",
    "model": "policy and value networks, 4-64-64-2 and 4-64-64-1",
    "data": "the simulator CartPole-v1 (Gymnasium; Barto, Sutton and Anderson)",
    "size": "up to 300,000 simulated moments",
    "licence": "MIT (the simulator)",
    "bottleneck": "host: the simulator",
    "score": "mean return",
    "better": "higher",
    "needs": ["gymnasium"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
CARTS, MOMENTS = 32, 32
"""How many simulators run side by side, and for how many moments before each update."""
DISCOUNT, TRACE = 0.99, 0.95
"""Gamma and lambda of generalised advantage estimation (Schulman et al., 2015)."""
SCALE = torch.tensor([2.4, 2.0, 0.21, 2.0])
"""What is far for the position, the speed, the angle and its speed: where an episode ends, or nearly so."""
GOOD, LOOK = 490.0, 20
"""The mean return at which training ends (500 is the most there is), and the updates between two looks at it."""


def tower(outputs: int, *, gain: float, width: int = 64) -> nn.Sequential:
    """`gain`: of the last layer's orthogonal initialisation; a small one makes a policy that begins by tossing a coin."""
    layers = [nn.Linear(4, width), nn.Linear(width, width), nn.Linear(width, outputs)]
    for layer, each in zip(layers, (2**0.5, 2**0.5, gain), strict=True):
        nn.init.orthogonal_(layer.weight, each)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])


class Agent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.policy, self.value = tower(2, gain=0.01), tower(1, gain=1.0)

    def chances(self, observations):
        """(..., 4) -> those of left and right"""
        logits = self.policy(torch.as_tensor(observations) / SCALE)
        return torch.distributions.Categorical(logits=logits, validate_args=False)

    def worth(self, observations):
        """(..., 4) -> the return that is expected from there on (...)"""
        return self.value(torch.as_tensor(observations) / SCALE).squeeze(-1)


def advantages(rewards, values, terminated, ended):
    """What each action gained above what was expected: (moments, carts), as the rest; `values` has one moment more.

    A_t = d_t + gamma lambda A_(t+1), with d_t = r_t + gamma V_(t+1) - V_t; nothing is expected of a pole that fell, and an
    episode that was cut off for its length only stops the sum.
    """
    gained = np.zeros_like(rewards)
    following = np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        surprise = rewards[t] + DISCOUNT * values[t + 1] * ~terminated[t] - values[t]
        following = surprise + DISCOUNT * TRACE * ~ended[t] * following
        gained[t] = following
    return gained


class Rollout:
    """Plays on from where it stopped the last time."""

    def __init__(self, carts: int, moments: int) -> None:
        self.world = gymnasium.make_vec("CartPole-v1", num_envs=carts, vectorization_mode="sync")
        self.moments = moments
        self.observations, _ = self.world.reset(seed=0)
        self.fresh = np.zeros(carts, dtype=bool)
        """Whose episode ended a moment ago: its simulator uses the next call to begin anew, whatever the action."""

    @torch.no_grad()
    def play(self, agent: Agent):
        """Tensors, (moments x carts, ...): observations, actions, advantages, returns."""
        seen = []
        for _ in range(self.moments):
            action = agent.chances(self.observations).sample().numpy()
            after, reward, terminated, truncated, _ = self.world.step(action)
            ended = terminated | truncated
            seen.append((self.observations, action, reward, terminated, ended, ~self.fresh))
            self.observations, self.fresh = after, ended
        observations, actions, rewards, terminated, ended, real = map(np.stack, zip(*seen, strict=True))
        values = agent.worth(np.concatenate([observations, self.observations[None]])).numpy()
        gained = advantages(rewards.astype(np.float32), values, terminated, ended)
        return tuple(torch.from_numpy(each[real]) for each in (observations, actions, gained, gained + values[:-1]))


def mean_return(act, *, seed: int, episodes: int = 32) -> float:
    """Of whole episodes that begin elsewhere. `act`: observations (episodes, 4) -> actions (episodes,)"""
    world = gymnasium.make_vec("CartPole-v1", num_envs=episodes, vectorization_mode="vector_entry_point")
    observations, _ = world.reset(seed=seed)
    total, going = np.zeros(episodes), np.ones(episodes, dtype=bool)
    while going.any():
        observations, reward, terminated, truncated, _ = world.step(act(observations))
        total += reward * going
        going &= ~(terminated | truncated)
    world.close()
    return float(total.mean())


def greedy(agent: Agent):
    """What `mean_return` takes: always the likelier of the two actions."""

    @torch.no_grad()
    def act(observations):
        return agent.chances(observations).logits.argmax(-1).numpy()

    return act


def train(options: argparse.Namespace) -> None:
    steps = options.steps or (20 if options.slow else 300)
    torch.manual_seed(0)
    rollout = Rollout(1, CARTS * MOMENTS) if options.slow else Rollout(CARTS, MOMENTS)
    agent = Agent()
    optimizer = torch.optim.Adam(agent.parameters(), lr=options.lr)
    best = -1.0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for step in range(steps):
        observations, actions, gained, returns = rollout.play(agent)
        chances, values = agent.chances(observations), agent.worth(observations)
        gained = (gained - gained.mean()) / (gained.std() + 1e-8)
        policy_loss = -(chances.log_prob(actions) * gained).mean()
        value_loss = nn.functional.mse_loss(values, returns)
        loss = policy_loss + 0.5 * value_loss - 0.01 * chances.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
        optimizer.step()
        if (step + 1) % LOOK == 0 or step + 1 == steps:
            seen = mean_return(greedy(agent), seed=1)
            print(f"step {step + 1}/{steps}  value loss {value_loss.item():.1f}  mean return {seen:.0f}")
            if seen > best:
                best = seen
                torch.save(agent.state_dict(), options.model)
            if seen >= GOOD:
                break

    score = mean_return(greedy(load(options.model)), seed=2, episodes=100)
    coin = np.random.default_rng(0)
    random = mean_return(lambda observations: coin.integers(2, size=len(observations)), seed=2, episodes=100)
    print(f"mean return {score:.1f}  (baseline {random:.1f}: pushing left or right at random)")


def load(path: Path) -> Agent:
    agent = Agent()
    agent.load_state_dict(torch.load(path))
    return agent.eval()


def read(text: str) -> torch.Tensor:
    """Raises `ValueError`."""
    numbers = [float(word) for word in text.replace(",", " ").split()]
    if len(numbers) != 4:
        raise ValueError(f"there are {len(numbers)}")
    return torch.tensor(numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None, help="at most")
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument(
        "--slow", action="store_true", help="with a classic mistake: one simulator instead of a vector of them"
    )
    parser.add_argument(
        "--infer",
        metavar="NUMBERS",
        help="what to do at this position, speed, angle (radians) and speed of it: '0 0 0.1 0'",
    )
    parser.add_argument("--model", type=Path, default=CACHE / "rl.pt", help="where the trained networks are kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        observation = read(options.infer)
    except ValueError as error:
        parser.error(f"--infer takes four numbers: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    with torch.inference_mode():
        chances = load(options.model).chances(observation).probs
    print(f"push {('left', 'right')[chances.argmax().item()]}  ({chances.max().item():.1%} sure)")


if __name__ == "__main__":
    main()
