"""The language model by a chain of providers.

Until the first text another provider takes over unnoticed. After it, the text that is out cannot be taken back: another
provider is given it as its own unfinished message and goes on from its last whole word (`seam.py`). After a tool call
nobody is asked again, as the call may be made twice: the reply fails.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from random import Random

from speakback.providers.chain.budget import Cost
from speakback.providers.chain.chain import Chain, unheard
from speakback.providers.chain.entry import ANY, Entry, Pin
from speakback.providers.chain.options import LLM_OPTIONS, ChainOptions
from speakback.providers.chain.order import Order
from speakback.providers.chain.race import Race
from speakback.providers.chain.request import Request
from speakback.providers.chain.seam import continued, has_enough, joined, unrepeated, whole_words
from speakback.providers.decisions import Decision, DecisionKind, Report
from speakback.providers.llm import LanguageModel, LlmDelta, Message, Prompt, TextDelta, ToolCall, Usage

PROBE = Prompt((Message("user", "Say: yes."),), max_tokens=16, temperature=0.0, correlation_id="probe")
CHARACTERS_PER_TOKEN = 4


async def probe_llm(engine: LanguageModel) -> None:
    """Lets it write a word."""
    stream = engine.stream(PROBE)
    try:
        await anext(stream, None)
    finally:
        await stream.aclose()


class LlmChain(Chain[LanguageModel]):
    """See `Chain`; it is a `LanguageModel` itself, for whoever wants no pins and no record."""

    def __init__(
        self,
        entries: tuple[Entry[LanguageModel], ...],
        options: ChainOptions = LLM_OPTIONS,
        *,
        probes: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        report: Report = unheard,
        rng: Random | None = None,
    ) -> None:
        super().__init__("llm", entries, options, probe_llm, probes=probes, report=report, rng=rng)

    def bound(self, pin: Pin, report: Report) -> LanguageModel:
        """The chain as one session sees it. Raises `UnknownPin`."""
        return BoundLlm(self, self.pinned(pin), report)

    def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """See `LanguageModel`."""
        return self.bound(ANY, self.report).stream(prompt)

    async def warm(self, prompt: Prompt) -> None:
        """See `LanguageModel`."""
        await self.bound(ANY, self.report).warm(prompt)


class BoundLlm:
    """A session's view of an `LlmChain`."""

    def __init__(self, chain: LlmChain, entries: tuple[Entry[LanguageModel], ...], report: Report) -> None:
        self.name = entries[0].name
        self._chain = chain
        self._entries = entries
        self._report = report

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """See `LanguageModel`. Raises the last provider's `ProviderError` when none is left."""
        reply = _Reply(self._chain, self._entries, self._report, prompt)
        try:
            while (delta := await reply.next()) is not None:
                yield delta
        finally:
            await reply.race.close()

    async def warm(self, prompt: Prompt) -> None:
        """Let the provider that will be asked first read ahead."""
        await self._chain.likely(self._entries).engine.warm(prompt)

    async def aclose(self) -> None:
        """Nothing: the providers belong to the chain."""


class _Reply:
    """One reply under way."""

    def __init__(
        self, chain: LlmChain, entries: tuple[Entry[LanguageModel], ...], report: Report, prompt: Prompt
    ) -> None:
        self._standings = chain.standings
        self._stall_ms = chain.options.stall_ms
        self._engines = {entry.name: entry.engine for entry in entries}
        self._report = report
        self._prompt = prompt
        self._writer: Request[LlmDelta] | None = None
        self._written = ""
        """The text that is out: whole words."""
        self._held = ""
        """The beginning of a word, or of a continuation that is not judged yet."""
        self._is_judged = True
        self.race = Race(chain.standings, Order(entries, chain.standings, report), self._launch, report)

    async def next(self) -> LlmDelta | None:
        """The next of the reply; None at its end."""
        while True:
            writer = await self.race.winner()
            if writer is not self._writer:
                self._change_writer(writer)
            delta = writer.feed.items[0] if writer.feed.items else None
            is_text = isinstance(delta, TextDelta)
            text = self._grown(delta.text if isinstance(delta, TextDelta) else "", is_end=not is_text)
            if is_text or not text:
                self._take(writer)
            if text:
                return TextDelta(text)
            if not is_text:
                return delta

    def _take(self, writer: Request[LlmDelta]) -> None:
        if writer.feed.items and isinstance(writer.feed.take(), ToolCall):
            self.race.may_ask_again = False

    def _grown(self, text: str, *, is_end: bool) -> str:
        """What goes out now that the writer gave `text`."""
        self._held += text
        if not self._is_judged:
            if not is_end and not has_enough(self._written, self._held):
                return ""
            self._held, self._is_judged = joined(self._written, unrepeated(self._written, self._held)), True
        out, self._held = (self._held, "") if is_end else whole_words(self._held)
        self._written += out
        return out

    def _change_writer(self, writer: Request[LlmDelta]) -> None:
        before, self._writer = self._writer, writer
        if before is None:
            return
        self._held = ""  # a part of a word: the other writes all of it
        if self._written:
            self._is_judged = False
            reason = f"it writes on behind {len(self._written.split())} words"
            self._report(Decision("llm", DecisionKind.WENT_ON, writer.name, reason, before.name))

    def _launch(self, name: str, is_second: bool) -> Request[LlmDelta]:
        prompt = continued(self._prompt, self._written) if self._written else self._prompt
        characters = sum(len(message.content) for message in prompt.messages)
        return Request(
            "llm",
            name,
            self._engines[name].stream(prompt),
            wake=self._wake,
            answers=_is_answer,
            late_after_ms=self._standings.late_after_ms(name),
            stall_ms=self._stall_ms,
            is_second=is_second,
            may_be_empty=bool(self._written),
            cost=Cost(tokens=characters // CHARACTERS_PER_TOKEN),
        )

    def _wake(self) -> None:
        self.race.wake()


def _is_answer(delta: LlmDelta) -> bool:
    return not isinstance(delta, Usage) and not (isinstance(delta, TextDelta) and not delta.text.strip())
