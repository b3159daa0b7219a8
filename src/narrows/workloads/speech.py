"""A convolutional network that writes down spoken digits, trained with CTC on voices that a synthesiser has."""

import argparse
import ctypes
import os
import random
import sys
import tempfile
import wave
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

WORKLOAD = {
    "field": "speech recognition",
    "model": "spectrogram, convolutional network of 5 layers, CTC",
    "data": "strings of digits, spoken by 20 voices of the synthesiser eSpeak NG (no recordings of people)",
    "size": "660 WAV files of 1 to 3 s",
    "licence": "made on the spot (eSpeak NG: GPL 3)",
    "bottleneck": "input: spectrograms",
    "score": "digit error rate",
    "better": "lower",
    "needs": ["espeakng_loader"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
VOICES = {
    "train": ["en-us", "en-us+f1", "en-us+m3", "en+f2", "en+m1", "en+m4", "en-029", "en-029+f3", "en-029+m2",
              "en-gb-scotland", "en-gb-scotland+f5", "en-gb-scotland+m6", "en-gb-x-rp+m5", "en-us+steph"],
    "valid": ["en-gb-x-rp+f1", "en-us+m7"],
    "test": ["en+f4", "en-us+m8", "en-gb-x-rp", "en-029+f5"],
}  # fmt: skip
"""Accent and speaker. Those of the test are heard in no training."""
EACH = {"train": 36, "valid": 18, "test": 30}
"""Strings that each voice speaks."""
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
RATE, WINDOW, HOP, BANDS = 22050, 512, 220, 40
"""Samples a second; of each spectrum, and from one to the next; and mel bands."""
BLANK = 10
PATIENCE = 4
"""Epochs without fewer errors in the validation voices, after which training ends."""


@cache
def synthesiser() -> tuple[ctypes.CDLL, list[np.ndarray], object]:
    """The C library eSpeak NG, the sound that it has made, and its callback, of which it has no more than the address."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    heard: list[np.ndarray] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def listen(samples, count, events):
        if samples and count > 0:
            heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    if library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0) != RATE:  # 2: it returns when done
        raise OSError("eSpeak NG cannot be used")
    library.espeak_SetSynthCallback(listen)
    return library, heard, listen


def speak(digits: list[int], *, voice: str, speed: int = 170, pitch: int = 50) -> np.ndarray:
    """(samples,) of 16 bits. `speed`: words a minute; `pitch`: 0 to 100"""
    library, heard, _ = synthesiser()
    heard.clear()
    library.espeak_SetVoiceByName(voice.encode())
    for parameter, value in ((1, speed), (3, pitch)):
        library.espeak_SetParameter(parameter, value, 0)
    text = " ".join(DIGITS[digit] for digit in digits).encode() + b"\0"
    library.espeak_Synth(text, len(text), 0, 0, 0, 1, None, None)
    return np.concatenate(heard)


def record(folder: Path, part: str) -> list[tuple[Path, list[int]]]:
    """WAV files of random strings of 3 to 5 digits, and what is said in each."""
    rng = random.Random(part)
    made = []
    for voice in VOICES[part]:
        for number in range(EACH[part]):
            digits = [rng.randrange(10) for _ in range(rng.randint(3, 5))]
            samples = speak(digits, voice=voice, speed=rng.randint(140, 230), pitch=rng.randint(30, 70))
            path = folder / f"{part}-{voice}-{number}.wav"
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, RATE, len(samples), "NONE", ""))
                file.writeframes(samples.tobytes())
            made.append((path, digits))
    return made


def read(path: Path) -> torch.Tensor:
    """(samples,) from -1 to 1, at `RATE`. Raises `OSError` and `ValueError`."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, count = file.getparams()[:4]
            data = file.readframes(count)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"it is no WAV file: {error}") from None
    if width != 2 or count < WINDOW:
        raise ValueError("it is too short, or its samples do not have 16 bits")
    samples = np.frombuffer(data, dtype="<i2").reshape(-1, channels).mean(axis=1) / 32768
    if rate != RATE:
        samples = np.interp(np.arange(0, len(samples), rate / RATE), np.arange(len(samples)), samples)
    return torch.from_numpy(samples.astype(np.float32))


def mel_filters() -> torch.Tensor:
    """(BANDS, WINDOW / 2 + 1): triangles that are equally wide on the mel scale, 2595 log10(1 + f / 700)."""
    corners = 700 * (10 ** (np.linspace(0, np.log10(1 + RATE / 2 / 700), BANDS + 2)) - 1)
    frequencies = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    up = (frequencies - corners[:-2, None]) / np.diff(corners)[:-1, None]
    down = (corners[2:, None] - frequencies) / np.diff(corners)[1:, None]
    return torch.from_numpy(np.maximum(0, np.minimum(up, down)).astype(np.float32))


FILTERS, HANN = mel_filters(), torch.hann_window(WINDOW)


def spectrogram(samples: torch.Tensor, *, by_frame: bool = False) -> torch.Tensor:
    """(n,) -> the logarithm of the mel bands' power, normalised: (BANDS, 1 + (n - WINDOW) // HOP)"""
    if by_frame:
        starts = range(0, len(samples) - WINDOW + 1, HOP)
        spectra = [torch.fft.rfft(samples[s : s + WINDOW] * torch.hann_window(WINDOW)) for s in starts]
        power = torch.stack([FILTERS @ each.abs().square() for each in spectra], dim=1)
    else:
        spectra = torch.stft(samples, WINDOW, HOP, window=HANN, center=False, return_complex=True)
        power = FILTERS @ spectra.abs().square()
    logarithms = (power + 1e-5).log()
    return (logarithms - logarithms.mean()) / (logarithms.std() + 1e-5)


class Speech(Dataset):
    """Spectrograms of files; in training with noise, of another loudness each time."""

    def __init__(self, files: list[tuple[Path, list[int]]], *, augment: bool = False, slow: bool = False) -> None:
        self.files = files
        self.augment = augment
        self.by_frame = slow

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int):
        path, digits = self.files[index]
        samples = read(path)
        if self.augment:
            samples = samples + torch.randn_like(samples) * samples.std() * 0.2 * torch.rand(())
        return spectrogram(samples, by_frame=self.by_frame), torch.tensor(digits)


