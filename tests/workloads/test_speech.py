"""Speech: spectra against the Fourier transform, CTC's decoding, errors as they are counted, and files as they come."""

import sys
import wave

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("espeakng_loader")
speech = pytest.importorskip("narrows.workloads.speech")


def tone(hertz: float, seconds: float = 0.2):
    return torch.sin(2 * torch.pi * hertz * torch.arange(int(seconds * speech.RATE)) / speech.RATE)


def write(path, samples, *, rate: int, channels: int = 1, width: int = 2) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.asarray(samples).tobytes())


def test_mel_bands_are_triangles_that_meet_and_a_tone_is_in_the_band_around_it() -> None:
    filters = speech.mel_filters()
    assert filters.shape == (speech.BANDS, speech.WINDOW // 2 + 1)
    between = filters[:, 10:220].sum(0)
    torch.testing.assert_close(between, torch.ones_like(between), atol=1e-4, rtol=0)
    mel = 2595 * np.log10(1 + 1000 / 700)
    expected = mel / (2595 * np.log10(1 + speech.RATE / 2 / 700)) * (speech.BANDS + 1) - 1
    assert abs(speech.spectrogram(tone(1000)).mean(1).argmax().item() - expected) <= 1


def test_a_spectrogram_is_the_same_frame_by_frame() -> None:
    samples = tone(440) + 0.1 * tone(2500)
    whole = speech.spectrogram(samples)
    assert whole.shape == (speech.BANDS, 1 + (len(samples) - speech.WINDOW) // speech.HOP)
    torch.testing.assert_close(whole, speech.spectrogram(samples, by_frame=True), atol=1e-3, rtol=1e-3)


def test_decoding_says_what_is_repeated_once_unless_a_blank_is_between() -> None:
    best = torch.tensor([speech.BLANK, 3, 3, speech.BLANK, 3, 1, 1, speech.BLANK])
    assert speech.decode(torch.nn.functional.one_hot(best, 11).T.float()) == [3, 3, 1]


@pytest.mark.parametrize(
    ("found", "said", "wrong"),
    [([1, 2, 3], [1, 2, 3], 0), ([], [1, 2], 2), ([1, 3], [1, 2, 3], 1), ([4, 2, 3, 5], [1, 2, 3], 2)],
)
def test_errors_are_digits_to_insert_to_leave_out_or_to_replace(found: list[int], said: list[int], wrong: int) -> None:
    assert speech.edits(found, said) == wrong


@pytest.mark.parametrize("length", [40, 41, 42, 43, 44])
def test_the_model_leaves_as_many_frames_as_ctc_is_told(length: int) -> None:
    assert speech.make_model()(torch.zeros(1, speech.BANDS, length)).shape == (
        1,
        11,
        (length + 3) // 4,
    )


def test_voices_differ_and_those_of_the_test_are_in_no_training() -> None:
    parts = [set(voices) for voices in speech.VOICES.values()]
    assert len(set.union(*parts)) == sum(map(len, parts))
    said = [speech.speak([1, 2], voice=voice) for voices in speech.VOICES.values() for voice in voices]
    assert all(0.4 < len(each) / speech.RATE < 3 for each in said)
    assert len({each.tobytes() for each in said}) == len(said), "each voice is there, and is another one"


def test_files_of_another_rate_and_with_two_channels_are_read(tmp_path) -> None:
    samples = (10000 * tone(500).numpy()).astype("<i2")
    write(tmp_path / "stereo.wav", np.stack([samples, samples], axis=1), rate=speech.RATE, channels=2)
    np.testing.assert_allclose(speech.read(tmp_path / "stereo.wav"), samples / 32768, atol=1e-6)
    write(tmp_path / "half.wav", samples[::2], rate=speech.RATE // 2)
    np.testing.assert_allclose(speech.read(tmp_path / "half.wav")[:4000], samples[:4000] / 32768, atol=0.01)


def test_what_is_no_such_file_is_said_in_a_sentence(tmp_path) -> None:
    (tmp_path / "text.wav").write_text("hello, this is no sound")
    write(tmp_path / "short.wav", np.zeros(9, "<i2"), rate=speech.RATE)
    for name, why in (("text.wav", "no WAV file"), ("short.wav", "too short")):
        with pytest.raises(ValueError, match=why):
            speech.read(tmp_path / name)


def test_it_answers_with_words(tmp_path, monkeypatch, capsys) -> None:
    kept = tmp_path / "model.pt"
    torch.manual_seed(0)
    torch.save(speech.make_model().state_dict(), kept)
    monkeypatch.setattr(sys, "argv", ["speech.py", "--model", str(kept), "--infer", "31"])
    speech.main()
    words = capsys.readouterr().out.split()
    assert words == ["(nothing", "is", "understood)"] or set(words) <= set(speech.DIGITS)
