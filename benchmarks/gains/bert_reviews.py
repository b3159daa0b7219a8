"""A small BERT that learns to tell good reviews from bad ones with the Trainer, as its examples do it: texts are padded to
the longest that is allowed."""

import os
import random
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

WORDS, LONGEST = 8000, 128


def make_model():
    """BERT-mini (Turc et al. 2019), not pretrained."""
    random.seed(0)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=WORDS, hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024
    )
    return BertForSequenceClassification(config)


def review(label):
    """Some words are commoner in good ones."""
    length = min(LONGEST, int(random.lognormvariate(4.0, 0.5)))
    return [
        random.randrange(5, WORDS // 2) + (WORDS // 2 - 5) * (random.random() < 0.1 + 0.2 * label)
        for _ in range(length)
    ]


def padded(words, longest=LONGEST):
    """As a tokenizer with padding="max_length" does."""
    room = longest - len(words)
    return {"input_ids": words + [0] * room, "attention_mask": [1] * len(words) + [0] * room}


def reviews():
    """(words, 1 if it is a good one) of each."""
    return [(review(label), label) for label in (random.randrange(2) for _ in range(1200))]


def examples():
    return [{**padded(words), "labels": label} for words, label in reviews()]


def arguments(**more):
    return TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=8,
        num_train_epochs=3,
        learning_rate=1e-4,
        logging_steps=25,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        **more,
    )


if __name__ == "__main__":
    model = make_model()
    Trainer(model=model, args=arguments(), train_dataset=examples()).train()
