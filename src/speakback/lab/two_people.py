"""Two simulated people talk with each other: no server, no core. The ceiling of this model, and the test of it."""

from random import Random

from speakback.evaluate.timeline import Timeline
from speakback.lab.clock import Clock
from speakback.lab.people import Person
from speakback.lab.personas import EVERYDAY, Persona
from speakback.lab.voice import ipus_of

FIRST_WORD_MS = 500


def two_people(seed: str, duration_ms: int, user: Persona = EVERYDAY, agent: Persona = EVERYDAY) -> Timeline:
    """One conversation; the one in the agent's place is a person too."""
    clock = Clock()
    one, other = Person(clock, user, Random(f"{seed}/user")), Person(clock, agent, Random(f"{seed}/agent"))
    one.voice.is_heard_by(other)
    other.voice.is_heard_by(one)
    one.open_conversation(FIRST_WORD_MS)
    while (next_ms := clock.next_ms) is not None and next_ms < duration_ms:
        clock.step()
    return Timeline(duration_ms, ipus_of(one.voice.past, duration_ms), ipus_of(other.voice.past, duration_ms))
