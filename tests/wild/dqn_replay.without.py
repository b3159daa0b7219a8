"""DQN on a small synthetic control problem, with a replay buffer."""
import argparse
import copy
import random
import time

import numpy as np
import torch
from torch import nn

STATE, ACTIONS = 24, 6


class Env:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.A = self.rng.normal(0, 0.25, (STATE, STATE)).astype(np.float32)
        self.B = self.rng.normal(0, 0.5, (ACTIONS, STATE)).astype(np.float32)
        self.reset()

    def reset(self):
        self.s = self.rng.normal(0, 1, STATE).astype(np.float32)
        self.t = 0
        return self.s

    def step(self, action):
        self.s = np.tanh(self.A @ self.s + self.B[action])
        self.t += 1
        return self.s, float(-abs(self.s[0])), self.t >= 200


class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity = capacity
        self.states, self.nexts = torch.zeros(capacity, STATE), torch.zeros(capacity, STATE)
        self.actions = torch.zeros(capacity, dtype=torch.long)
        self.rewards, self.dones = torch.zeros(capacity), torch.zeros(capacity)
        self.at = self.size = 0

    def push(self, state, action, reward, after, done):
        self.states[self.at] = torch.from_numpy(state)
        self.actions[self.at] = action
        self.rewards[self.at] = reward
        self.nexts[self.at] = torch.from_numpy(after)
        self.dones[self.at] = float(done)
        self.at = (self.at + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def sample(self, n):
        i = torch.randint(0, self.size, (n,))
        return self.states[i], self.actions[i], self.rewards[i], self.nexts[i], self.dones[i]

    def __len__(self):
        return self.size


def make_q():
    return nn.Sequential(nn.Linear(STATE, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, ACTIONS))


class Agent:
    def __init__(self, batch=512, gamma=0.99):
        self.q, self.batch, self.gamma = make_q(), batch, gamma
        self.target = copy.deepcopy(self.q)
        self.opt = torch.optim.Adam(self.q.parameters(), lr=1e-3)
        self.buffer = ReplayBuffer(20_000)

    @torch.no_grad()
    def act(self, state, epsilon):
        if random.random() < epsilon:
            return random.randrange(ACTIONS)
        return int(self.q(torch.from_numpy(state)).argmax())

    def learn(self):
        s, a, r, s2, done = self.buffer.sample(self.batch)
        with torch.no_grad():
            goal = r + self.gamma * (1 - done) * self.target(s2).max(1).values
        value = self.q(s).gather(1, a[:, None]).squeeze(1)
        loss = nn.functional.smooth_l1_loss(value, goal)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=7000)
    args = ap.parse_args()
    random.seed(0)
    torch.manual_seed(0)
    env, agent = Env(0), Agent()
    state = env.reset()

    def interact(epsilon):
        nonlocal state
        action = agent.act(state, epsilon)
        after, reward, done = env.step(action)
        agent.buffer.push(state, action, reward, after, done)
        state = env.reset() if done else after

    for _ in range(2000):
        interact(1.0)

    warm = int(args.steps * 0.3)
    start = time.perf_counter()
    for step in range(args.steps):
        if step == warm:
            start = time.perf_counter()
        interact(max(0.05, 1 - step / 2000))
        agent.learn()
        if step % 500 == 0:
            agent.target.load_state_dict(agent.q.state_dict())
    print(f"STEPTIME {(time.perf_counter() - start) / (args.steps - warm):.6f}")


if __name__ == "__main__":
    main()
