"""From the durations a voice gives its symbols to the times of the written words. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speakback.audio.speech import SpokenWord
from speakback.providers.adapters.pronunciation import BREAK_MARKS, Sound


@dataclass(frozen=True, slots=True)
class Script:
    """What a voice's network is given for one phrase: its symbol ids, and which of them each sound owns.

    `owned[k]` is the range `[first, end)` of ids of sound k; empty for a sound without phonemes. A
    break mark and what follows it up to the next sound is owned by none: nobody speaks there.
    """

    sounds: tuple[Sound, ...]
    ids: tuple[int, ...]
    owned: tuple[tuple[int, int], ...]


def script(
    sounds: tuple[Sound, ...],
    ids_of: Callable[[str], list[int]],
    *,
    opening: tuple[int, ...],
    closing: tuple[int, ...],
) -> Script:
    """Join the sounds with spaces and translate them; `ids_of` maps phonemes to a voice's ids."""
    ids = list(opening)
    owned: list[tuple[int, int]] = []
    for sound in sounds:
        spoken = sound.phonemes.rstrip('"“”()')
        core = spoken.rstrip("".join(BREAK_MARKS))
        first = len(ids)
        ids += ids_of(core)
        end = len(ids)
        ids += ids_of(sound.phonemes[len(core) :])
        if sound.phonemes:
            ids += ids_of(" ")
        # In running speech a word lasts until the next begins, so it owns the space as well.
        runs_on = sound.is_audible and core == spoken
        owned.append((first, len(ids) if runs_on else end))
    return Script(sounds, (*ids, *closing), tuple(owned))


def word_times(
    script: Script, id_samples: NDArray[np.int64], audible: tuple[int, int], rate_ratio: float = 1.0
) -> tuple[SpokenWord, ...]:
    """The written words of a phrase with their times in its audio.

    `id_samples` is how long each id lasts, `audible` the stretch of audio (times `rate_ratio` of
    those units) that is kept: time 0 is its start. The first word begins and the last one ends with it.
    """
    edges = np.concatenate(([0], np.cumsum(id_samples))) * rate_ratio
    start, end = audible
    spans = [
        (min(max(round(edges[first]), start), end) - start, min(max(round(edges[last]), start), end) - start)
        for first, last in script.owned
    ]
    heard = [k for k, sound in enumerate(script.sounds) if sound.is_audible]
    if heard:
        spans[heard[0]] = (0, spans[heard[0]][1])
        spans[heard[-1]] = (spans[heard[-1]][0], end - start)
    words: list[SpokenWord] = []
    for sound, span in zip(script.sounds, spans, strict=True):
        if sound.is_audible and not sound.written and words:
            words[-1] = SpokenWord(words[-1].text, words[-1].start_samples, span[1])
        # What makes no sound takes no time: it stands where the word before it ended.
        at = words[-1].end_samples if words else 0
        words += shared(sound.written, span if sound.is_audible else (at, at))
    return tuple(words)


def shared(written: tuple[str, ...], span: tuple[int, int]) -> list[SpokenWord]:
    """Words that were pronounced as one group share its time in proportion to their letters and digits."""
    weights = np.array([sum(map(str.isalnum, word)) for word in written], dtype=np.int64)
    total = max(int(weights.sum()), 1)
    start, end = span
    edges = [start, *(start + (end - start) * np.cumsum(weights) // total)]
    if written and not weights.any():
        edges[-1] = end
    return [SpokenWord(word, int(a), int(b)) for word, a, b in zip(written, edges, edges[1:], strict=False)]
