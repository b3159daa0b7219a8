"""A line after the model's: first where it is not put."""

import pytest

from narrows.edits.model import after_model

NET = "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def forward(self, x): return x\n"
MADE = "model = Net()\n"
OPT = "opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"


@pytest.mark.parametrize(
    "source",
    [
        NET + MADE + OPT + OPT,
        NET + OPT,
        NET + "if x:\n    model = Net()\nelse:\n    model = Other()\n" + OPT,
        NET + "model = other()\n" + OPT,
        NET + "model = nn.Sequential(Net())\n" + OPT,
        NET + "model, x = Net(), 1\n" + OPT,
        NET + "model = Net(); model.x = 1\n" + OPT,
        NET + MADE + "model = wrap(model)\n" + OPT,
        NET + MADE + OPT + "model = torch.nn.DataParallel(model)\n",
        NET + MADE + OPT + "for model in models: pass\n",
        NET + MADE + OPT + "ddp = DistributedDataParallel(model)\n",
        NET + MADE + OPT + "def f():\n    global model\n    model = None\n",
        NET + MADE + "fast = torch.compile(model)\n" + OPT,
        NET + MADE + "opt = torch.optim.SGD(list(model.parameters()))\n",
        NET + MADE + "opt = torch.optim.SGD([{'params': model.parameters()}])\n",
        NET + MADE + "opts = [torch.optim.SGD(model.parameters())]\n",
        NET + "def main(model):\n    model = Net()\n    " + OPT,
        NET + MADE + "def main():\n    " + OPT,
        NET + "    def compile(self): pass\n" + MADE + OPT,
        NET.replace("nn.Module", "Base") + MADE + OPT,
        NET + "Net = other(Net)\n" + MADE + OPT,
        NET + "from mine import Net\n" + MADE + OPT,
        NET.replace("class", "@wrap\nclass") + MADE + OPT,
    ],
)
def test_where_there_is_doubt_nothing_is_given(source: str) -> None:
    assert after_model(source, "compile()") is None


def test_a_file_without_an_optimizer_stays() -> None:
    assert after_model(NET + MADE, "compile()") == NET + MADE
    assert after_model("from mine import *\n", "compile()") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MADE + OPT, MADE + "@\n" + OPT),
        (MADE + "model.load_state_dict(x)\n" + OPT, MADE + "@\nmodel.load_state_dict(x)\n" + OPT),
        (
            "def main():\n    model = Net().to('cpu')  # the net\n    model = model.double()\n\n    " + OPT,
            "def main():\n    model = Net().to('cpu')  # the net\n    model = model.double()\n    @\n\n    " + OPT,
        ),
        (
            "def rate(model): return model(1)\nif __name__ == '__main__':\n    model = Net(\n        1,\n    )\n    "
            + OPT,
            "def rate(model): return model(1)\nif __name__ == '__main__':\n    model = Net(\n        1,\n    )\n    @\n    "
            + OPT,
        ),
    ],
)
def test_it_follows_the_model(before: str, after: str) -> None:
    after = NET + after.replace("@", "model.compile()")
    assert after_model(NET + before, "compile()") == after
    assert after_model(after, "compile()") == after
