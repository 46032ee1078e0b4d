"""`multi-stream-input`: several utterances on one socket, each in a context of its own."""

import asyncio
from dataclasses import dataclass

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.admission import Admission
from speakback.emulators.elevenlabs.buffering import TextBuffer
from speakback.emulators.elevenlabs.contexts import ContextTable, TooManyContextsError
from speakback.emulators.elevenlabs.frames import SpeechFrames
from speakback.emulators.elevenlabs.inactivity import InactivityClock
from speakback.emulators.elevenlabs.line import Desk, Line
from speakback.emulators.elevenlabs.messages import MalformedError, Reader, SpeechMessage
from speakback.emulators.elevenlabs.single_socket import BLANK
from speakback.emulators.elevenlabs.speech_settings import SpeechSettings
from speakback.emulators.elevenlabs.wire import DoneEnding, FailedEnding

_SOCKET = 0
"""Stands for the socket itself on the clock; contexts are numbered from 1."""


@dataclass(frozen=True, slots=True)
class _Context:
    context_id: str | None
    settings: SpeechSettings
    buffer: TextBuffer
    line: Line


class MultiSocket:
    """One socket, from its upgrade to its end."""

    def __init__(self, desk: Desk, admission: Admission, voice_id: str) -> None:
        self._desk = desk
        self._admission = admission
        self._voice_id = voice_id
        self._options = desk.service.options
        self._table = ContextTable[str | None]()
        self._contexts: dict[int, _Context] = {}
        self._clock = InactivityClock[int](desk.query.inactivity_s)
        self._reader = Reader(SpeechMessage)
        self._is_admitted = self._is_closing = False

    async def work(self, tasks: asyncio.TaskGroup) -> None:
        """Raises an `Ending`."""
        self._clock.touch(_SOCKET)
        tasks.create_task(self._watch())
        while True:
            text = await self._desk.wire.receive()
            if not self._is_closing:
                self._take(self._read(text), tasks)

    def _read(self, text: str) -> SpeechMessage:
        try:
            return self._reader.read(text)
        except MalformedError as problem:
            raise FailedEnding(self._desk.wire.malformed(str(problem))) from None

    async def _watch(self) -> None:
        """A context without text for too long ends the socket, or only itself; a socket without contexts always."""
        while True:
            number = await self._clock.expired()
            if number == _SOCKET and self._contexts:
                self._clock.touch(_SOCKET)
            elif number in self._contexts and self._options.guesses.inactivity_ends == "context":
                self._close(self._contexts[number])
            else:
                raise FailedEnding(errors.input_timeout(self._clock.timeout_s))

    def _take(self, message: SpeechMessage, tasks: asyncio.TaskGroup) -> None:
        self._clock.touch(_SOCKET)
        if not self._is_admitted:
            self._admission.check(message)
            self._admission.check_voice(self._voice_id)
            self._is_admitted = True
        if message.close_socket:
            self._close_socket()
        elif not self._is_keepalive_of_socket(message):
            context = self._reach(message, tasks)
            self._add(message, context)
            if message.close_context:
                self._close(context)

    def _is_keepalive_of_socket(self, message: SpeechMessage) -> bool:
        """`{"text": ""}` while there is no default context."""
        return (
            message.context_id is None
            and message.text == ""
            and not (message.flush or message.close_context)
            and not self._options.guesses.keepalive_opens_context
            and self._table.number_of(None) is None
        )

    def _reach(self, message: SpeechMessage, tasks: asyncio.TaskGroup) -> _Context:
        """The context that a message names; whatever the message is, it opens one where there is none."""
        number = self._table.number_of(message.context_id)
        if number is not None:
            self._clock.touch(number)
            self._contexts[number].settings.check(message)
            return self._contexts[number]
        try:
            number = self._table.begin(message.context_id)
        except TooManyContextsError:
            raise FailedEnding(errors.TOO_MANY_CONTEXTS) from None
        context = self._contexts[number] = self._open(message, number)
        self._clock.touch(number)
        tasks.create_task(self._speak(number, context))
        return context

    def _open(self, first: SpeechMessage, number: int) -> _Context:
        guesses, faults = self._options.guesses, self._options.faults
        name, chance = f"{self._desk.name}/{number}", self._desk.service.chance
        writer = SpeechFrames(
            faults,
            chance(f"{name}/frames"),
            has_context=True,
            context_id=first.context_id,
            short_final=guesses.short_final,
            flush_done=guesses.flush_done,
        )
        settings = SpeechSettings(first)
        buffer = settings.buffer(guesses, auto_mode=self._desk.query.auto_mode)
        return _Context(first.context_id, settings, buffer, Line(self._desk, writer, chance(name)))

    def _add(self, message: SpeechMessage, context: _Context) -> None:
        is_first = message is context.settings.first
        text = "" if is_first and message.text == BLANK else message.text or ""
        flush, try_trigger = bool(message.flush), bool(message.try_trigger_generation)
        context.line.say(context.buffer.add(text, flush=flush, try_trigger=try_trigger))

    async def _speak(self, number: int, context: _Context) -> None:
        await context.line.run()
        self._table.finish(number)
        del self._contexts[number]
        if self._is_closing and not self._contexts:
            raise DoneEnding

    def _close(self, context: _Context, *, may_lose: bool = True) -> None:
        """What was set off goes on, unless it is closed right behind its flush and fares ill; the rest is lost."""
        number = self._table.number_of(context.context_id)
        assert number is not None, "only open contexts are closed"
        self._clock.forget(number)
        if self._options.guesses.close_generates_rest:
            context.line.say(context.buffer.close())
        context.line.finish(may_lose=may_lose)
        self._table.close(context.context_id)

    def _close_socket(self) -> None:
        self._is_closing = True
        for number in self._table.open.values():
            self._close(self._contexts[number], may_lose=False)
        self._clock.forget(_SOCKET)
        if not self._contexts:
            raise DoneEnding
