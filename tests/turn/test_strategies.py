"""Named strategies and dotted overrides: what is known is taken, all else is refused with a sentence."""

from operator import attrgetter

import pytest

from speakback.config import Settings
from speakback.turn.barge_in import BargeIn
from speakback.turn.endpointing import SemanticEndpointing
from speakback.turn.limits import RANGES
from speakback.turn.strategies import STRATEGIES, UnknownStrategy, Value, strategy


def semantic(name: str, overrides: dict[str, Value]) -> SemanticEndpointing:
    endpointing = strategy(name, overrides).endpointing
    assert isinstance(endpointing, SemanticEndpointing)
    return endpointing


def test_the_default_is_known() -> None:
    default = Settings().turn.strategy
    assert strategy(default) is STRATEGIES[default]


def test_single_keys_are_replaced_and_the_rest_is_kept() -> None:
    config = strategy("rapid-duplex", {"barge_in": "never", "auto_reply": False, "max_turn_ms": 9000})
    assert (config.barge_in, config.auto_reply, config.max_turn_ms) == (BargeIn.NEVER, False, 9000)
    assert config.endpointing == STRATEGIES["rapid-duplex"].endpointing


def test_keys_of_a_group_are_dotted() -> None:
    endpointing = semantic("rapid-duplex", {"endpointing.sure_ms": 300, "endpointing.sure_at": 0.9})
    assert (endpointing.sure_ms, endpointing.sure_at, endpointing.doubtful_ms) == (300, 0.9, 800)


def test_a_whole_number_may_stand_for_a_fraction() -> None:
    endpointing = semantic("rapid-duplex", {"endpointing.sure_at": 1})
    assert endpointing.sure_at == 1.0
    assert isinstance(endpointing.sure_at, float)


def test_overriding_leaves_the_strategy_itself_alone() -> None:
    strategy("rapid-duplex", {"max_turn_ms": 5000})
    assert STRATEGIES["rapid-duplex"].max_turn_ms == 60_000


def test_an_unknown_strategy_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownStrategy, match="no strategy is called 'rapid'; did you mean 'rapid-duplex'?"):
        strategy("rapid")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("bargein", "never", "no strategy setting is called 'bargein'; did you mean 'barge_in'?"),
        ("endpointing.sure", 300, "no strategy setting is called 'endpointing.sure'; did you mean 'endpointing.sure_"),
        ("endpointing", 300, "'endpointing' is a group of settings; name one of endpointing.sure_ms, "),
        ("endpointing.", 300, "'endpointing.' is a group of settings"),
        ("", 300, "no strategy setting is called ''"),
        ("max_turn_ms.long", 300, "'max_turn_ms.long' does not name a setting of the strategy"),
        ("barge_in", "nevver", "no value for barge_in is called 'nevver'; did you mean 'never'? Known: immediate"),
        ("barge_in", 1, "no value for barge_in is called '1'"),
        ("max_turn_ms", "9000", "max_turn_ms must be of type int, not str"),
        ("max_turn_ms", 9000.5, "max_turn_ms must be of type int, not float"),
        ("max_turn_ms", True, "max_turn_ms must be of type int, not bool"),
        ("auto_reply", 1, "auto_reply must be of type bool, not int"),
        ("max_turn_ms", -1, "max_turn_ms must be between 1000 and 86400000"),
        ("max_turn_ms", 0, "max_turn_ms must be between 1000 and 86400000"),
        ("transcript_timeout_ms", 0, "transcript_timeout_ms must be between 500 and 86400000"),
        ("first_audio_timeout_ms", 0, "first_audio_timeout_ms must be between 500 and 86400000"),
        ("stall_timeout_ms", 0, "stall_timeout_ms must be between 1500 and 86400000"),
        ("stall_timeout_ms", 1000, "stall_timeout_ms must be between 1500 and 86400000"),
        ("tool_timeout_ms", 0, "tool_timeout_ms must be between 500 and 86400000"),
        ("idle.wait_ms", 0, "idle.wait_ms must be between 1000 and 86400000"),
        ("stop_fade_ms", 5000, "stop_fade_ms must be between 0 and 1000"),
        ("overlap.final_ms", -900, "overlap.final_ms must be between 0 and 86400000"),
        ("overlap.echo_at", 60, "overlap.echo_at must be between 0 and 1"),
        ("drafts.least_probability", 1.2, "drafts.least_probability must be between 0 and 1"),
        ("endpointing.sure_at", -0.1, "endpointing.sure_at must be between 0 and 1"),
        ("endpointing.sure_at", float("nan"), "endpointing.sure_at must be between 0 and 1"),
        ("endpointing.sure_at", float("inf"), "endpointing.sure_at must be between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(key: str, value: Value, sentence: str) -> None:
    with pytest.raises(UnknownStrategy) as refusal:
        strategy("rapid-duplex", {key: value})
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("rapid-duplex", {"endpointing.sure_at": 0.1}, "endpointing.sure_at must be above endpointing.doubtful_at"),
        ("rapid-duplex", {"endpointing.sure_at": 0.5, "endpointing.doubtful_at": 0.5}, "must be above"),
        ("overlap-aware", {"endpointing.least_ms": 3000}, "endpointing.least_ms must not be above endpointing.most_ms"),
        ("overlap-aware", {"overlap.provisional_ms": 2000}, "overlap.provisional_ms must not be above overlap.last_ms"),
        ("overlap-aware", {"max_turn_ms": 1200}, "overlap.last_ms must be below max_turn_ms (1200)"),
        ("overlap-aware", {"overlap.last_ms": 60_000}, "overlap.last_ms must be below max_turn_ms (60000)"),
    ],
)
def test_values_that_contradict_each_other_are_refused(name: str, overrides: dict[str, Value], sentence: str) -> None:
    with pytest.raises(UnknownStrategy) as refusal:
        strategy(name, overrides)
    assert sentence in str(refusal.value)


def test_values_that_contradict_each_other_on_the_way_only_are_taken() -> None:
    endpointing = semantic("rapid-duplex", {"endpointing.sure_at": 0.1, "endpointing.doubtful_at": 0.05})
    assert (endpointing.sure_at, endpointing.doubtful_at) == (0.1, 0.05)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_strategies_keep_to_their_own_limits(name: str) -> None:
    keys = {key for key in RANGES if not key.startswith("endpointing.")}
    values: dict[str, Value] = {key: attrgetter(key)(STRATEGIES[name]) for key in keys}
    assert strategy(name, values) == STRATEGIES[name]


@pytest.mark.parametrize("key", ["endpointing.sure_at", "stall_timeout_ms"])
def test_a_number_beyond_all_use_is_refused(key: str) -> None:
    with pytest.raises(UnknownStrategy, match=r"between \d+ and \d+"):
        strategy("rapid-duplex", {key: 10**400})
