"""The human baseline: how people time their speech, as aggregates of the Switchboard corpus that ship with the package.

Similarity to it is similarity to US-English telephone talk between strangers in 1990-91, without network delay.
`about` and `definitions` in `human_baseline.json` say how every figure was made; cite what `about.citation` names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from speakback.evaluate.baseline_form import BaselineForm, CalibrationForm, DistributionForm, RateForm, ReferenceForm

Floats = NDArray[np.float64]


class Quantity(Enum):
    """What is distributed. FTO: floor-transfer offset, over 0 a gap, under 0 an overlap."""

    FTO = "fto"
    FTO_TURN = "fto_turn"
    """FTO where neither IPU is a backchannel and |FTO| < 5 s; so are all that follow."""
    FTO_YN_QUESTION = "fto_yn_question"
    FTO_WH_QUESTION = "fto_wh_question"
    FTO_OPEN_QUESTION = "fto_open_question"
    FTO_STATEMENT = "fto_statement"
    FTO_OPINION = "fto_opinion"
    FTO_OTHER_ACT = "fto_other_act"
    FTO_AFTER_LONG_PAUSE = "fto_after_long_pause"
    GAP = "gap"
    OVERLAP = "overlap"
    PAUSE = "pause"
    WITHIN_SPEAKER_OVERLAP = "within_speaker_overlap"
    IPU = "ipu"
    """Without backchannels."""
    TURN = "turn"
    BACKCHANNEL_DURATION = "backchannel_duration"
    BACKCHANNEL_ONSET = "backchannel_onset_after_ipu_end"
    """From the end of the other side's latest IPU; only backchannels that do not start inside one."""
    YIELD_TIME = "interruption_yield_time"
    COLLISION = "collision_duration"


class RateName(Enum):
    """What is counted per conversation or per side of one."""

    TURNS = "turns_per_min"
    BACKCHANNELS_OF_SIDE = "backchannels_per_min_of_other_speech"
    BACKCHANNELS = "backchannels_per_min"
    COLLISIONS = "collisions_ge_0_5s_per_min"
    COLLISIONS_BY_SIDE = "collisions_started_ge_0_5s_per_min"
    INTERRUPTIONS = "interruptions_per_min"
    INTERRUPTIONS_BY_SIDE = "interruptions_made_per_min"
    TERMINAL_OVERLAPS = "terminal_overlaps_per_min"
    SIMULTANEOUS_STARTS = "simultaneous_starts_per_min"
    CUT_INS_BY_SIDE = "pause_cut_ins_made_per_min"
    SIMULTANEOUS_SPEECH_PCT = "simultaneous_speech_pct"
    SILENCE_PCT = "silence_pct"
    TALK_SHARE_PCT = "talk_share_pct"
    WORDS_PER_MIN = "words_per_min_ipu"
    SILENT_PAUSE_RATIO = "silent_pause_ratio"
    PAUSES_PER_MIN_OF_OWN_SPEECH = "pauses_per_min_of_own_speech"
    FILLERS_PER_100_WORDS = "fillers_per_100_words"
    MEDIAN_FTO_S = "median_fto"
    FTO_OVERLAP_SHARE = "fto_overlap_share"


@dataclass(frozen=True, slots=True)
class Reference:
    """What distances are measured to: the half of the corpus that calibration did not use."""

    quantiles_ms: Floats
    """Quantiles at (i + 0.5) / size: an equal-weight sample, ascending."""
    bin_edges_ms: Floats
    """Inner edges; the first bin is open below, the last above; a value on an edge belongs to the upper bin."""
    bin_share: Floats
    """Sums to 1."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of the distance between pools of people and the reference."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far `n` events of people lie from the reference."""

    n: int
    w1_ms: Spread
    jsd_bits: Spread
    w1_ln: Spread | None
    """On natural logarithms of seconds; only for durations over several magnitudes (IPU and turn)."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One quantity over the whole corpus."""

    description: str
    n: int
    mean_ms: float
    sd_ms: float
    percentiles_ms: Floats
    """Percentiles 1 to 99."""
    reference: Reference | None
    """None: described, but no distance is measured to it."""
    calibrations: tuple[Calibration, ...]
    """Ascending by n; sizes for which there were too few events are missing."""

    def percentile_ms(self, percent: int) -> float:
        """A percentile from 1 to 99."""
        if not 1 <= percent <= 99:
            raise ValueError(f"there is no percentile {percent}")
        return float(self.percentiles_ms[percent - 1])

    def at(self, share: Floats) -> Floats:
        """Values (ms) below which these shares (0 to 1, any shape) of the corpus lie.

        For drawing: pass uniform numbers. Linear between percentiles; beyond the 1st and 99th it stays at them.
        """
        return np.interp(share, _PERCENT_SHARES, self.percentiles_ms)

    def calibration(self, n: int) -> Calibration | None:
        """For exactly `n` events; None where the corpus has too few."""
        return next((row for row in self.calibrations if row.n == n), None)


