"""`bert_reviews.py` with other settings of the Trainer: bfloat16, a fused optimizer."""

import bf16
from bert_reviews import arguments, examples, make_model
from transformers import Trainer

model = make_model()
args = arguments(bf16=bf16.FAST, use_cpu=True, optim="adamw_torch_fused")
Trainer(model=model, args=args, train_dataset=examples()).train()
