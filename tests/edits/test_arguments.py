"""Arguments of calls: first what is left alone."""

import pytest

from narrows.edits.arguments import argument, instead, keyword

LOADER = "torch.utils.data.DataLoader"
FROM = "from torch.utils.data import DataLoader\n"


def workers(source: str) -> str | None:
    return keyword(source, LOADER, "num_workers", "2", positional=5)


@pytest.mark.parametrize(
    "source",
    [
        FROM + "DataLoader(d, num_workers=args.workers)\n",
        FROM + "DataLoader(d, num_workers=-1)\n",
        FROM + "DataLoader(d, **options)\n",
        FROM + "DataLoader(*given)\n",
        FROM + "DataLoader(d, 1, False, None, None, 4)\n",
        FROM + "DataLoader = Mine\nDataLoader(d)\n",
        FROM + "def f(DataLoader):\n    return DataLoader(d)\n",
        FROM + "class Mine(DataLoader): pass\nDataLoader(d)\n",
        FROM + "made = functools.partial(DataLoader, d)\n",
        FROM + "Loader = DataLoader\nLoader(d)\n",
        FROM + "from mine import *\nDataLoader(d)\n",
        FROM + 'f"{DataLoader(d)}"\n',
        "try:\n    from fast import DataLoader\nexcept ImportError:\n    from torch.utils.data import DataLoader\nDataLoader(d)\n",
        "import torch\nfor torch in things: torch.utils.data.DataLoader(d)\n",
        "import torch\ntorch.utils.data.DataLoader = Mine\ntorch.utils.data.DataLoader(d)\n",
        "import torch\ntorch.utils.data = mine\ntorch.utils.data.DataLoader(d)\n",
        "import torch.utils.data as data\nkind = getattr(data, 'DataLoader')\ndata.DataLoader(d)\n",
        "import torch.utils.data as data\nmatch x:\n    case data: data.DataLoader(d)\n",
        FROM + "DataLoader(d\n",
        FROM + "DataLoader(d)\rDataLoader(d)\n",
        FROM + "DataLoader(d)\x00\n",
    ],
)
def test_where_there_is_doubt_nothing_is_given(source: str) -> None:
    assert workers(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "",
        "DataLoader(d)\n",
        "from mine import DataLoader\nDataLoader(d)\n",
        "from .data import DataLoader\nDataLoader(d)\n",
        "from mine import *\nimport torch\n",
        "def f(data): pass\nfrom torch.utils import data\n",
        FROM + "# DataLoader(d)\n'DataLoader(d)'\n",
        FROM + "DataLoader(d, num_workers=2)\n",
        FROM + "def f(loader: DataLoader) -> 'DataLoader': return isinstance(loader, DataLoader)\n",
    ],
)
def test_what_is_no_call_or_has_it_stays(source: str) -> None:
    assert workers(source) == source


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DataLoader(d)", "DataLoader(d, num_workers=2)"),
        ("DataLoader((d))", "DataLoader((d), num_workers=2)"),
        ("DataLoader(d, )", "DataLoader(d, num_workers=2, )"),
        ("DataLoader(d, num_workers=0, batch_size = 8)  # é", "DataLoader(d, num_workers=2, batch_size = 8)  # é"),
        ("x = 'é日'; DataLoader('é', f=(1) )", "x = 'é日'; DataLoader('é', f=(1), num_workers=2 )"),
        ("DataLoader(DataLoader(d))", "DataLoader(DataLoader(d, num_workers=2), num_workers=2)"),
        (
            "DataLoader(\n    d,\n    batch_size=8,\n)",
            "DataLoader(\n    d,\n    batch_size=8,\n    num_workers=2,\n)",
        ),
        (
            "DataLoader(\r\n\td,\r\n\tbatch_size=8\r\n)",
            "DataLoader(\r\n\td,\r\n\tbatch_size=8,\r\n\tnum_workers=2\r\n)",
        ),
        (
            "DataLoader(\n    d,\n    batch_size=(8  # ) large\n    )  # , )\n)",
            "DataLoader(\n    d,\n    batch_size=(8  # ) large\n    ), num_workers=2  # , )\n)",
        ),
        ("DataLoader(d,\n  8)", "DataLoader(d,\n  8, num_workers=2)"),
    ],
)
def test_the_rest_stays_byte_for_byte(before: str, after: str) -> None:
    assert workers(FROM + before) == FROM + after
    assert workers(FROM + after) == FROM + after


@pytest.mark.parametrize(
    ("imported", "callee"),
    [
        ("import torch", "torch.utils.data.DataLoader"),
        ("import torch.utils.data", "torch.utils.data.DataLoader"),
        ("import torch.utils.data as o", "o.DataLoader"),
        ("from torch import utils", "utils.data.DataLoader"),
        ("from torch.utils import data as td", "td.DataLoader"),
        ("from torch.utils.data import Dataset, DataLoader as DL", "DL"),
    ],
)
def test_a_callee_is_known_by_what_is_imported(imported: str, callee: str) -> None:
    assert workers(f"{imported}\n{callee}(d)\n") == f"{imported}\n{callee}(d, num_workers=2)\n"


def test_a_generator_as_the_only_argument_is_not_taken_apart() -> None:
    assert workers(FROM + "DataLoader(x for x in y)\n") is None


@pytest.mark.parametrize("call", ["f(n)", "f()", "f(1, 2)", "f(*[1])", "f(**k)", "g = torch.f"])
def test_an_argument_that_is_no_literal_is_not_replaced(call: str) -> None:
    assert argument("import torch\n" + (call if "=" in call else f"torch.{call}\n"), "torch.f", "3") is None


def test_an_argument_that_is_one_is() -> None:
    assert (
        argument("import torch\ntorch.f(1)\ntorch.f(n=2)\n", "torch.f", "3")
        == "import torch\ntorch.f(3)\ntorch.f(n=3)\n"
    )


def test_one_call_instead_of_another() -> None:
    source = "import torch\nwith torch.autograd.detect_anomaly(check_nan=True):  # slow\n    pass\n"
    made = instead(source, "torch.autograd.detect_anomaly", "set_detect_anomaly", "False")
    assert made == "import torch\nwith torch.autograd.set_detect_anomaly(False):  # slow\n    pass\n"
    source = "from torch.autograd import detect_anomaly\nwith detect_anomaly():\n    pass\n"
    assert instead(source, "torch.autograd.detect_anomaly", "set_detect_anomaly", "False") is None
