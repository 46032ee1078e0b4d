"""The dialogue sockets of v3 and v4: `multi-stream-input` with contexts, `stream-input` without."""

import asyncio
from dataclasses import dataclass

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.admission import Admission
from speakback.emulators.elevenlabs.buffering import DialogueBuffer
from speakback.emulators.elevenlabs.contexts import ContextTable, TooManyContextsError
from speakback.emulators.elevenlabs.errors import SocketError
from speakback.emulators.elevenlabs.frames import DialogueFrames
from speakback.emulators.elevenlabs.inactivity import InactivityClock
from speakback.emulators.elevenlabs.line import Desk, Line
from speakback.emulators.elevenlabs.messages import DialogueInput, DialogueMessage, MalformedError, Reader
from speakback.emulators.elevenlabs.wire import DoneEnding, FailedEnding

_SOCKET = 0
"""Stands for the socket itself on the clock; contexts are numbered from 1."""
_ONLY_FIRST = (
    "voices",
    "voice_settings",
    "pronunciation_dictionary_locators",
    "xi_api_key",
    "authorization",
    "single_use_token",
)


@dataclass(frozen=True, slots=True)
class _Context:
    context_id: str | None
    voices: tuple[str, ...]
    buffer: DialogueBuffer
    line: Line


class DialogueSocket:
    """One socket, from its upgrade to its end; without contexts, it is one context without an id."""

    def __init__(self, desk: Desk, admission: Admission, *, has_contexts: bool) -> None:
        self._desk = desk
        self._admission = admission
        self._has_contexts = has_contexts
        self._options = desk.service.options
        self._table = ContextTable[str | None]()
        self._contexts: dict[int, _Context] = {}
        self._clock = InactivityClock[int](desk.query.inactivity_s)
        self._reader = Reader(DialogueMessage)
        self._is_admitted = self._is_closing = False

    async def work(self, tasks: asyncio.TaskGroup) -> None:
        """Raises an `Ending`."""
        self._clock.touch(_SOCKET)
        tasks.create_task(self._watch())
        while True:
            try:
                message = self._reader.read(await self._desk.wire.receive())
            except MalformedError as problem:
                raise self._malformed(str(problem)) from None
            self._take(message, tasks)

    def _malformed(self, why: str) -> FailedEnding:
        return FailedEnding(self._desk.wire.malformed(why))

    async def _watch(self) -> None:
        """Of each context, and of a socket that has none."""
        while True:
            if await self._clock.expired() != _SOCKET or not self._contexts:
                raise FailedEnding(errors.input_timeout(self._clock.timeout_s))
            self._clock.touch(_SOCKET)

    def _take(self, message: DialogueMessage, tasks: asyncio.TaskGroup) -> None:
        if self._is_closing:
            raise FailedEnding(errors.CONTEXT_CLOSING)
        self._clock.touch(_SOCKET)
        is_first = not self._is_admitted
        if is_first:
            self._admission.check(message)
            self._is_admitted = True
        if message.close_socket:
            self._close_socket()
            return
        self._check_id(message)
        context = self._reach(message, tasks, is_first=is_first)
        for one in message.inputs or ():
            self._add(one, context)
        if message.flush:
            context.line.say(context.buffer.flush())
        if message.close_context:
            self._close(context)

    def _check_id(self, message: DialogueMessage) -> None:
        if self._table.is_closing(message.context_id):
            raise FailedEnding(errors.CONTEXT_CLOSING)
        if self._has_contexts and message.context_id is None:
            raise FailedEnding(errors.NO_CONTEXT_ID)
        if not self._has_contexts and (message.context_id is not None or message.close_context):
            raise self._malformed("This socket has no contexts.")

    def _reach(self, message: DialogueMessage, tasks: asyncio.TaskGroup, *, is_first: bool) -> _Context:
        number = self._table.number_of(message.context_id)
        if number is None:
            number = self._begin(message, tasks, is_first=is_first)
        else:
            self._check_later(message, _ONLY_FIRST)
        self._clock.touch(number)
        return self._contexts[number]

    def _check_later(self, message: DialogueMessage, forbidden: tuple[str, ...]) -> None:
        for field in forbidden:
            if getattr(message, field) is not None:
                raise FailedEnding(errors.only_first(field))

    def _begin(self, message: DialogueMessage, tasks: asyncio.TaskGroup, *, is_first: bool) -> int:
        if not message.voices:
            raise FailedEnding(errors.KEEP_ALIVE_UNREGISTERED if message.keep_alive else errors.NO_VOICES)
        if not is_first:
            self._check_later(message, _ONLY_FIRST[3:])
        most = self._desk.query.model.most_voices
        if len(message.voices) > most:
            raise self._malformed(f"voices: at most {most} with this model.")
        for voice_id in message.voices:
            self._admission.check_voice(voice_id)
        try:
            number = self._table.begin(message.context_id)
        except TooManyContextsError:
            raise FailedEnding(errors.TOO_MANY_DIALOGUES) from None
        self._contexts[number] = self._open(message.context_id, tuple(message.voices), number)
        tasks.create_task(self._speak(number))
        return number

    def _open(self, context_id: str | None, voices: tuple[str, ...], number: int) -> _Context:
        guesses = self._options.guesses
        name, chance = f"{self._desk.name}/{number}", self._desk.service.chance
        frames_rng = chance(f"{name}/frames")
        writer = DialogueFrames(self._options.faults, frames_rng, context_id, self._desk.query.sync_alignment)
        buffer = DialogueBuffer(characters=guesses.dialogue_characters, words=guesses.dialogue_words)
        return _Context(context_id, voices, buffer, Line(self._desk, writer, chance(name)))

    def _add(self, one: DialogueInput, context: _Context) -> None:
        if one.voice_id not in context.voices:
            raise FailedEnding(_unregistered(one.voice_id))
        context.line.say(context.buffer.add(one.text, new_turn=bool(one.new_turn)))

    async def _speak(self, number: int) -> None:
        await self._contexts[number].line.run()
        self._table.finish(number)
        del self._contexts[number]
        if self._is_closing and not self._contexts:
            raise DoneEnding

    def _close(self, context: _Context) -> None:
        """What is left is spoken: there is no way to cancel."""
        number = self._table.number_of(context.context_id)
        assert number is not None, "only open contexts are closed"
        self._clock.forget(number)
        context.line.say(context.buffer.flush())
        context.line.finish()
        self._table.close(context.context_id)

    def _close_socket(self) -> None:
        self._is_closing = True
        for number in self._table.open.values():
            self._close(self._contexts[number])
        self._clock.forget(_SOCKET)
        if not self._contexts:
            raise DoneEnding


def _unregistered(voice_id: str) -> SocketError:
    return SocketError(errors.UNNAMED, f"voice_id {voice_id} is not registered for this context.")
