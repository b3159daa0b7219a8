"""Whether this processor has instructions for bfloat16: without them a product takes a hundred times as long."""

import torch

FAST = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
"""Whoever makes a script faster by hand uses bfloat16 where this holds."""
