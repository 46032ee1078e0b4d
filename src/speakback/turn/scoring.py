"""Whether the sound of a pause is worth scoring, and until when. Pure.

The end-of-turn model takes 50 ms of a processor, and so it, not the VAD, limits how many conversations a server
carries. It is asked only where its answer can change when the turn ends, and waited for no longer than that.
"""

from enum import Enum

from speakback.turn.endpointing import Endpointing, PauseEvidence
from speakback.turn.judging import FALLBACK_SILENCE_MS
from speakback.turn.words import HeardWords, Unfinished

SHORTEST_SCORED_MS = 160
"""Speech shorter than this has nothing that the model could tell an end by: its words, if it has any, decide."""


class Spared(Enum):
    """Why a pause is not scored."""

    POLICY = "policy"
    """The endpointing policy waits equally long whatever the score."""
    SHORT = "short"
    """The speech was shorter than `SHORTEST_SCORED_MS`."""
    WORDS = "words"
    """Its words tell already: they ask for patience, or are no turn at all but a listener's."""


def scored_within(policy: Endpointing, spoken_ms: int, unfinished: Unfinished = Unfinished.NO) -> int | Spared:
    """The silence by which a score must be there, or why none is needed.

    It is the silence that ends the turn without a score. `spoken_ms` counts from the turn's first voiced sample to its
    last; `unfinished` is what its words say, where they are read.
    """
    if spoken_ms < SHORTEST_SCORED_MS:
        return Spared.SHORT
    unscored = PauseEvidence(None, spoken_ms, unfinished)
    try:
        unscored_ms, over_ms, not_over_ms = (
            policy.silence_ms(unscored._replace(probability=probability)) for probability in (None, 1.0, 0.0)
        )
    except Exception:  # a policy may be anyone's code; the core says that it failed, and what stands in
        return FALLBACK_SILENCE_MS
    if unscored_ms == over_ms == not_over_ms:
        return Spared.POLICY
    if unfinished is not Unfinished.NO and over_ms >= unscored_ms:
        return Spared.WORDS
    return unscored_ms


def needs_score(words: HeardWords) -> bool:
    """Whether speech over the agent that has these words may be a turn whose end matters."""
    return words not in (HeardWords.NONE, HeardWords.BACKCHANNEL, HeardWords.ECHO)
