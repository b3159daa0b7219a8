WILD = {"cause": "host", "note": "perplexity and prediction strings computed and logged each step"}
import collections, json, math, tempfile
import torch, torch.nn as nn

torch.manual_seed(0)
words = ("the cat sat on the mat and the dog ran to the old house by the sea " * 3000).split()
vocab = {w: i for i, w in enumerate(sorted(set(words)))}
inv = {i: w for w, i in vocab.items()}
corpus = torch.tensor([vocab[w] for w in words])
bptt, bsz = 32, 16

class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp=64, nhid=128):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, 1)
        self.decoder = nn.Linear(nhid, ntoken)
    def forward(self, x, hidden):
        out, hidden = self.rnn(self.encoder(x), hidden)
        return self.decoder(out), hidden

def batchify(data):
    n = data.size(0) // bsz
    return data[:n * bsz].view(bsz, -1).t().contiguous()

def repackage(h):
    return tuple(v.detach() for v in h)

class Trainer:
    def __init__(self):
        self.model = RNNModel(len(vocab))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.5)
        self.criterion = nn.CrossEntropyLoss()
        self.log = tempfile.NamedTemporaryFile("w", suffix=".jsonl")

    def log_metrics(self, output, targets, loss):
        predicted = output.argmax(-1).flatten().tolist()
        text = " ".join(inv[i] for i in predicted)
        counts = collections.Counter(text.split())
        confusion = collections.Counter(zip(predicted, targets.flatten().tolist()))
        self.log.write(json.dumps({"loss": loss.item(), "ppl": math.exp(min(20, loss.item())),
                                   "counts": counts, "confusion": {str(k): v for k, v in confusion.items()},
                                   "text": text}) + "\n")
        self.log.flush()

    def epoch(self, data):
        hidden = None
        for i in range(0, data.size(0) - bptt - 1, bptt):
            x, y = data[i:i + bptt], data[i + 1:i + 1 + bptt]
            if hidden is not None:
                hidden = repackage(hidden)
            self.optimizer.zero_grad()
            output, hidden = self.model(x, hidden)
            loss = self.criterion(output.flatten(0, 1), y.flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 0.25)
            self.optimizer.step()
            pass
        return loss.item()

trainer = Trainer()
data = batchify(corpus)
for epoch in range(10):
    print(epoch, trainer.epoch(data))
