"""`hf_trainer.py`, rewritten: examples padded once, plain attention, a fused optimizer, fewer checks.

Compiled or in bfloat16 a model as small as this one takes longer on a CPU.
"""

import os
import random
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

random.seed(0)
torch.manual_seed(0)
config = BertConfig(
    attn_implementation="eager",
    vocab_size=1000,
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=128,
)
model = BertForSequenceClassification(config)
examples = [
    {"text": [random.randrange(5, 1000) for _ in range(random.randrange(20, 64))], "label": random.randrange(2)}
    for _ in range(2400)
]


longest = 64
padded = [
    {
        "input_ids": torch.tensor(ex["text"] + [0] * (longest - len(ex["text"]))),
        "attention_mask": torch.tensor([1] * len(ex["text"]) + [0] * (longest - len(ex["text"]))),
        "labels": torch.tensor(ex["label"]),
    }
    for ex in examples
]


def collate(batch):
    return {name: torch.stack([ex[name] for ex in batch]) for name in batch[0]}


args = TrainingArguments(
    output_dir=tempfile.mkdtemp(),
    per_device_train_batch_size=16,
    num_train_epochs=2,
    logging_steps=50,
    save_strategy="no",
    report_to=[],
    disable_tqdm=True,
    logging_nan_inf_filter=False,
    optim="adamw_torch_fused",
    remove_unused_columns=False,
)
Trainer(model=model, args=args, train_dataset=padded, data_collator=collate).train()