_PERCENT_SHARES = np.arange(1, 100) / 100


@dataclass(frozen=True, slots=True)
class Rate:
    """How often, or how much, over the conversations or sides of the corpus."""

    description: str
    unit: str
    pooled: float
    """All events over all time."""
    percentiles: Mapping[int, float]
    """1, 5, 10, 25, 50, 75, 90, 95 and 99."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of a whole, 0 to 1."""

    backchannel_starts_in_overlap: float
    backchannels_of_ipus: float
    interruptions_that_took_the_floor: float
    silence: float
    both: float


@dataclass(frozen=True, slots=True)
class HoldShift:
    """How silences end that follow a speech IPU and last at least `silence_ms`."""

    silence_ms: float
    n_hold: int
    n_backchannel: int
    n_shift: int

    @property
    def shift_share(self) -> float:
        """Share in which the other side takes the floor."""
        return self.n_shift / (self.n_hold + self.n_backchannel + self.n_shift)


@dataclass(frozen=True, slots=True)
class Opener:
    """A first word of turns, and when turns with it begin."""

    word: str
    share: float
    p25_fto_ms: float
    median_fto_ms: float
    p75_fto_ms: float


@dataclass(frozen=True, slots=True)
class BackchannelToken:
    """What is said as a backchannel, and how often."""

    token: str
    share: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """All of it."""

    title: str
    citation: str
    caveats: tuple[str, ...]
    distributions: Mapping[Quantity, Distribution]
    rates: Mapping[RateName, Rate]
    shares: Shares
    hold_shift: tuple[HoldShift, ...]
    """Ascending by silence."""
    openers: tuple[Opener, ...]
    """The most frequent; their shares do not sum to 1."""
    backchannel_tokens: tuple[BackchannelToken, ...]
    """The most frequent; their shares do not sum to 1."""


@cache
def load_baseline() -> Baseline:
    """The baseline that ships with the package; read once."""
    text = files("speakback.evaluate").joinpath("human_baseline.json").read_text(encoding="utf-8")
    form: BaselineForm = json.loads(text)
    return Baseline(
        title=form["about"]["title"],
        citation=form["about"]["citation"],
        caveats=tuple(form["about"]["caveats"]),
        distributions={quantity: _distribution(form["distributions"][quantity.value]) for quantity in Quantity},
        rates={name: _rate(form["rates"][name.value]) for name in RateName},
        shares=Shares(**form["shares"]),
        hold_shift=tuple(HoldShift(**row) for row in form["hold_shift"]["rows"]),
        openers=tuple(Opener(**row) for row in form["openers"]),
        backchannel_tokens=tuple(BackchannelToken(**row) for row in form["backchannel_tokens"]),
    )


def _distribution(form: DistributionForm) -> Distribution:
    reference = form.get("reference")
    return Distribution(
        description=form["description"],
        n=form["n"],
        mean_ms=form["mean_ms"],
        sd_ms=form["sd_ms"],
        percentiles_ms=_frozen(form["percentiles_ms"]),
        reference=None if reference is None else _reference(reference),
        calibrations=tuple(_calibration(row) for row in form.get("calibration", [])),
    )


def _reference(form: ReferenceForm) -> Reference:
    share = np.asarray(form["bin_share"], dtype=np.float64)
    return Reference(
        quantiles_ms=_frozen(form["quantiles_ms"]),
        bin_edges_ms=_frozen(form["bin_edges_ms"]),
        bin_share=_frozen((share / share.sum()).tolist()),
    )


def _calibration(form: CalibrationForm) -> Calibration:
    w1_ln = form.get("w1_ln")
    return Calibration(
        n=form["n"],
        w1_ms=Spread(**form["w1_ms"]),
        jsd_bits=Spread(**form["jsd_bits"]),
        w1_ln=None if w1_ln is None else Spread(**w1_ln),
    )


def _rate(form: RateForm) -> Rate:
    percentiles = {int(percent): value for percent, value in form["percentiles"].items()}
    return Rate(form["description"], form["unit"], form["pooled"], percentiles)


def _frozen(values: list[float]) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    array.setflags(write=False)
    return array
