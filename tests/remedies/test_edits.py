"""What remedies change in a script's text: for each, first what it must not touch."""

from typing import Any

import pytest

from narrows import remedies

WITH_EDIT = [name for name in remedies.names() if hasattr(remedies.load(name), "edit")]
LOADER = "from torch.utils.data import DataLoader\n"
OPTIM = "import torch\n"
NET = "import torch\nclass Net(torch.nn.Module): pass\n"
OPT = "opt = torch.optim.SGD(model.parameters())\n"
MAIN = "import torch\ndef main():\n    print(1)\n"
GUARD = "if __name__ == '__main__':\n    main()\n"

DDP = "from torch.nn.parallel import DistributedDataParallel as DDP\n"

REFUSED: list[tuple[str, Any, str]] = [
    ("loader-workers", 2, LOADER + "DataLoader(d, num_workers=args.workers)\n"),
    ("loader-workers", 2, LOADER + "DataLoader(d, num_workers=True)\n"),
    ("loader-workers", 2, LOADER + "DataLoader(d, persistent_workers=args.keep)\n"),
    ("loader-workers", 2, LOADER + "l = DataLoader(d)\nd.epoch = 1\n"),
    ("loader-workers", 2, LOADER + "l = DataLoader(dataset=d)\nd.set_epoch(1)\n"),
    ("loader-workers", 2, LOADER + "l = DataLoader(Data())\nl.dataset.images[0] = 1\n"),
    ("loader-workers", 2, LOADER.replace("Loader\n", "Loader as L\n") + "l = L(d)\nd.set_epoch(1)\n"),
    ("loader-workers", 2, LOADER + "l = DataLoader(self.data)\nself.data.epoch = 1\n"),
    ("loader-workers", 2, "loader.dataset.set_epoch(1)\n"),
    ("persistent-workers", True, LOADER + "DataLoader(d, num_workers=count())\n"),
    ("persistent-workers", True, LOADER + "l = DataLoader(d, num_workers=2)\nd.set_epoch(1)\n"),
    ("prefetch", 4, LOADER + "DataLoader(d, num_workers=2, prefetch_factor=args.ahead)\n"),
    ("prefetch", 4, LOADER + "DataLoader(d, num_workers=count())\n"),
    ("fused-optimizer", True, OPTIM + "torch.optim.Adam(p, fused=args.fused)\n"),
    ("fused-optimizer", True, OPTIM + "torch.optim.Adam(p, foreach=args.foreach)\n"),
    ("fused-optimizer", True, OPTIM + "torch.optim.Adam(p, **options)\n"),
    ("fused-optimizer", True, OPTIM + "kind = torch.optim.Adam\n"),
    ("fused-optimizer", True, OPTIM + "kind = getattr(torch.optim, name)\ntorch.optim.Adam(p)\n"),
    ("foreach-optimizer", True, OPTIM + "torch.optim.Adam(p, fused=args.fused)\n"),
    ("foreach-optimizer", True, OPTIM + "torch.optim.Adadelta(p, 1, 1, 1, 1, None)\n"),
    ("threads", 2, "import torch\ntorch.set_num_threads(args.threads)\n"),
    ("threads", 2, "import torch\nif args.one:\n    torch.set_num_threads(1)\n"),
    ("threads", 2, "import torch\ndef worker(i):\n    torch.set_num_threads(1)\n"),
    ("matmul-precision", "high", "import torch\ntorch.backends.cuda.matmul.allow_tf32 = False\n"),
    ("matmul-precision", "high", "import torch\ntorch.set_float32_matmul_precision('highest')\n"),
    ("attention-backend", "math", "import torch\nwith torch.nn.attention.sdpa_kernel(kind):\n    pass\n"),
    ("flush-denormals", True, "import torch\ntorch.set_flush_denormal(False)\n"),
    ("cudnn-benchmark", True, "import torch\ntorch.backends.cudnn.benchmark = args.fast\n"),
    ("cudnn-benchmark", True, "import torch\ntorch.use_deterministic_algorithms(True)\n"),
    ("debug-off", True, "import torch\ntorch.autograd.set_detect_anomaly(args.debug)\n"),
    ("debug-off", True, "import torch\nmode = torch.autograd.detect_anomaly\n"),
    ("compile", "default", NET + "model = Net()\nmodel = torch.compile(model)\n" + OPT),
    ("compile-dynamic", True, NET + "model = torch.nn.Linear(1, 1)\n" + OPT),
    ("inference-mode", "inference_mode", MAIN + GUARD),
    ("inference-mode", "no_grad", MAIN + "def learn(loss): loss.backward()\n" + GUARD),
    ("inference-mode", "no_grad", MAIN + "def f(x): return x.grad\n" + GUARD),
    ("inference-mode", "no_grad", "import threading\n" + MAIN + GUARD),
    ("inference-mode", "no_grad", MAIN + "from http.server import HTTPServer\n" + GUARD),
]
NESTED = [
    "l = DataLoader(d, num_workers=2)\nfor x in l:\n    y = next(iter(l))\n",
    "l = DataLoader(d, num_workers=2)\nfor i, x in enumerate(l):\n    evaluate(model, l)\n",
    "l = DataLoader(d, num_workers=2)\nfor a, b in zip(l, l):\n    pass\n",
    "l = DataLoader(d, num_workers=2)\npairs = [(a, b) for a in l for b in l]\n",
    "l = DataLoader(d, num_workers=2)\ndef test():\n    for x in l: pass\nfor x in l:\n    test()\n",
    "l = DataLoader(d, num_workers=2)\nit = iter(l)\nfor x in l:\n    next(it)\n",
    "def fit(loader):\n    for x in loader:\n        evaluate(loader)\nfit(DataLoader(d, num_workers=2))\n",
    "def fit(loader):\n    it = iter(loader)\n    for x in loader: next(it)\nfit(DataLoader(d, num_workers=2))\n",
    "def make(): return DataLoader(d, num_workers=2)\nl = make()\nfit(l, l)\n",
    "class T:\n    def fit(self):\n        self.l = DataLoader(d, num_workers=2)\n        for x in self.l: self.test()\n"
    "    def test(self):\n        for x in self.l: pass\n",
    "def fit():\n    global l\n    l = DataLoader(d, num_workers=2)\n    for x in l: test()\n"
    "def test():\n    for x in l: pass\n",
    "class S(IterableDataset): pass\nl = DataLoader(S(), num_workers=2)\n",
]
REFUSED += [(name, value, LOADER + text) for text in NESTED
            for name, value in (("persistent-workers", True), ("loader-workers", 4))]  # fmt: skip
