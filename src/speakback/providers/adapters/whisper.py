"""Whisper in process through CTranslate2 (int8, CPU), on windows much shorter than its 30 s."""

from functools import partial
from pathlib import Path

import ctranslate2
import numpy as np
import tokenizers

from speakback.audio.mel import log_mel
from speakback.audio.pcm import Samples
from speakback.audio.splitting import split_at_quiet
from speakback.audio.voicing import measure_voicing
from speakback.providers.adapters.whisper_decoding import (
    BASE_WINDOWS,
    LONGEST_TIMESTAMP,
    TINY_EN_WINDOWS,
    Evidence,
    Pass,
    Segment,
    Window,
    judge,
    last_timestamp,
    raw_segments,
    token_cap,
)
from speakback.providers.adapters.whisper_words import timed_words
from speakback.providers.errors import ProviderError
from speakback.providers.hallucination import Heard, invention, without_sounds
from speakback.providers.stt import Passes, Transcript
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.providers.workers import Workers
from speakback.timebase import EAR_HZ, samples_to_ms

_LONGEST_PIECE_MS = 28_000
_SHORTEST_MS = 100
_NOTHING = Transcript("", (), None, rejected="shorter than 100 ms")


class Whisper:
    """`SpeechToText` on a directory with a CTranslate2 Whisper model and its `tokenizer.json`.

    `windows` are tried in order until the guards pass; by default those measured for tiny.en where
    the model knows English only, and those for base otherwise. `workers` passes run at once, each
    on `threads` threads. Raises `ProviderError` when the model cannot be loaded.
    """

    passes = Passes.WHILE_SPEAKING

    def __init__(
        self,
        model_dir: Path,
        *,
        name: str,
        workers: int = 2,
        threads: int = 1,
        windows: tuple[Window, ...] | None = None,
        waits: WaitsReport = UNREPORTED,
    ) -> None:
        self.name = name
        try:
            self._model = ctranslate2.models.Whisper(
                str(model_dir), device="cpu", compute_type="int8", inter_threads=workers, intra_threads=threads
            )
            self._tokens = tokenizers.Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        except Exception as error:  # tokenizers raises bare Exception
            raise ProviderError("stt", name, f"cannot load the model in {model_dir}: {error}") from error
        self._multilingual = bool(self._model.is_multilingual)
        self._windows = windows or (BASE_WINDOWS if self._multilingual else TINY_EN_WINDOWS)
        self._end_of_text = self._special("<|endoftext|>")
        self._no_timestamps = self._special("<|notimestamps|>")
        self._first_timestamp = self._no_timestamps + 1
        self._workers = Workers("stt", name, threads=workers, waits=waits)
        self._decode(np.zeros(EAR_HZ, np.float32), self._windows[0], self._prompt("en"))  # the first pass is slow

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """See `SpeechToText`. `language` is a code such as "en" or "en-GB". Raises `ProviderError`."""
        prompt = self._prompt(language)
        if samples_to_ms(len(audio_16k), EAR_HZ) < _SHORTEST_MS:
            return _NOTHING
        pieces = []
        offset_ms = 0
        # A piece is a call of its own: between two of them others get their turn, and cancelling takes effect.
        for piece in await self._workers.run(partial(split_at_quiet, audio_16k, _LONGEST_PIECE_MS)):
            if samples_to_ms(len(piece), EAR_HZ) >= _SHORTEST_MS:
                pieces.append(await self._workers.run(partial(self._transcribe_piece, piece, offset_ms, prompt)))
            offset_ms += samples_to_ms(len(piece), EAR_HZ)
        return joined(pieces)

    async def aclose(self) -> None:
        """See `SpeechToText`."""
        await self._workers.aclose()

    def _transcribe_piece(self, audio_16k: Samples, offset_ms: int, prompt: list[int]) -> Transcript:
        best = self._decode(audio_16k, self._windows[0], prompt)
        for window in self._windows[1:]:
            if best.complaint is None:
                break
            longer = self._decode(audio_16k, window, prompt)
            if longer.complaint is None or longer.evidence.confidence > best.evidence.confidence:
                best = longer
        seen = best.evidence
        heard = Heard(
            best.text, measure_voicing(audio_16k), seen.avg_logprob, seen.no_speech_prob, seen.compression_ratio
        )
        reason = invention(heard)
        if reason is not None:
            return Transcript("", (), seen.confidence, rejected=reason)
        return Transcript(best.text, timed_words(best.segments, audio_16k, offset_ms), seen.confidence)

    def _decode(self, audio_16k: Samples, window: Window, prompt: list[int]) -> Pass:
        features = log_mel(audio_16k, window.frames(len(audio_16k)))
        clip_ms = samples_to_ms(len(audio_16k), EAR_HZ)
        cap = token_cap(len(audio_16k))
        beyond = range(last_timestamp(len(audio_16k)) + 1, LONGEST_TIMESTAMP + 1)
        result = self._model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features[np.newaxis])),
            [prompt if window.timestamps else [*prompt, self._no_timestamps]],
            beam_size=1,
            repetition_penalty=window.repetition_penalty,
            max_length=2 * cap,  # CTranslate2 stops at half of it
            suppress_tokens=[-1, *(self._first_timestamp + step for step in beyond)],
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        token_ids = result.sequences_ids[0]
        segments = [
            Segment(
                raw.start_ms, clip_ms if raw.end_ms is None else min(raw.end_ms, clip_ms), self._words(raw.token_ids)
            )
            for raw in raw_segments(
                token_ids, first_timestamp_id=self._first_timestamp, end_of_text_id=self._end_of_text
            )
        ]
        evidence = Evidence(float(result.scores[0]), float(result.no_speech_prob), 1.0)
        return judge(segments, evidence, clip_ms=clip_ms, capped=len(token_ids) >= cap)

    def _words(self, token_ids: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(without_sounds(self._tokens.decode(list(token_ids))).split())

    def _prompt(self, language: str) -> list[int]:
        code = language.split("-")[0].lower()
        start = self._special("<|startoftranscript|>")
        if self._multilingual:
            return [start, self._special(f"<|{code}|>"), self._special("<|transcribe|>")]
        if code != "en":
            raise ProviderError("stt", self.name, f"knows English only, not {language!r}; choose a multilingual model")
        return [start]

    def _special(self, token: str) -> int:
        token_id = self._tokens.token_to_id(token)
        if token_id is None:
            raise ProviderError("stt", self.name, f"the model has no token {token}: is the language known to Whisper?")
        return int(token_id)


def joined(pieces: list[Transcript]) -> Transcript:
    """One transcript of consecutive pieces; rejected only when every piece is."""
    if len(pieces) == 1:
        return pieces[0]
    said = [piece for piece in pieces if piece.text]
    if not said:
        return pieces[0] if pieces else _NOTHING
    known = [(piece.confidence, len(piece.words)) for piece in said if piece.confidence is not None]
    weight = sum(count for _, count in known)
    confidence = sum(value * count for value, count in known) / weight if weight else None
    words = tuple(word for piece in said for word in piece.words)
    return Transcript(" ".join(piece.text for piece in said), words, confidence)
