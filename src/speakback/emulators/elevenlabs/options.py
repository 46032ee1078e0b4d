"""Everything that can be set about the emulated ElevenLabs.

What real captures leave open is an option here, marked `# unverified`, with its number in section 11 of the
specification that docs/providers.md sums up, or `-` where even that says nothing.
"""

from dataclasses import dataclass
from typing import Literal

from speakback.emulators.content import Speaker
from speakback.emulators.elevenlabs.catalogue import CONCURRENT_GENERATIONS, VOICES, Tier, Voice
from speakback.emulators.faults import NO_FAULTS, Faults
from speakback.emulators.profiles import REGION_MS, TYPICAL, Profile

DEV_KEY = "speakback-dev-key"
"""Accepted unless other keys are named. It opens nothing but the emulator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """What the service does where nobody has seen it."""

    try_trigger_minimum: int = 50  # unverified 2
    """`try_trigger_generation` sets off what is longer than this."""
    first_frame_ms: int = 2000  # unverified 1
    """Most that the first frame of a segment holds; the rest comes in up to two frames and the tail."""
    tail_ms: float = 218 / 24
    """The last frame of a segment: 436 bytes at 24 kHz, in the capture."""
    long_inactivity: Literal["clamp", "refuse"] = "clamp"  # unverified 8
    """What becomes of an `inactivity_timeout` above 180."""
    inactivity_ends: Literal["socket", "context"] = "socket"  # unverified 6
    """What ends on the multi-context socket where a context is idle for too long."""
    close_generates_rest: bool = False  # unverified 9
    """Whether `close_context` on the text-to-speech socket speaks text that was not flushed."""
    keepalive_opens_context: bool = False  # unverified 15
    """Whether `{"text": ""}` without a context opens the default one."""
    flush_done: bool = False  # unverified 5
    """Whether a `flush_done` message follows each generation on the multi-context socket."""
    short_final: bool = False
    """Final messages of contexts as short as `{"isFinal": true, "contextId": "c1"}`."""
    busy_at: Literal["upgrade", "frame"] = "upgrade"  # unverified 7
    """Where `system_busy`, 429 and the concurrency limit are told to sockets."""
    language_refused_at: Literal["upgrade", "frame"] = "upgrade"
    malformed_close_code: int = 1008  # unverified -
    """After a message that is not JSON, is binary, or holds what no message may hold."""
    first_text_is_space: bool = True  # unverified -
    """Whether the first message of the single-context socket must have the text " "."""
    unknown_query_refused: bool = True  # unverified -
    """Whether a query parameter that the endpoint does not have is refused."""
    default_model: str = "eleven_multilingual_v2"  # unverified -
    default_dialogue_model: str = "eleven_v3"  # unverified -
    dialogue_characters: int = 40
    dialogue_words: int = 8
    """The dialogue sockets generate of their own accord once they hold so many characters and words (roughly)."""
    dialogue_sessions: int = 70  # unverified 10
    token_life_s: float = 900.0  # unverified -
    """How long a single-use token may be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevenLabsOptions:
    """One emulated ElevenLabs. Raises `ValueError` for a region that has no figure."""

    speaker: Speaker
    profile: Profile = TYPICAL
    faults: Faults = NO_FAULTS
    seed: int = 0
    region: str = "us"
    """One of `REGION_MS`; all answers take so much longer."""
    keys: tuple[str, ...] = (DEV_KEY,)
    restricted_keys: tuple[str, ...] = ()
    """Accepted for speech, but not for the account (`missing_permissions`)."""
    voices: tuple[Voice, ...] = VOICES
    tier: Tier = Tier.PRO
    credit_limit: int = 10_000_000
    concurrent_generations: int | None = None
    """Sockets and requests that may generate at once; None: what the tier allows."""
    has_dialogue: bool = True
    """Whether the workspace may use the dialogue sockets."""
    inactivity_s: float = 20.0
    """Of the text-to-speech sockets, unless the query says otherwise."""
    dialogue_inactivity_s: float = 20.0
    error_to_close_s: float = 0.8
    final_to_close_s: float = 0.7
    guesses: Guesses = Guesses()

    def __post_init__(self) -> None:
        if self.region not in REGION_MS:
            raise ValueError(f"{self.region!r} is no region; there are {', '.join(REGION_MS)}")

    @property
    def most_concurrent(self) -> int:
        """Sockets and requests that may generate at once."""
        if self.concurrent_generations is not None:
            return self.concurrent_generations
        return CONCURRENT_GENERATIONS[self.tier]

    @property
    def region_ms(self) -> float:
        return REGION_MS[self.region]
