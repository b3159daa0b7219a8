"""`bert_reviews.py` with its model compiled by the Trainer."""

from bert_reviews import arguments, examples, make_model
from transformers import Trainer

model = make_model()
args = arguments(torch_compile=True)
Trainer(model=model, args=args, train_dataset=examples()).train()
