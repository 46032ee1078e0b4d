"""The observation model: what a server's models say about a stretch of speech, right or wrong, and how often.

This is the one place where the truth about a stretch becomes evidence. A policy sees what comes out of here and
nothing else. Sources:

- Edges: Silero v6 with the defaults of `VadConfig`, on 60 recorded phrases at three offsets to the frame grid (180
  cases, speech bounds by level at −35 dB): onsets were seen 96 to 183 ms after they were, offsets 155 to 234 ms; the
  dates given to them were late by 26 ms and 69 ms at the median. None was missed. In distant meeting recordings 5 of 14
  stretches under 0.6 s were (see `Persona.unheard`).
- End of turn: two normal distributions of unit variance (holds and ends), as far apart as the area under the ROC curve
  says; the probability follows by Bayes' rule with the baseline's share of ends, so it is calibrated over all callers.
  Models on real pauses have .71 to .82 each (text .71 to .79, Krisp .89 by its makers); .95 is for easy cuts.
- Words over the agent: word lists find 94 % of backchannels (Switchboard, against dialogue acts); speech to text gets
  93 % of words right on short clips. So .87 of backchannels are read as such; the rest are content or nothing, alike.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from random import Random
from statistics import NormalDist

from speakback.lab.draws import from_quantiles, habits
from speakback.lab.voice import After, Sound, Stretch
from speakback.turn.words import HeardWords, Repair, Unfinished

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
ONSET_SEEN_MS = from_quantiles(_SHARES, (96, 108, 122, 147, 183))
OFFSET_SEEN_MS = from_quantiles(_SHARES, (155, 181, 197, 214, 234))
MIN_SPEECH_MS = 96
MIN_SILENCE_MS = 128
"""By so much an edge is dated back from when it is seen (`VadConfig`)."""
SHORT_MS = 600
"""Stretches shorter than this the VAD may miss altogether."""

BACKCHANNEL_READ = 0.87
CONTENT_READ = 0.93
SHORT_WORDS_READ = 0.95
"""Share of short stretches with words in which a final transcript finds some; in longer ones it always does.
Assumption: what guards against invented words takes some that were said."""
NOISE_INVENTED = 0.03
"""Share of stretches without words in which it finds some (an invention that the guards let through). Assumption."""
SIDE_TALK_READ = 0.5
"""Distant words are read this often. Assumption."""
ECHO_READ = 0.85
"""The agent's words that come back are known as such this often. Assumption."""
HINT_READ = 0.85
"""A trailing "um", "and" or digit group is noticed this often; with 93 % of words right, less for short ones."""
HINT_INVENTED = 0.03
"""Share of ends of turns in which one is noticed that is not there."""
REPAIR_READ = 0.9
THREE_WORDS_MS = 775
"""Less speech than this has one or two words: people say 232 a minute within their stretches of speech."""
SHORTEST_READING_MS = 250
"""Less speech than this has no words in it yet."""


@dataclass(frozen=True, slots=True)
class EndOfTurnScore:
    """What the end-of-turn model says of a pause."""

    probability: float
    unfinished: Unfinished


