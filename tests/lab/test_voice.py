"""Stretches of sound become IPUs."""

from speakback.evaluate.timeline import Act, Ipu, Kind
from speakback.lab.clock import Clock
from speakback.lab.voice import Sound, Stretch, Voice, ipus_of


def stretch(sound: Sound, start_ms: int, end_ms: int | None, act: Act | None = None) -> Stretch:
    return Stretch(sound, start_ms, end_ms or start_ms + 1000, act=act, end_ms=end_ms)


def test_only_what_is_spoken_counts_and_short_silences_do_not() -> None:
    past = [
        stretch(Sound.SPEECH, 0, 500),
        stretch(Sound.SPEECH, 600, 900, Act.OPINION),
        stretch(Sound.NOISE, 2000, 2400),
        stretch(Sound.BACKCHANNEL, 3000, 3400),
    ]
    assert ipus_of(past, 5000) == (Ipu(0, 900, Kind.SPEECH, Act.OPINION), Ipu(3000, 3400, Kind.BACKCHANNEL))


def test_a_backchannel_that_joins_speech_is_speech() -> None:
    past = [stretch(Sound.BACKCHANNEL, 0, 400), stretch(Sound.SPEECH, 450, 900, Act.OTHER)]
    assert ipus_of(past, 5000) == (Ipu(0, 900, Kind.SPEECH, Act.OTHER),)


def test_what_goes_on_is_cut_and_has_no_act() -> None:
    assert ipus_of([stretch(Sound.SPEECH, 100, None, Act.OTHER)], 600) == (Ipu(100, 600),)
    assert ipus_of([stretch(Sound.SPEECH, 700, 900)], 600) == ()


def test_a_voice_says_one_thing_at_a_time() -> None:
    clock = Clock()
    voice = Voice(clock)
    first, second = stretch(Sound.SPEECH, 0, None), stretch(Sound.SPEECH, 10, None)
    voice.begin(first)
    clock.at(10, lambda _: voice.begin(second))
    clock.step()
    assert first.end_ms == 10
    assert voice.stretch is second