def collate(examples):
    """Spectrograms (batch, BANDS, longest) and their lengths, digits one after the other and how many each has."""
    spectra, digits = zip(*examples, strict=True)
    padded = nn.utils.rnn.pad_sequence([each.T for each in spectra], batch_first=True).transpose(1, 2)
    lengths = torch.tensor([each.shape[1] for each in spectra])
    return padded, lengths, torch.cat(digits), torch.tensor([len(each) for each in digits])


def make_model(width: int = 96) -> nn.Sequential:
    """(batch, BANDS, frames) -> logits of digits and blank (batch, 11, (frames + 3) // 4)"""
    layers: list[nn.Module] = []
    for inputs, stride, dilation in ((BANDS, 2, 1), (width, 2, 1), (width, 1, 1), (width, 1, 2), (width, 1, 4)):
        conv = nn.Conv1d(inputs, width, 5, stride, padding=2 * dilation, dilation=dilation)
        layers += [conv, nn.BatchNorm1d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.1), nn.Conv1d(width, len(DIGITS) + 1, 1))


def decode(logits: torch.Tensor) -> list[int]:
    """(11, frames) -> digits: the best of each frame, repetitions once, then without the blanks."""
    best = torch.unique_consecutive(logits.argmax(0)).tolist()
    return [digit for digit in best if digit != BLANK]


def edits(found: list[int], said: list[int]) -> int:
    """The Levenshtein distance: digits to insert, to leave out or to replace."""
    row = list(range(len(said) + 1))
    for i, ours in enumerate(found):
        before, row[0] = row[0], i + 1
        for j, theirs in enumerate(said):
            before, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, before + (ours != theirs))
    return row[-1]


@torch.no_grad()
def error_rate(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    wrong = total = 0
    for spectra, lengths, digits, counts in loader:
        for logits, length, said in zip(model(spectra), (lengths + 3) // 4, digits.split(counts.tolist()), strict=True):
            wrong += edits(decode(logits[:, :length]), said.tolist())
        total += len(digits)
    model.train()
    return wrong / total


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (2 if options.slow else 15)
    folder = tempfile.TemporaryDirectory()
    files = {part: record(Path(folder.name), part) for part in VOICES}
    dataset = Speech(files["train"], augment=True, slow=options.slow)
    loader = DataLoader(dataset, batch_size=16, shuffle=True, collate_fn=collate)
    valid, test = (DataLoader(Speech(files[part]), batch_size=64, collate_fn=collate) for part in ("valid", "test"))
    torch.manual_seed(0)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for spectra, lengths, digits, counts in loader:
            chances = nn.functional.log_softmax(model(spectra), dim=1).permute(2, 0, 1)
            loss = nn.functional.ctc_loss(chances, digits, (lengths + 3) // 4, counts, blank=BLANK)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        seen = error_rate(model, valid)
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  validation {seen:.3f}")
        since = 0 if seen < best else since + 1
        if seen < best:
            best = seen
            torch.save(model.state_dict(), options.model)
        if since == PATIENCE:
            break

    commonest = np.bincount(np.concatenate([digits for _, digits in files["train"]])).argmax()
    said = [digits for _, digits in files["test"]]
    baseline = sum(edits([commonest] * 4, each) for each in said) / sum(map(len, said))
    score = error_rate(load(options.model), test)
    folder.cleanup()
    print(f"digit error rate {score:.3f}  (baseline {baseline:.3f}: always the commonest digit, four times)")


def load(path: Path) -> nn.Module:
    model = make_model()
    model.load_state_dict(torch.load(path))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: spectra one frame at a time")
    parser.add_argument("--infer", metavar="FILE", help="what is said in a WAV file; or digits, which are spoken first")
    parser.add_argument("--model", type=Path, default=CACHE / "speech.pt", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        if options.infer.isascii() and options.infer.isdigit():
            samples = speak([int(digit) for digit in options.infer], voice=VOICES["test"][0])
            samples = torch.from_numpy(samples / np.float32(32768))
        else:
            samples = read(Path(options.infer))
    except (OSError, ValueError) as error:
        parser.error(f"--infer takes a WAV file, or digits: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    with torch.inference_mode():
        digits = decode(load(options.model)(spectrogram(samples)[None])[0])
    print(" ".join(DIGITS[digit] for digit in digits) or "(nothing is understood)")


if __name__ == "__main__":
    main()
