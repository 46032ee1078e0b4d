"""One chat as it is answered: its pieces when they are due, and what it came to."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from speakback.emulators.faults import Fault
from speakback.emulators.groq.call import Call
from speakback.emulators.groq.chat_body import Completion, Finish, Spent
from speakback.emulators.groq.chat_pieces import Content, Pace, Piece, Reasoning, most_tokens, pieces
from speakback.emulators.groq.chat_request import ChatRequest
from speakback.emulators.groq.models import Model
from speakback.providers.llm import ToolCall

BURST_MS = 4
"""Tokens may come so much early, in bursts: to wait for each of a thousand a second would cost most of a processor."""
_PROMPT_S_PER_TOKEN = 4e-5
_QUEUED_SHARE = 0.5
"""Of the time to the first token."""


@dataclass(slots=True)
class Written:
    """What came of a chat so far."""

    content: str = ""
    reasoning: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    tokens: int = 0
    reasoning_tokens: int = 0

    def add(self, piece: Piece) -> None:
        """Count a piece as a token."""
        self.tokens += 1
        if isinstance(piece, Reasoning):
            self.reasoning += piece.text
            self.reasoning_tokens += 1
        elif isinstance(piece, Content):
            self.content += piece.text
        else:
            self.calls.append(piece)

    def finish(self, most: int) -> Finish:
        """Why it ended."""
        if self.calls:
            return "tool_calls"
        return "length" if self.tokens >= most else "stop"


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat in progress."""

    call: Call
    asked: ChatRequest
    model: Model
    fault: Fault | None
    pace: Pace
    completion: Completion
    prompt_tokens: int
    written: Written

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Each when it is due, the hidden ones at once. Raises `ProviderError`."""
        if self.fault is Fault.SILENT_SUCCESS:
            return
        async with aclosing(pieces(self.call.options.writer, self.asked, self.model)) as made:
            async for piece in made:
                if not (isinstance(piece, Reasoning) and self.asked.reasoning == "hidden"):
                    early_ms = BURST_MS if self.written.content else 0.0
                    await self.call.until(self.pace.due_ms(self.written.tokens), early_ms=early_ms)
                self.written.add(piece)
                yield piece

    def spent(self) -> Spent:
        """So far."""
        first_s, written = self.pace.first_ms / 1000, self.written
        return Spent(
            queue_s=first_s * _QUEUED_SHARE,
            prompt_tokens=self.prompt_tokens,
            prompt_s=self.prompt_tokens * _PROMPT_S_PER_TOKEN,
            completion_tokens=written.tokens,
            completion_s=written.tokens * self.pace.per_token_ms / 1000,
            reasoning_tokens=written.reasoning_tokens,
        )

    def finish(self) -> Finish:
        """Why it ended."""
        return self.written.finish(most_tokens(self.asked, self.model))
