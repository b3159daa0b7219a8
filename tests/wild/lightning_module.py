WILD = {"cause": "host", "note": "a callback that computes a confusion matrix in Python after each batch"}
import logging, warnings
warnings.filterwarnings("ignore"); logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Classifier(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(100, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    def training_step(self, batch, batch_idx):
        x, y = batch
        logits = self.net(x)
        self.latest = logits.detach(), y
        return nn.functional.cross_entropy(logits, y)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)

class Confusion(L.Callback):
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        logits, y = module.latest
        table = [[0] * 10 for _ in range(10)]
        for row, label in zip(logits.tolist(), y.tolist()):
            table[label][max(range(10), key=lambda k: row[k])] += 1
        self.f1 = [2 * table[k][k] / max(1, sum(table[k]) + sum(r[k] for r in table)) for k in range(10)]

torch.manual_seed(0)
data = TensorDataset(torch.randn(12800, 100), torch.randint(0, 10, (12800,)))
trainer = L.Trainer(max_epochs=4, accelerator="cpu", callbacks=[Confusion()], logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False)
trainer.fit(Classifier(), DataLoader(data, batch_size=128, shuffle=True))
