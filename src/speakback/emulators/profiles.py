"""Every latency of the emulated services, in this one file. They are estimates; results on them are no measurements.

The medians of `TYPICAL` are anchored in captures, live calls and published benchmarks of autumn 2026 (which ones stands
in docs/providers.md); the tails are inferred. Regions add to every answer of a service: they stand for the way there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from speakback.emulators.latency import NONE, Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How quick the services are, in ms unless a name says otherwise, and how often something goes wrong."""

    name: str
    connect: Percentiles
    """TCP, TLS and the upgrade, before the server answers it."""
    flash_first_audio: Percentiles
    """From what sets off a generation (flush, schedule) to its first frame."""
    expressive_first_audio: Percentiles
    """The same on the dialogue sockets with `eleven_v3_conversational`."""
    turbo_v4_first_audio: Percentiles
    """The same with `eleven_v4_turbo`."""
    http_first_byte: Percentiles
    audio_times_real_time: float
    """How much faster than real time the rest of a clip comes; 0: all at once."""
    transcription: Percentiles
    """Of up to 5 s of audio."""
    transcription_per_further_s: float
    first_token: Percentiles
    """To the first token of any kind, reasoning included."""
    tokens_per_s: Mapping[str, float]
    """By model; 0: all at once."""
    fault_share: float
    """Share of requests that meet one of the common faults, drawn at random; 0: only what `--faults` says."""


_TOKENS_PER_S = MappingProxyType({"openai/gpt-oss-20b": 1000.0, "openai/gpt-oss-120b": 500.0})
REGION_MS: Mapping[str, float] = MappingProxyType({"us": 0, "eu": 60, "ne-asia": 120, "s-asia": 230})

ZERO = Profile(
    name="zero",
    connect=NONE,
    flash_first_audio=NONE,
    expressive_first_audio=NONE,
    turbo_v4_first_audio=NONE,
    http_first_byte=NONE,
    audio_times_real_time=0,
    transcription=NONE,
    transcription_per_further_s=0,
    first_token=NONE,
    tokens_per_s=MappingProxyType(dict.fromkeys(_TOKENS_PER_S, 0.0)),
    fault_share=0,
)
TYPICAL = Profile(
    name="typical",
    connect=Percentiles(180, 300, 600),
    flash_first_audio=Percentiles(200, 350, 800),
    expressive_first_audio=Percentiles(330, 600, 1200),
    turbo_v4_first_audio=Percentiles(150, 300, 700),
    http_first_byte=Percentiles(260, 450, 1000),
    audio_times_real_time=20,
    transcription=Percentiles(250, 600, 1500),
    transcription_per_further_s=30,
    first_token=Percentiles(120, 250, 1000),
    tokens_per_s=_TOKENS_PER_S,
    fault_share=0,
)


def _times(profile: Profile, name: str, by: float, fault_share: float) -> Profile:
    return Profile(
        name=name,
        connect=profile.connect.scaled(by),
        flash_first_audio=profile.flash_first_audio.scaled(by),
        expressive_first_audio=profile.expressive_first_audio.scaled(by),
        turbo_v4_first_audio=profile.turbo_v4_first_audio.scaled(by),
        http_first_byte=profile.http_first_byte.scaled(by),
        audio_times_real_time=profile.audio_times_real_time / by,
        transcription=profile.transcription.scaled(by),
        transcription_per_further_s=profile.transcription_per_further_s * by,
        first_token=profile.first_token.scaled(by),
        tokens_per_s=MappingProxyType({model: speed / by for model, speed in profile.tokens_per_s.items()}),
        fault_share=fault_share,
    )


FAST = _times(TYPICAL, "fast", 0.5, 0)
BAD_DAY = _times(TYPICAL, "bad-day", 2.0, 0.05)
PROFILES: Mapping[str, Profile] = MappingProxyType({one.name: one for one in (ZERO, FAST, TYPICAL, BAD_DAY)})
