"""Translation: what is kept of a catalogue, what is padding, what a mask is for, and the score by hand."""

import re
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for needed in ("django", "tokenizers", "wagtail"):
    pytest.importorskip(needed)

from narrows.workloads import translate  # noqa: E402

pytestmark = pytest.mark.torch

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgctxt "a button"
msgid "Save"
msgstr "Sichern"

#, fuzzy
msgid "Close"
msgstr "Nah"

msgid "Open"
msgstr ""

msgid ""
"Please wait, "
"%(name)s."
msgstr ""
"Bitte warten, "
"%(name)s."

msgid "one page"
msgid_plural "%d pages"
msgstr[0] "eine Seite"
msgstr[1] "%d Seiten"
"""


def test_a_catalogue_gives_what_is_translated_for_sure() -> None:
    assert list(translate.catalogue(CATALOGUE)) == [
        ("Save", "Sichern"), ("Please wait, %(name)s.", "Bitte warten, %(name)s."),
    ]  # fmt: skip


def test_html_and_what_is_filled_in_later_are_taken_out() -> None:
    assert translate.cleaned('<b class="x">%(count)s</b> pages\n in {site}: %s') == "@ pages in @: @"


def test_chrf_by_hand() -> None:
    precision, recall = (1 + 1) / 6, (2 / 3 + 1 / 2) / 6
    by_hand = 100 * 5 * precision * recall / (4 * precision + recall)
    assert translate.chrf(["a b"], ["abc"]) == pytest.approx(by_hand)
    assert translate.chrf(["the same text"], ["the same text"]) == pytest.approx(100)
    assert translate.chrf(["xyz"], ["abc"]) == 0


def test_batches_hold_each_pair_once_and_less_padding_than_the_slow_ones() -> None:
    lengths = torch.randint(3, translate.LONGEST, (100,), generator=torch.Generator().manual_seed(0)).tolist()
    pairs = [([i + 3] * n, [i + 3] * n) for i, n in enumerate(lengths)]
    padding = {}
    for slow in (False, True):
        made = list(translate.batches(pairs, 8, slow=slow))
        assert sorted(row[0].item() - 3 for source, _ in made for row in source) == list(range(100))
        padding[slow] = sum((target == translate.PAD).sum().item() for _, target in made)
    assert padding[False] < padding[True] / 5


def test_padding_and_the_future_change_nothing() -> None:
    model = translate.Translator().eval()
    source, target = torch.tensor([[1, 50, 60, 2]]), torch.tensor([[1, 70, 80]])
    with torch.no_grad():
        alone = model(source, target)
        padded = model(torch.cat([source, torch.zeros(1, 5, dtype=torch.long)], dim=1), target)
        other = model(source, torch.tensor([[1, 70, 90]]))
    assert torch.allclose(alone, padded, atol=1e-5)
    assert torch.allclose(alone[:, :2], other[:, :2], atol=1e-5)
    assert not torch.allclose(alone[:, 2], other[:, 2], atol=1e-5)


def test_a_text_survives_its_tokens() -> None:
    text = "Wählen Sie 3 Schlüsselwörter, bitte!"
    tokenizer = translate.tokenizer_of([text])
    assert tokenizer.decode(translate.encode(tokenizer, text)).strip() == text


def test_it_learns_a_few_texts_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = translate.the_pairs()
    assert len(pairs) > 1500
    monkeypatch.setattr(translate, "the_pairs", lambda: pairs[:60])
    monkeypatch.setattr(sys, "argv", ["translate", "--epochs", "2", "--model", str(tmp_path / "m.pt")])
    translate.main()
    assert re.search(r"^chrF \d+\.\d  \(baseline \d+\.\d: ", capsys.readouterr().out.splitlines()[-1])
    monkeypatch.setattr(sys, "argv", ["translate", "--infer", "Save page", "--model", str(tmp_path / "m.pt")])
    translate.main()
    assert len(capsys.readouterr().out.splitlines()) == 1
