"""A line after the imports: first where it is not put."""

import pytest

from narrows.edits.setting import after_import, plain, setting

LINE = "torch.set_num_threads(2)"


def put(source: str) -> str | None:
    return after_import(source, "torch", LINE)


@pytest.mark.parametrize(
    "source",
    [
        "def main():\n    import torch\n",
        "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
        "from torch import nn\n",
        "import torch.nn as nn\n",
        "import torch; torch.manual_seed(0)\n",
        "import torch\ndef apply(torch): pass\n",
        "import torch\nfrom mine import *\n",
        "if __name__ == '__main__': import torch\n",
        "import torch (\n",
        "import torch\r\nx = 1\ry = 2\n",
    ],
)
def test_where_there_is_doubt_nothing_is_given(source: str) -> None:
    assert put(source) is None


@pytest.mark.parametrize("source", ["", "import torchvision\n", "'import torch'\n", "from .torch import x\n"])
def test_a_file_without_the_module_stays(source: str) -> None:
    assert put(source) == source


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '"""About.\n\nimport torch\n"""\nfrom __future__ import annotations\n\nimport torch  # first\n\n# then\nfrom x import (\n    a,\n    b,\n)  # b\n\nx = 1\nimport y\n',
            '"""About.\n\nimport torch\n"""\nfrom __future__ import annotations\n\nimport torch  # first\n\n# then\nfrom x import (\n    a,\n    b,\n)  # b\n@\n\nx = 1\nimport y\n',
        ),
        ("import torch", "import torch\n@"),
        ("import torch;\n", "import torch;\n@\n"),
        ("import torch\r\nx = 1\r\n", "import torch\r\n@\r\nx = 1\r\n"),
        ("import os, torch.nn\nx = 'é'\n", "import os, torch.nn\n@\nx = 'é'\n"),
        (
            'import os\nif __name__ == "__main__":\n    import torch\n    go()\n',
            'import os\nif __name__ == "__main__":\n    import torch\n    @\n    go()\n',
        ),
    ],
)
def test_it_follows_the_imports(before: str, after: str) -> None:
    after = after.replace("@", LINE)
    assert put(before) == after
    assert put(after) == after


def test_it_uses_the_name_that_the_module_has() -> None:
    assert put("import torch as th\n") == "import torch as th\nth.set_num_threads(2)\n"


@pytest.mark.parametrize(
    "rest", ["torch.set_num_threads(3)\n", "f = torch.set_num_threads\n", "getattr(torch, 'set_num_threads')(3)\n"]
)
def test_a_setting_that_the_script_makes_itself_stays(rest: str) -> None:
    assert setting(f"import torch\n{rest}", "torch", LINE, "set_num_threads") is None
    assert setting(f"import torch\n{LINE}\n{rest}", "torch", LINE, "set_num_threads") is None


def test_a_setting_is_made_once() -> None:
    made = setting("import torch\n# set_num_threads\n", "torch", LINE, "set_num_threads")
    assert made == f"import torch\n{LINE}\n# set_num_threads\n"
    assert setting(made, "torch", LINE, "set_num_threads") == made


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch\n", True),
        (f"{LINE}\ndef main():\n    {LINE}\nif __name__ == '__main__':\n    {LINE}\n    main()\n", True),
        (f"if fast:\n    {LINE}\n", False),
        (f"def worker(i):\n    {LINE}\n", False),
        ("x = torch.set_num_threads\n", False),
    ],
)
def test_statements_that_run_once(source: str, expected: bool) -> None:
    assert plain(source, "set_num_threads") is expected
