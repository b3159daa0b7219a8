"""`bert_reviews.py` with its model compiled by the Trainer."""

import os
import random
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

WORDS, LONGEST = 8000, 128
random.seed(0)
torch.manual_seed(0)
# BERT-mini (Turc et al. 2019), not pretrained.
config = BertConfig(
    vocab_size=WORDS, hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024
)
model = BertForSequenceClassification(config)


def review(label):
    """Some words are commoner in good ones."""
    length = min(LONGEST, int(random.lognormvariate(4.0, 0.5)))
    return [
        random.randrange(5, WORDS // 2) + (WORDS // 2 - 5) * (random.random() < 0.1 + 0.2 * label)
        for _ in range(length)
    ]


def encode(words):
    """As a tokenizer with padding="max_length" does."""
    room = LONGEST - len(words)
    return {"input_ids": words + [0] * room, "attention_mask": [1] * len(words) + [0] * room}


examples = [{**encode(review(label)), "labels": label} for label in (random.randrange(2) for _ in range(1200))]

args = TrainingArguments(
    output_dir=tempfile.mkdtemp(),
    per_device_train_batch_size=8,
    num_train_epochs=3,
    learning_rate=1e-4,
    logging_steps=25,
    save_strategy="no",
    report_to=[],
    disable_tqdm=True,
    torch_compile=True,
)
Trainer(model=model, args=args, train_dataset=examples).train()
