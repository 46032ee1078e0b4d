"""`stream-input`: one utterance a socket."""

import asyncio

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.admission import Admission
from speakback.emulators.elevenlabs.buffering import TextBuffer
from speakback.emulators.elevenlabs.frames import SpeechFrames
from speakback.emulators.elevenlabs.inactivity import InactivityClock
from speakback.emulators.elevenlabs.line import Desk, Line
from speakback.emulators.elevenlabs.messages import MalformedError, Reader, SpeechMessage
from speakback.emulators.elevenlabs.speech_settings import SpeechSettings
from speakback.emulators.elevenlabs.wire import DoneEnding, FailedEnding

BLANK = " "


class SingleSocket:
    """One socket, from its upgrade to its end."""

    def __init__(self, desk: Desk, admission: Admission, voice_id: str) -> None:
        self._desk = desk
        self._admission = admission
        self._voice_id = voice_id
        self._options = desk.service.options
        writer = SpeechFrames(self._options.faults, desk.service.chance(f"{desk.name}/frames"))
        self._line = Line(desk, writer, desk.service.chance(desk.name))
        self._clock = InactivityClock[None](desk.query.inactivity_s)
        self._reader = Reader(SpeechMessage)

    async def work(self, tasks: asyncio.TaskGroup) -> None:
        """Raises an `Ending`."""
        self._clock.touch(None)
        tasks.create_task(self._watch())
        tasks.create_task(self._speak())
        settings, buffer = self._open(self._read(await self._desk.wire.receive()))
        is_open = True
        while True:
            text = await self._desk.wire.receive()
            if is_open:
                is_open = self._take(self._read(text), settings, buffer)

    async def _watch(self) -> None:
        await self._clock.expired()
        raise FailedEnding(errors.input_timeout(self._clock.timeout_s))

    async def _speak(self) -> None:
        await self._line.run()
        raise DoneEnding(self._options.final_to_close_s)

    def _read(self, text: str) -> SpeechMessage:
        try:
            return self._reader.read(text)
        except MalformedError as problem:
            raise FailedEnding(self._desk.wire.malformed(str(problem))) from None

    def _open(self, first: SpeechMessage) -> tuple[SpeechSettings, TextBuffer]:
        """Nothing is answered to a first message that is right."""
        self._clock.touch(None)
        self._admission.check(first)
        self._admission.check_voice(self._voice_id)
        if not first.text or (self._options.guesses.first_text_is_space and first.text != BLANK):
            raise FailedEnding(self._desk.wire.malformed('The text of the first message must be " ".'))
        settings = SpeechSettings(first)
        buffer = settings.buffer(self._options.guesses, auto_mode=self._desk.query.auto_mode)
        if first.text != BLANK:
            self._add(first, buffer)
        return settings, buffer

    def _take(self, message: SpeechMessage, settings: SpeechSettings, buffer: TextBuffer) -> bool:
        """Returns whether the socket still takes text."""
        settings.check(message)
        if message.text is None and not message.flush:
            raise FailedEnding(self._desk.wire.malformed("text: Field required"))
        if message.text == "":
            self._clock.forget(None)
            self._line.say(buffer.close())
            self._line.finish()
            return False
        self._clock.touch(None)
        self._add(message, buffer)
        return True

    def _add(self, message: SpeechMessage, buffer: TextBuffer) -> None:
        flush, try_trigger = bool(message.flush), bool(message.try_trigger_generation)
        self._line.say(buffer.add(message.text or "", flush=flush, try_trigger=try_trigger))