SET = "class S:\n    def __getitem__(self, i): return self.x[i]\n    def __init__(self): self.x = "
REFUSED += [
    ("loader-workers", 2, LOADER + SET + f"{held}\nl = DataLoader(S())\n")
    for held in ("h5py.File(path)", "open(path, 'rb')", "np.random.default_rng(0)", "random.Random(0)")
]
REFUSED += [
    ("keras-seed", True, "from tensorflow.random import set_seed\nset_seed(42)\n"),
    ("keras-seed", True, "import tensorflow as t\nt.random.set_seed(42)\n"),
]
REFUSED += [
    ("ddp-buckets", 5, DDP + "DDP(net, bucket_cap_mb=args.bucket)\n"),
    ("ddp-buckets", 5, DDP + "DDP(net, None, None, 0, True)\n"),
    ("ddp-bucket-view", True, DDP + "DDP(net, **options)\n"),
    ("ddp-find-unused-off", True, DDP + "DDP(net, find_unused_parameters=args.unused)\n"),
    ("ddp-static-graph", True, DDP + "wrap(DDP)\n"),
    ("ddp-static-graph", True, DDP + "DDP(net, find_unused_parameters=args.unused)\n"),
]
STAYS: list[tuple[str, Any, str]] = [
    ("ddp-find-unused-off", True, DDP + "DDP(net, [rank])\n"),
    ("loader-workers", 2, LOADER + "DataLoader(d, num_workers=4, persistent_workers=True)\n"),
    ("persistent-workers", True, LOADER + "DataLoader(d)\nDataLoader(d, num_workers=0)\n"),
    ("prefetch", 4, LOADER + "DataLoader(d)\nDataLoader(d, num_workers=2, prefetch_factor=8)\n"),
    ("fused-optimizer", True, OPTIM + "torch.optim.RMSprop(p)\ntorch.optim.Adam(p, differentiable=True)\n"),
    ("foreach-optimizer", True, OPTIM + "torch.optim.Adam(p, fused=True)\ntorch.optim.SparseAdam(p)\n"),
    ("debug-off", True, "import torch\ntorch.autograd.set_detect_anomaly(False)\n"),
]
MADE: list[tuple[str, Any, str, str]] = [
    (
        "loader-workers", 2, LOADER + "a = DataLoader(d, num_workers=0)\nb = DataLoader(e, num_workers=8)\nlen(d)\n",
        LOADER + "a = DataLoader(d, num_workers=2, persistent_workers=True)\n"
        "b = DataLoader(e, num_workers=8, persistent_workers=True)\nlen(d)\n",
    ),
    (
        "persistent-workers", True, LOADER + "DataLoader(d, num_workers=args.n)\nDataLoader(d, num_workers=3)\n",
        LOADER + "DataLoader(d, num_workers=args.n, persistent_workers=args.n > 0)\n"
        "DataLoader(d, num_workers=3, persistent_workers=True)\n",
    ),
    (
        "loader-workers", 2,
        LOADER + "def fit(m, loader):\n    for i, x in enumerate(loader):\n        print(i / len(loader))\n"
        "def main(epochs):\n    train, test = make()\n    for e in range(epochs):\n        fit(m, train)\n"
        "        check(m, test)\n        check(m, train)\n        print(e, epochs)\n    print(next(iter(test)))\n"
        "def make():\n    train = DataLoader(S())\n    return train, train\n"
        "class S:\n    def __getitem__(self, i):\n        with open(self.paths[i]) as file:\n            return file.read()\n",
        LOADER + "def fit(m, loader):\n    for i, x in enumerate(loader):\n        print(i / len(loader))\n"
        "def main(epochs):\n    train, test = make()\n    for e in range(epochs):\n        fit(m, train)\n"
        "        check(m, test)\n        check(m, train)\n        print(e, epochs)\n    print(next(iter(test)))\n"
        "def make():\n    train = DataLoader(S(), num_workers=2, persistent_workers=True)\n    return train, train\n"
        "class S:\n    def __getitem__(self, i):\n        with open(self.paths[i]) as file:\n            return file.read()\n",
    ),
    (
        "prefetch", 4, LOADER + "DataLoader(d, num_workers=n)\nDataLoader(d, num_workers=3, prefetch_factor=2)\n",
        LOADER + "DataLoader(d, num_workers=n, prefetch_factor=4 if n > 0 else None)\n"
        "DataLoader(d, num_workers=3, prefetch_factor=4)\n",
    ),
    (
        "fused-optimizer", True, "from torch import optim\noptim.AdamW(p, foreach=True)\noptim.SGD(p, fused=False)\n",
        "from torch import optim\noptim.AdamW(p, foreach=None, fused=True)\noptim.SGD(p, fused=True)\n",
    ),
    (
        "foreach-optimizer", True, "import torch.optim as o\no.RMSprop(p, lr=1)\n",
        "import torch.optim as o\no.RMSprop(p, lr=1, foreach=True)\n",
    ),
    ("threads", 2, "import torch\n", "import torch\ntorch.set_num_threads(2)\n"),
    ("threads", 2, "import torch\ntorch.set_num_threads(1)\n", "import torch\ntorch.set_num_threads(2)\n"),
    ("matmul-precision", "high", "import torch\n", 'import torch\ntorch.set_float32_matmul_precision("high")\n'),
    (
        "attention-backend", "math", "import torch\n",
        "import torch\ntorch.backends.cuda.enable_flash_sdp(False)\n",
    ),
    ("flush-denormals", True, "import torch as t\n", "import torch as t\nt.set_flush_denormal(True)\n"),
    ("cudnn-benchmark", True, "import torch\n", "import torch\ntorch.backends.cudnn.benchmark = True\n"),
    (
        "debug-off", True,
        "import torch\ntorch.autograd.set_detect_anomaly(True)\ntorch.set_anomaly_enabled(True)\n"
        "with torch.autograd.detect_anomaly():\n    pass\n",
        "import torch\ntorch.autograd.set_detect_anomaly(False)\ntorch.set_anomaly_enabled(False)\n"
        "with torch.autograd.set_detect_anomaly(False):\n    pass\n",
    ),
    ("compile", "default", NET + "model = Net()\n" + OPT, NET + "model = Net()\nmodel.compile()\n" + OPT),
    ("compile", "max", NET + "model = Net()\n" + OPT, NET + 'model = Net()\nmodel.compile(mode="max")\n' + OPT),
    ("compile-dynamic", True, NET + "model = Net()\n" + OPT, NET + "model = Net()\nmodel.compile(dynamic=True)\n" + OPT),
    (
        "keras-seed", True, "import tensorflow as tf\ntf.random.set_seed(42)\nx = tf.random.normal((2, 2))\n",
        "import tensorflow as tf\ntf.keras.utils.set_random_seed(42)\nx = tf.random.normal((2, 2))\n",
    ),
    ("ddp-buckets", 5, DDP + "DDP(net, [rank])\n", DDP + "DDP(net, [rank], bucket_cap_mb=5)\n"),
    ("ddp-bucket-view", True, DDP + "DDP(net)\n", DDP + "DDP(net, gradient_as_bucket_view=True)\n"),
    (
        "ddp-find-unused-off", True, DDP + "DDP(net, find_unused_parameters=True)\n",
        DDP + "DDP(net, find_unused_parameters=False)\n",
    ),
    (
        "ddp-static-graph", True, DDP + "DDP(net, find_unused_parameters=True)\n",
        DDP + "DDP(net, find_unused_parameters=False, static_graph=True)\n",
    ),
    ("inference-mode", "no_grad", MAIN + GUARD, MAIN.replace("def", "@torch.no_grad()\ndef") + GUARD),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "source"), REFUSED)