class Evidence:
    """One server's models. `rng` is theirs alone."""

    def __init__(self, auc: float, rng: Random) -> None:
        self._rng = rng
        self._distance = sqrt(2) * NormalDist().inv_cdf(auc)
        ends = 1 / habits().ipus_per_turn
        self._prior_log_odds = log(ends / (1 - ends))

    def end_of_turn(self, stretch: Stretch, open_ended: float) -> EndOfTurnScore:
        """The score of the pause after a stretch. `open_ended`: see `_at`."""
        hint = self._hint(stretch)
        at = self._at(stretch, hint, open_ended)
        log_odds = self._prior_log_odds + self._distance * (at - self._distance / 2)
        return EndOfTurnScore(1 / (1 + exp(-log_odds)), hint)

    def _at(self, stretch: Stretch, hint: Unfinished, open_ended: float) -> float:
        """Where the pause lies on the model's axis; holds around 0, ends around `_distance`.

        What words say is part of the model's evidence, so a hint adds nothing to it: holds with a hint are the lower
        part of all holds. `open_ended` is the share of holds that have one.
        """
        if stretch.sound in (Sound.NOISE, Sound.SIDE_TALK, Sound.ECHO):
            return self._rng.gauss(self._distance / 2, 1)
        if stretch.after is After.END or stretch.seems_final:
            return self._rng.gauss(self._distance, 1)
        at = abs(self._rng.gauss(0, 1))
        if hint is not Unfinished.NO:
            return -at
        with_hint = min(open_ended * HINT_READ, 0.5)
        return -at if self._rng.random() < (0.5 - with_hint) / (1 - with_hint) else at

    def _hint(self, stretch: Stretch) -> Unfinished:
        if stretch.unfinished is not Unfinished.NO and stretch.after is not After.END:
            return stretch.unfinished if self._rng.random() < HINT_READ else Unfinished.NO
        return Unfinished.HESITATION if self._rng.random() < HINT_INVENTED else Unfinished.NO

    def has_words(self, stretch: Stretch) -> bool:
        """Whether the final transcript finds words in it."""
        chance = self._rng.random()
        match stretch.sound:
            case Sound.SPEECH | Sound.BACKCHANNEL:
                return stretch.due_ms - stretch.start_ms >= SHORT_MS or chance < SHORT_WORDS_READ
            case Sound.SIDE_TALK:
                return chance < SIDE_TALK_READ
            case Sound.NOISE | Sound.ECHO:
                return chance < NOISE_INVENTED

    def heard_words(self, stretch: Stretch, spoken_ms: int, chance: float) -> HeardWords | None:
        """What is read over the agent, when so much of the stretch was spoken; None if it is too little to read.

        `chance` (0 to 1) is the stretch's own, so that what is read twice from the same sound is the same.
        """
        if spoken_ms < SHORTEST_READING_MS:
            return None
        match stretch.sound:
            case Sound.SPEECH if stretch.opener_ms and spoken_ms < stretch.opener_ms + SHORTEST_READING_MS:
                return _one_of(chance, HeardWords.BACKCHANNEL, BACKCHANNEL_READ, _own_words(spoken_ms))
            case Sound.SPEECH:
                content = HeardWords.HALT if stretch.halts else _own_words(spoken_ms)
                return content if self._rng.random() < CONTENT_READ else HeardWords.NONE
            case Sound.BACKCHANNEL:
                return _one_of(chance, HeardWords.BACKCHANNEL, BACKCHANNEL_READ, _own_words(spoken_ms))
            case Sound.SIDE_TALK:
                return HeardWords.CONTENT if chance < SIDE_TALK_READ else HeardWords.NONE
            case Sound.NOISE:
                return HeardWords.CONTENT if chance < NOISE_INVENTED else HeardWords.NONE
            case Sound.ECHO:
                return HeardWords.ECHO if chance < ECHO_READ else HeardWords.CONTENT

    def echo(self, stretch: Stretch) -> float:
        """How likely it is the agent's own voice, by level against what is played. Assumption: beta distributions."""
        return self._rng.betavariate(6, 2) if stretch.sound is Sound.ECHO else self._rng.betavariate(2, 6)

    def repair(self, stretch: Stretch) -> Repair:
        """What the final transcript of an interruption asks for."""
        return stretch.repair if self._rng.random() < REPAIR_READ else Repair.DROP


def _own_words(spoken_ms: int) -> HeardWords:
    return HeardWords.REMARK if spoken_ms < THREE_WORDS_MS else HeardWords.CONTENT


def _one_of(chance: float, likely: HeardWords, share: float, own: HeardWords) -> HeardWords:
    """`likely` in its share of cases; else words of the user's own or nothing, alike."""
    if chance < share:
        return likely
    return own if chance < (1 + share) / 2 else HeardWords.NONE
