"""Numbers kept in 8 bits: blocks of 256, each with a float32 scale and the codes of a table that is finer near zero.

The table is the dynamic tree of Dettmers et al. (2022, arXiv:2110.02861, section 2.1): of the bits after the sign (if there
is one), leading zeros count powers of ten below one, and what is left divides that decade evenly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

BLOCK = 256


def table(torch: Any, *, signed: bool) -> Any:
    """(256,) float32, ascending, from nearly -1 (or 0) to 1."""
    found = [0.0, 1.0]
    for zeros in range(7):
        steps = 2 ** (6 - zeros) if signed else 2 ** (7 - zeros)
        edges = [0.1 + 0.9 * i / steps for i in range(steps + 1)]
        found.extend(10.0**-zeros * (low + high) / 2 for low, high in pairwise(edges))
    if signed:
        found.extend([-value for value in found if 0 < value < 1])
    return torch.tensor(sorted(found), dtype=torch.float32)


class Codes:
    """What is kept of a tensor."""

    def __init__(self, torch: Any, *, signed: bool) -> None:
        self.torch, self.table = torch, table(torch, signed=signed)
        self.middles = (self.table[1:] + self.table[:-1]) / 2

    def encode(self, value: Any) -> tuple[Any, Any]:
        """(codes, of the shape of `value`, uint8; scales, one for each block, float32)."""
        flat = value.reshape(-1).float()
        blocks = self.torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
        scales = blocks.abs().amax(1, keepdim=True)
        shares = blocks / scales.clamp_min(1e-38)
        codes = self.torch.bucketize(shares, self.middles.to(value.device), out_int32=True).to(self.torch.uint8)
        return codes.view(-1)[: len(flat)].reshape(value.shape), scales.view(-1)

    def decode(self, codes: Any, scales: Any) -> Any:
        """float32, of the shape of `codes`."""
        flat = self.table.to(codes.device)[codes.reshape(-1).int()]
        blocks = self.torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK) * scales.view(-1, 1)
        return blocks.view(-1)[: len(flat)].reshape(codes.shape)
