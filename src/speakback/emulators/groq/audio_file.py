"""From an uploaded file to samples."""

import io

import soundfile

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.emulators.groq.errors import GroqError
from speakback.timebase import EAR_HZ

SHORTEST_S = 0.01


def decode(content: bytes) -> tuple[Samples, float]:
    """Mono samples at 16 kHz and the length in seconds; blocks. Raises `GroqError`.

    It reads what libsndfile reads (WAV, FLAC, MP3, Ogg); the service reads MP4 and WebM, too.
    """
    try:
        audio, hz = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, ValueError):
        raise GroqError(400, "could not process file - is it a valid media file?") from None
    length_s = len(audio) / hz
    if length_s < SHORTEST_S:
        raise GroqError(400, f"Audio file is too short. Minimum audio length is {SHORTEST_S} seconds.")
    mono: Samples = audio.mean(axis=1)
    return resample(mono, int(hz), EAR_HZ), length_s
