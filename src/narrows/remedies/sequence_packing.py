"""The samples of a padded batch are put one after another into a single row, without the padding.

As transformers' `DataCollatorWithFlattening` does: the positions start anew with each sample, from which the model makes a
mask that keeps them apart, and the first token of each is nobody's target. The loss is that of the padded batch. It is
done where `Trainer` computes a loss that nobody asks the logits of, since those have another shape.
"""

from __future__ import annotations

import functools
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "sequence-packing"
CLASS = "training"
TEXT = {
    "en": (
        "Samples are packed into one row instead of padded",
        "The loss is the same but for rounding; dropout draws other random numbers. Attention is computed over the whole "
        "row and masked, so many short samples gain and a few long ones may not.",
    ),
    "zh": (
        "样本打包成一行，不再填充",
        "除舍入外损失相同；dropout 抽取的随机数不同。注意力在整行上计算再遮盖，因此短样本多时受益，少数长样本未必。",
    ),
}
IGNORED = -100
"""Torch's and transformers' label of what is no target."""
TAKEN = {"input_ids", "attention_mask", "labels", "position_ids", "token_type_ids"}
"""What a batch may consist of; with anything else it stays as it is."""


def candidates(view: View) -> list[Candidate]:
    from narrows.findings.padding_waste import MUCH, part

    padded = part(view)
    if not estimates.trains(view) or padded <= MUCH or not _by_a_trainer(view):
        return []
    return [Candidate(value=True, seconds=padded * (view.steady.seconds["forward"] + view.steady.seconds["backward"]))]


def _by_a_trainer(view: View) -> bool:
    """A causal language model, called from a line of a script that has a `Trainer`."""
    for model in estimates.models(view):
        try:
            if str(model["inner"]).endswith(("ForCausalLM", "LMHeadModel")):
                return "Trainer" in Path(model["where"][0]).read_text(errors="replace")
        except (OSError, KeyError, TypeError, IndexError):
            continue
    return False


def apply(torch: Any, value: bool) -> None:
    done: list[bool] = []

    def change(module: Any, args: Any, kwargs: Any) -> None:
        transformers = sys.modules.get("transformers")
        if done or transformers is None or not hasattr(transformers, "Trainer"):
            return
        done.append(True)
        original = transformers.Trainer.compute_loss

        @functools.wraps(original)
        def compute_loss(
            self: Any, model: Any, inputs: Any, return_outputs: bool = False, *args: Any, **kwargs: Any
        ) -> Any:
            if not return_outputs and model.training and plain(self):
                try:
                    inputs = packed(torch, inputs) if _keeps_apart(self.accelerator.unwrap_model(model)) else inputs
                except Exception as error:
                    within.fault(NAME, error)
            return original(self, model, inputs, return_outputs, *args, **kwargs)

        transformers.Trainer.compute_loss = compute_loss
        within.note(NAME, model=type(module).__name__)

    within.first_call(torch, within.careful(NAME, change))


def plain(trainer: Any) -> bool:
    """The loss is the one that the model gives."""
    return trainer.label_smoother is None and getattr(trainer, "compute_loss_func", None) is None


def _keeps_apart(model: Any) -> bool:
    """It sees from the positions where a sample begins: transformers since 4.53 does in a causal mask, without a cache."""
    from transformers import masking_utils  # type: ignore[import-not-found,unused-ignore]

    made_by = inspect.getmodule(type(model))
    return (
        hasattr(masking_utils, "find_packed_sequence_indices")
        and hasattr(made_by, "create_causal_mask")
        and getattr(model.config, "_attn_implementation", None) in ("sdpa", "eager")
        and not getattr(model.config, "output_router_logits", False)
    )


def packed(torch: Any, inputs: Any) -> Any:
    """The same batch as one row: (1, tokens). As it is, where that cannot be done or changes nothing."""
    mask, labels = inputs.get("attention_mask"), inputs.get("labels")
    if mask is None or labels is None or not set(inputs) <= TAKEN or mask.dim() != 2 or bool(mask.all()):
        return inputs
    kept = mask.bool()
    first = kept & (kept.cumsum(1) == 1)
    if bool((first[:, 1:] & (labels[:, 1:] != IGNORED)).any()):
        return inputs  # padded on the left, the padding itself has the first token for its target
    own = inputs.get("position_ids")
    places = (own if own is not None else torch.arange(mask.shape[1], device=mask.device)).expand_as(mask)[kept]
    begins = torch.diff(places, prepend=places[:1] - 1) != 1
    if not torch.equal(begins[1:], first[kept][1:]):
        return inputs  # the model would take a hole in a sample for an end, or miss one
    row = {name: inputs[name][kept][None] for name in ("input_ids", "token_type_ids") if name in inputs}
    row["labels"] = labels.masked_fill(first, IGNORED)[kept][None]
    return {**row, "position_ids": places[None], "use_cache": False}


def by_hand(value: bool) -> str:
    return "Trainer(..., data_collator=DataCollatorWithFlattening())"
