"""The model reads ahead: what is known of the conversation already, and the user's words while they are spoken."""

import asyncio

from speakback.providers.errors import ProviderError
from speakback.providers.llm import Prompt
from speakback.providers.urgency import Urgency, urgent
from speakback.session.ports import Ports


class Warming:
    """One reading at a time. What it reads is dropped if it turned out otherwise; a reply takes over its own prompt."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._reading: asyncio.Task[None] | None = None
        self._prompt: Prompt | None = None

    def read(self, prompt: Prompt) -> None:
        """Let the model read `prompt` instead of what it reads at present."""
        if prompt != self._prompt:
            self._stop()
            self._prompt = prompt
            self._reading = self._ports.spawn(self._read(prompt))

    def make_way(self, prompt: Prompt | None) -> None:
        """A call with `prompt` follows: stop, unless that is being read (None: a call without the model)."""
        if prompt != self._prompt:
            self._stop()

    def _stop(self) -> None:
        self._prompt = None
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self, prompt: Prompt) -> None:
        try:
            with urgent(Urgency.WARMING):
                await self._ports.engines().llm.warm(prompt)
        except ProviderError as problem:
            self._ports.log.warning("the model was not warmed", problem=str(problem))
