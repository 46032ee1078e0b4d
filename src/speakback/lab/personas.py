"""Who calls: a few kinds of people, each a place in the spread of human habits.

Rates are given as percentiles over the sides of the baseline's conversations; a caller draws theirs within the range.
Where the baseline has no spread (pauses stretched, dictation, corrections, noise), the number is an assumption, and
marked as one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Persona:
    """One kind of caller."""

    name: str
    backchannels: tuple[int, int] = (5, 95)
    """Percentiles of backchannels per minute of the other's speech."""
    interruptions: tuple[int, int] = (5, 95)
    """Percentiles of interruptions made per minute."""
    pause_stretch: float = 1.0
    """How much longer the pauses within turns are. Assumption; people's medians spread by about this."""
    open_ended: float = 0.22
    """Share of inner IPUs that end in a filler or in a word that cannot end a sentence. 3.0 fillers per 100 words at 8
    words an IPU are 0.24 an IPU, of which half were taken to stand last; as many again to end in "and" or the like."""
    spelling: float = 0.0
    """Share of turns that are a number or a spelling, given in groups. Assumption."""
    corrections: float = 0.02
    """Share of turns whose speaker thinks of more just when they seem over. Assumption."""
    noises_per_min: float = 0.1
    """Sounds that a VAD takes for speech. Assumption."""
    side_talks_per_min: float = 0.0
    """Words to someone else. Assumption."""
    unheard: float = 0.02
    """Share of stretches under 0.6 s that the VAD misses. It missed none of 180 clean phrases, and 5 of 14 under 0.6 s
    from a distant microphone in a meeting."""
    echo: float = 0.0
    """Share of the agent's IPUs that come back through the caller's microphone loud enough for a VAD. Assumption."""


EVERYDAY = Persona("everyday")

PERSONAS = (
    EVERYDAY,
    Persona("brisk", pause_stretch=0.8, open_ended=0.12, backchannels=(5, 50), interruptions=(25, 75)),
    Persona("hesitant", pause_stretch=1.5, open_ended=0.4, interruptions=(0, 50)),
    Persona("talkative listener", backchannels=(75, 99)),
    Persona("interrupter", interruptions=(75, 99)),
    Persona("speller", spelling=0.35),
    Persona("corrector", corrections=0.15),
    Persona("noisy line", noises_per_min=2.0, side_talks_per_min=0.5, unheard=0.15),
    Persona("loudspeaker", echo=0.15),
)
"""They call in turn, equally often."""
