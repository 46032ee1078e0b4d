"""Text to speech by a chain of providers.

Until the first audio another voice takes over unnoticed. In the midst of an utterance the next one goes on at the first
word that was not spoken whole; audio goes out in whole words for that (`whole_words.py`).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from random import Random

import structlog

from speakback.audio.fade import fade_in
from speakback.audio.speech import SpeechChunk
from speakback.providers.chain.chain import Chain, unheard
from speakback.providers.chain.clause_tape import START, ClauseTape
from speakback.providers.chain.entry import ANY, Entry, Pin
from speakback.providers.chain.feed import now_ms
from speakback.providers.chain.options import TTS_OPTIONS, ChainOptions
from speakback.providers.chain.order import Order
from speakback.providers.chain.race import Race
from speakback.providers.chain.voice_request import Timing, VoiceRequest
from speakback.providers.chain.whole_words import FADE_SAMPLES, moved
from speakback.providers.decisions import Decision, DecisionKind, Report
from speakback.providers.errors import ProviderError
from speakback.providers.tts import TextToSpeech
from speakback.providers.voice_set import in_voice
from speakback.timebase import VOICE_HZ

log = structlog.get_logger(__name__)


async def probe_tts(engine: TextToSpeech) -> None:
    """Has one word spoken."""

    async def word() -> AsyncIterator[str]:
        yield "Yes."

    speech = engine.speak(word())
    try:
        if await anext(speech, None) is None:
            raise ProviderError("tts", engine.name, "made no sound")
    finally:
        await speech.aclose()


class TtsChain(Chain[TextToSpeech]):
    """See `Chain`; it is a `TextToSpeech` itself, for whoever wants no pins and no record."""

    def __init__(
        self,
        entries: tuple[Entry[TextToSpeech], ...],
        options: ChainOptions = TTS_OPTIONS,
        *,
        probes: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        report: Report = unheard,
        rng: Random | None = None,
    ) -> None:
        super().__init__("tts", entries, options, probe_tts, probes=probes, report=report, rng=rng)

    def bound(self, pin: Pin, report: Report, voice: str | None = None) -> TextToSpeech:
        """The chain as one session sees it, in `voice` where a provider has it. Raises `UnknownPin`."""
        return BoundTts(self, tuple(_in_voice(entry, voice) for entry in self.pinned(pin)), report)

    def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech`."""
        return self.bound(ANY, self.report).speak(clauses)

    async def warm(self) -> None:
        """Warm all. One that fails is told of in the log and left to its circuit; raises the last failure if all do."""
        problems: list[ProviderError] = []
        for entry in self.entries:
            try:
                await entry.engine.warm()
            except ProviderError as problem:
                log.warning("a voice is not ready", problem=str(problem))
                problems.append(problem)
                self.standings.failed(entry.name, problem, self.report)
        if len(problems) == len(self.entries):
            raise problems[-1]


def _in_voice(entry: Entry[TextToSpeech], voice: str | None) -> Entry[TextToSpeech]:
    engine = in_voice(entry.engine, voice)
    return entry if voice is None or engine is entry.engine else replace(entry, engine=engine, voice=voice)


class BoundTts:
    """A session's view of a `TtsChain`."""

    def __init__(self, chain: TtsChain, entries: tuple[Entry[TextToSpeech], ...], report: Report) -> None:
        self.name = entries[0].name
        self._chain = chain
        self._entries = entries
        self._report = report

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech`. Raises the last provider's `ProviderError` when none is left."""
        utterance = _Utterance(self._chain, self._entries, self._report, clauses)
        try:
            async for chunk in utterance.chunks():
                yield chunk
        finally:
            await utterance.close()

    async def warm(self) -> None:
        """Warm the voice that will be asked first."""
        await self._chain.likely(self._entries).engine.warm()

    async def aclose(self) -> None:
        """Nothing: the providers belong to the chain."""


class _Utterance:
    """One reply being spoken."""

    def __init__(
        self,
        chain: TtsChain,
        entries: tuple[Entry[TextToSpeech], ...],
        report: Report,
        clauses: AsyncIterator[str],
    ) -> None:
        self._standings = chain.standings
        self._stall_ms = chain.options.stall_ms
        self._entries = {entry.name: entry for entry in entries}
        self._report = report
        self._order = Order(entries, chain.standings, report)
        self._race = Race(chain.standings, self._order, self._launch, report)
        self._tape = ClauseTape(clauses, self._race.wake)
        self._voice: VoiceRequest | None = None
        self._out_samples = 0
        self._voice_from = 0
        """Where in the reply's audio the present voice begins."""
        self._fades_in = False
        self._dry_at_ms: float | None = None

    async def chunks(self) -> AsyncGenerator[SpeechChunk, None]:
        """The reply's audio."""
        while True:
            voice = await self._race.winner()
            if self._tape.problem is not None:
                raise self._tape.problem
            if voice is not self._voice:
                tail = self._change_voice(voice)
                if tail is not None and (len(tail.audio_24k) or tail.clause_end):
                    yield tail
            is_end = not voice.feed.items and not voice.lets_go
            out = self._sent(voice.words.finish() if is_end else voice.take())
            if len(out.audio_24k) or out.words or out.clause_end:
                yield out
            if is_end:
                return

    async def close(self) -> None:
        """End all that is under way."""
        task = self._tape.cancel()
        if task is not None:
            self._standings.stragglers.keep(task)
        await self._race.close()

    # ---- within -------------------------------------------------------------------------------

    def _change_voice(self, voice: VoiceRequest) -> SpeechChunk | None:
        before, self._voice = self._voice, voice
        tail = None if before is None else self._sent(before.cut())
        self._voice_from = self._out_samples
        if before is not None:
            self._fades_in = True
            entry = self._entries[voice.name]
            reason = f"it goes on at the next word, in the voice {entry.voice or entry.name}"
            self._report(Decision("tts", DecisionKind.WENT_ON, voice.name, reason, before.name))
        return tail

    def _sent(self, chunk: SpeechChunk) -> SpeechChunk:
        """Book a chunk of the present voice, and put it in its place in the reply."""
        placed = moved(chunk, self._voice_from)
        size = len(placed.audio_24k)
        if not size:
            return placed
        if self._fades_in:
            self._fades_in = False
            placed = SpeechChunk(fade_in(placed.audio_24k, FADE_SAMPLES), placed.words, placed.clause_end)
        self._out_samples += size
        self._dry_at_ms = max(self._dry_at_ms or 0.0, now_ms()) + size * 1000 / VOICE_HZ
        return placed

    def _launch(self, name: str, is_second: bool) -> VoiceRequest:
        another = next(iter(self._order.seconds(name)), name)
        timing = Timing(
            late_after_ms=self._standings.late_after_ms(name),
            stall_ms=self._stall_ms,
            reserve_ms=self._standings.late_after_ms(another),
            dry_at_ms=lambda: self._dry_at_ms,
        )
        start = START if self._voice is None else self._voice.place()
        engine = self._entries[name].engine
        return VoiceRequest(name, engine, self._tape, start, timing, wake=self._race.wake, is_second=is_second)
