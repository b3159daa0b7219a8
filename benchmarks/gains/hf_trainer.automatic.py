"""`hf_trainer.py` with the Trainer's own settings: bfloat16 and loader workers."""

import os
import random
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import bf16
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

random.seed(0)
torch.manual_seed(0)
config = BertConfig(vocab_size=1000, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128)
model = BertForSequenceClassification(config)
examples = [
    {"text": [random.randrange(5, 1000) for _ in range(random.randrange(20, 64))], "label": random.randrange(2)}
    for _ in range(2400)
]


def collate(batch):
    longest = 64
    ids, mask = [], []
    for ex in batch:
        row, m = [], []
        for k in range(longest):
            best = 0
            for cand in range(12):
                best = max(best, (ex["text"][k % len(ex["text"])] * (cand + 3)) % 997)
            row.append(ex["text"][k] if k < len(ex["text"]) else 0)
            m.append(1 if k < len(ex["text"]) else 0)
        ids.append(row)
        mask.append(m)
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor([e["label"] for e in batch]),
    }


args = TrainingArguments(
    output_dir=tempfile.mkdtemp(),
    per_device_train_batch_size=16,
    num_train_epochs=2,
    logging_steps=50,
    save_strategy="no",
    report_to=[],
    disable_tqdm=True,
    bf16=bf16.FAST,
    use_cpu=True,
    dataloader_num_workers=2,
    remove_unused_columns=False,
)
Trainer(model=model, args=args, train_dataset=examples, data_collator=collate).train()
