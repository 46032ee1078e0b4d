"""One side's voice as it sounds in the room: stretches of sound, and who listens to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from speakback.evaluate.timeline import Act, Ipu, Kind, joined
from speakback.lab.clock import Clock
from speakback.turn.words import Repair, Unfinished


class Sound(Enum):
    """What a stretch is."""

    SPEECH = "speech"
    BACKCHANNEL = "backchannel"
    NOISE = "noise"
    """No words in it."""
    SIDE_TALK = "side talk"
    """Words, but far away and to someone else."""
    ECHO = "echo"
    """The agent's own voice, come back."""


class After(Enum):
    """What its speaker means to do after a stretch. Known to nobody but the speaker."""

    GO_ON = "go on"
    END = "end"
    BREAK_OFF = "break off"
    """It was given up before its end."""


@dataclass(slots=True, eq=False)
class Stretch:
    """One stretch of sound without a pause."""

    sound: Sound
    start_ms: int
    due_ms: int
    """When it is to end, if nothing comes in between; people hear this coming."""
    after: After = After.END
    act: Act | None = None
    unfinished: Unfinished = Unfinished.NO
    seems_final: bool = False
    """It sounds like the turn's end though it is not."""
    opener_ms: int = 0
    """How long it says only what a listener might say; 0: not at all."""
    halts: bool = False
    """Whether it tells the other to stop."""
    repair: Repair = Repair.DROP
    end_ms: int | None = None
    """None while it sounds."""

    @property
    def is_last(self) -> bool:
        """Whether the turn is to end with it."""
        return self.after is After.END


class Listener(Protocol):
    """Whoever hears a voice."""

    def voice_began(self, stretch: Stretch) -> None:
        """It begins to sound."""
        ...

    def voice_ended(self, stretch: Stretch) -> None:
        """It falls silent."""
        ...


class Voice:
    """A voice that sounds or not, and all that it has sounded."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[Listener] = []
        self.stretch: Stretch | None = None
        """What sounds now."""
        self.past: list[Stretch] = []
        """All stretches, the present one last."""

    def is_heard_by(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listeners.append(listener)

    def begin(self, stretch: Stretch) -> None:
        """Sound; a stretch that still sounds ends first."""
        self.end()
        self.stretch = stretch
        self.past.append(stretch)
        for listener in self._listeners:
            listener.voice_began(stretch)

    def end(self) -> None:
        """Fall silent, if it sounds."""
        if (stretch := self.stretch) is not None:
            stretch.end_ms = self._clock.now_ms
            self.stretch = None
            for listener in self._listeners:
                listener.voice_ended(stretch)


_SPOKEN = (Sound.SPEECH, Sound.BACKCHANNEL)


def ipus_of(stretches: list[Stretch], until_ms: int) -> tuple[Ipu, ...]:
    """What was spoken, as IPUs; what goes on at `until_ms` is cut there."""
    return joined(_as_ipus(stretches, until_ms))


def _as_ipus(stretches: list[Stretch], until_ms: int) -> Iterator[Ipu]:
    for stretch in stretches:
        end_ms = until_ms if stretch.end_ms is None else min(stretch.end_ms, until_ms)
        if stretch.sound in _SPOKEN and end_ms > stretch.start_ms:
            kind = Kind.SPEECH if stretch.sound is Sound.SPEECH else Kind.BACKCHANNEL
            act = stretch.act if kind is Kind.SPEECH and stretch.end_ms is not None else None
            yield Ipu(stretch.start_ms, end_ms, kind, act)
