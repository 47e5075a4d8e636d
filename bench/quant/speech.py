"""Samples: windows of something like speech, made from a seed, and the states that a network for voice activity has there."""
import numpy as np
import onnxruntime

RATE, WINDOW, CONTEXT, HARMONICS = 16000, 512, 64, 60
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (490, 1350, 1690))


def formants(frequency, vowel):
    """How loud a vocal tract makes a frequency: resonances of 80 Hz and more, over the slope of the glottis."""
    peaks = sum(1 / (1 + ((frequency - f) / (60 + 0.04 * f)) ** 2) for f in vowel)
    return (0.02 + peaks) / (1 + frequency / 500)


def voiced(rng, length, scale):
    """A vowel that turns into another one, on a pitch that moves."""
    t = np.arange(length) / length
    pitch = scale * (1 + 0.25 * rng.normal() * (t - 0.5) + 0.05 * np.sin(2 * np.pi * (rng.random() + 2 * t)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    a, b = rng.permutation(len(VOWELS))[:2]
    sound = np.zeros(length)
    for k in range(1, HARMONICS):
        f = k * pitch
        loud = (1 - t) * formants(f, VOWELS[a]) + t * formants(f, VOWELS[b])
        sound += np.where(f < RATE / 2, loud * np.sin(k * phase + rng.random() * 0.3), 0)
    return sound * np.minimum(1, np.minimum(t, 1 - t) * length / 400)


def unvoiced(rng, length):
    """A fricative: noise about a high frequency."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    f = np.fft.rfftfreq(length, 1 / RATE)
    return np.fft.irfft(spectrum * np.exp(-((f - rng.uniform(2500, 6500)) / 1200) ** 2), length)


def utterances(rng, length):
    """Syllables in words, pauses between them, a speaker and a background that change now and then."""
    sound, at = np.zeros(length), 0
    while at < length:
        pitch, loud, noise = rng.uniform(90, 240), 10 ** rng.uniform(-1.3, -0.2), 10 ** rng.uniform(-4, -2)
        end = min(length, at + int(rng.uniform(2, 4) * RATE))
        sound[at:end] += noise * rng.normal(size=end - at)
        at += int(rng.uniform(0.1, 0.8) * RATE)
        while at < end:
            for part in (unvoiced, voiced):
                n = int(rng.uniform(0.04, 0.12) * RATE) if part is unvoiced else int(rng.uniform(0.08, 0.25) * RATE)
                made = unvoiced(rng, n) * 0.3 if part is unvoiced else voiced(rng, n, pitch)
                take = max(0, min(n, end - at))
                sound[at:at + take] += loud * 0.3 * made[:take] / (np.abs(made).max() + 1e-9)
                at += n
            if rng.random() < 0.3:
                at += int(rng.uniform(0.1, 0.5) * RATE)
    return sound.astype(np.float32)


def windows(source, count, seed):
    """Windows one after the other, each with the end of the one before, and the states that the float network has there."""
    rng = np.random.default_rng(seed)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    runner = onnxruntime.InferenceSession(str(source), settings, providers=["CPUExecutionProvider"])
    sound = np.concatenate([np.zeros(CONTEXT, np.float32), utterances(rng, count * WINDOW)])
    state, feeds = np.zeros((2, 1, 128), np.float32), []
    for i in range(count):
        feeds.append({"input": sound[None, i * WINDOW:(i + 1) * WINDOW + CONTEXT].copy(), "state": state})
        state = runner.run(["stateN"], {**feeds[-1], "sr": np.array(RATE)})[0]
    return feeds
