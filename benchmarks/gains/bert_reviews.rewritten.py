"""`bert_reviews.by_hand.py`, and batches are padded to their own longest text."""

import bf16
import torch
from bert_reviews import arguments, make_model, padded, reviews
from transformers import Trainer


def collate(batch):
    longest = max(len(words) for words, _ in batch)
    rows = [padded(words, longest) for words, _ in batch]
    made = {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
    return {**made, "labels": torch.tensor([label for _, label in batch])}


model = make_model()
args = arguments(bf16=bf16.FAST, use_cpu=True, optim="adamw_torch_fused", remove_unused_columns=False)
Trainer(model=model, args=args, train_dataset=reviews(), data_collator=collate).train()
