"""A decorator for the main function: first where it is not put."""

import pytest

from narrows.edits.function import decorate_main

MAIN = "import torch\n\ndef main():\n    pass\n"
GUARD = "\nif __name__ == '__main__':\n    main()\n"


def put(source: str) -> str | None:
    return decorate_main(source, "torch", "torch.no_grad()")


@pytest.mark.parametrize(
    "source",
    [
        MAIN + GUARD + "    more()\n",
        MAIN + "main()\n" + GUARD,
        MAIN.replace("def", "@other\ndef") + GUARD,
        MAIN.replace("def", "async def") + GUARD,
        MAIN.replace("pass", "yield") + GUARD,
        MAIN.replace("import torch", "import nothing") + GUARD,
        MAIN + "main = wrap(main)\n" + GUARD,
        MAIN + MAIN + GUARD,
        MAIN + "\nif __name__ == '__main__':\n    sys.exit(main())\n",
        "from mine import main\n" + GUARD,
    ],
)
def test_where_there_is_doubt_nothing_is_given(source: str) -> None:
    assert put(source) is None


def test_a_file_that_is_no_main_script_stays() -> None:
    assert put(MAIN) == MAIN


def test_it_stands_above_the_function() -> None:
    made = put(MAIN + GUARD)
    assert made == MAIN.replace("def main", "@torch.no_grad()\ndef main") + GUARD
    assert put(made) == made