def test_where_there_is_doubt_the_text_is_not_touched(name: str, value: Any, source: str) -> None:
    assert remedies.load(name).edit(source, value) is None


@pytest.mark.parametrize(("name", "value", "source"), STAYS)
def test_what_is_so_already_stays(name: str, value: Any, source: str) -> None:
    assert remedies.load(name).edit(source, value) == source


@pytest.mark.parametrize(("name", "value", "before", "after"), MADE)
def test_the_remedy_is_written_into_the_script_once(name: str, value: Any, before: str, after: str) -> None:
    edit = remedies.load(name).edit
    assert edit(before, value) == after
    assert edit(after, value) == after


@pytest.mark.parametrize("name", WITH_EDIT)
def test_each_remedy_with_an_edit_is_tested_here(name: str) -> None:
    assert name in {case[0] for case in REFUSED}
    assert name in {case[0] for case in MADE}


@pytest.mark.parametrize("name", WITH_EDIT)
@pytest.mark.parametrize("source", ["def f(:\n", "import torch\rimport os\n", "import torch\x00\n"])
def test_what_cannot_be_read_is_not_touched(name: str, source: str) -> None:
    values = {"threads": 2, "loader-workers": 2, "prefetch": 4, "compile": "default", "matmul-precision": "high",
              "attention-backend": "math", "ddp-buckets": 5}  # fmt: skip
    assert remedies.load(name).edit(source, values.get(name, True)) is None
