"""Named strategies and dotted overrides: what is known is taken, all else is refused with a sentence."""

import pytest

from speakback.turn.barge_in import BargeIn
from speakback.turn.endpointing import SemanticEndpointing
from speakback.turn.strategies import DEFAULT_STRATEGY, STRATEGIES, UnknownStrategy, Value, strategy


def semantic(name: str, overrides: dict[str, Value]) -> SemanticEndpointing:
    endpointing = strategy(name, overrides).endpointing
    assert isinstance(endpointing, SemanticEndpointing)
    return endpointing


def test_the_default_is_known() -> None:
    assert strategy(DEFAULT_STRATEGY) is STRATEGIES[DEFAULT_STRATEGY]


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
    strategy("rapid-duplex", {"max_turn_ms": 1})
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
        ("max_turn_ms", -1, "max_turn_ms must be between 0 and 86400000"),
        ("endpointing.sure_at", -0.1, "endpointing.sure_at must be between 0 and 86400000"),
        ("endpointing.sure_at", float("nan"), "endpointing.sure_at must be between 0 and 86400000"),
        ("endpointing.sure_at", float("inf"), "endpointing.sure_at must be between 0 and 86400000"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(key: str, value: Value, sentence: str) -> None:
    with pytest.raises(UnknownStrategy) as refusal:
        strategy("rapid-duplex", {key: value})
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("key", ["endpointing.sure_at", "stall_timeout_ms"])
def test_a_number_beyond_all_use_is_refused(key: str) -> None:
    with pytest.raises(UnknownStrategy, match="between 0 and"):
        strategy("rapid-duplex", {key: 10**400})
