"""The form of `human_baseline.json`, for the type checker; `baseline.py` turns it into dataclasses."""

from typing import NotRequired, TypedDict


class AboutForm(TypedDict):
    """Where it comes from."""

    title: str
    citation: str
    caveats: list[str]


class ReferenceForm(TypedDict):
    """What distances are measured to."""

    quantiles_ms: list[float]
    bin_edges_ms: list[float]
    bin_share: list[float]


class SpreadForm(TypedDict):
    """Two percentiles of a distance."""

    p50: float
    p95: float


class CalibrationForm(TypedDict):
    """Distances of pools of people, by the size of the pool."""

    n: int
    w1_ms: SpreadForm
    jsd_bits: SpreadForm
    w1_ln: NotRequired[SpreadForm]


class DistributionForm(TypedDict):
    """One quantity."""

    description: str
    n: int
    mean_ms: float
    sd_ms: float
    percentiles_ms: list[float]
    reference: NotRequired[ReferenceForm]
    calibration: NotRequired[list[CalibrationForm]]


class RateForm(TypedDict):
    """One rate."""

    description: str
    unit: str
    pooled: float
    percentiles: dict[str, float]


class SharesForm(TypedDict):
    """Parts of a whole."""

    backchannel_starts_in_overlap: float
    backchannels_of_ipus: float
    interruptions_that_took_the_floor: float
    silence: float
    both: float


class HoldShiftRowForm(TypedDict):
    """How silences of at least this length end."""

    silence_ms: float
    n_hold: int
    n_backchannel: int
    n_shift: int


class HoldShiftForm(TypedDict):
    """The table of holds and shifts."""

    rows: list[HoldShiftRowForm]


class OpenerForm(TypedDict):
    """One first word."""

    word: str
    share: float
    p25_fto_ms: float
    median_fto_ms: float
    p75_fto_ms: float


class BackchannelTokenForm(TypedDict):
    """One backchannel."""

    token: str
    share: float


class BaselineForm(TypedDict):
    """The file."""

    about: AboutForm
    distributions: dict[str, DistributionForm]
    rates: dict[str, RateForm]
    shares: SharesForm
    hold_shift: HoldShiftForm
    openers: list[OpenerForm]
    backchannel_tokens: list[BackchannelTokenForm]
