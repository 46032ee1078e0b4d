"""Speech to text by a chain of providers."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from random import Random

import numpy as np

from speakback.audio.pcm import Samples
from speakback.providers.chain.budget import Cost
from speakback.providers.chain.chain import Chain, unheard
from speakback.providers.chain.entry import ANY, Entry, Pin
from speakback.providers.chain.options import STT_OPTIONS, ChainOptions
from speakback.providers.chain.order import Order
from speakback.providers.chain.race import Race
from speakback.providers.chain.request import Request
from speakback.providers.decisions import Report
from speakback.providers.stt import Passes, SpeechToText, Transcript
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms

PROBE_MS = 500


async def probe_stt(engine: SpeechToText) -> None:
    """Has half a second of faint noise transcribed: silence may be answered without asking the service."""
    noise = np.random.default_rng(0).normal(0, 0.02, ms_to_samples(PROBE_MS, EAR_HZ)).astype(np.float32)
    await engine.transcribe(noise, language="en")


class SttChain(Chain[SpeechToText]):
    """See `Chain`; it is a `SpeechToText` itself, for whoever wants no pins and no record."""

    def __init__(
        self,
        entries: tuple[Entry[SpeechToText], ...],
        options: ChainOptions = STT_OPTIONS,
        *,
        probes: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        report: Report = unheard,
        rng: Random | None = None,
    ) -> None:
        super().__init__("stt", entries, options, probe_stt, probes=probes, report=report, rng=rng)

    def bound(self, pin: Pin, report: Report) -> SpeechToText:
        """The chain as one session sees it. Raises `UnknownPin`."""
        return BoundStt(self, self.pinned(pin), report)

    @property
    def passes(self) -> Passes:
        """See `SpeechToText`."""
        return self.likely(self.entries).engine.passes

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """See `SpeechToText`."""
        return await self.bound(ANY, self.report).transcribe(audio_16k, language=language)


class BoundStt:
    """A session's view of a `SttChain`."""

    def __init__(self, chain: SttChain, entries: tuple[Entry[SpeechToText], ...], report: Report) -> None:
        self.name = entries[0].name
        self._chain = chain
        self._entries = entries
        self._report = report

    @property
    def passes(self) -> Passes:
        """Those of the provider that will be asked first at present."""
        return self._chain.likely(self._entries).engine.passes

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """See `SpeechToText`. Raises the last provider's `ProviderError` when none is left."""
        standings, options = self._chain.standings, self._chain.options
        engines = {entry.name: entry.engine for entry in self._entries}
        audio_ms = samples_to_ms(len(audio_16k), EAR_HZ)

        def launch(name: str, is_second: bool) -> Request[Transcript]:
            return Request(
                "stt",
                name,
                _asked(engines[name], audio_16k, language),
                wake=race.wake,
                answers=lambda _: True,
                late_after_ms=standings.late_after_ms(name),
                allowance_ms=standings.allowance_ms(name, audio_ms),
                stall_ms=options.stall_ms,
                is_second=is_second,
                cost=Cost(audio_ms=audio_ms),
            )

        race = Race(standings, Order(self._entries, standings, self._report), launch, self._report)
        try:
            winner = await race.winner()
            return winner.feed.take()
        finally:
            await race.close()

    async def aclose(self) -> None:
        """Nothing: the providers belong to the chain."""


async def _asked(engine: SpeechToText, audio_16k: Samples, language: str) -> AsyncGenerator[Transcript, None]:
    yield await engine.transcribe(audio_16k, language=language)
