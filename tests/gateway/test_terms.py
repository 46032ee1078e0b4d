"""gateway/terms.py"""

import pytest

from speakback.config import ConfigError, Settings
from speakback.gateway.admission import LoadLimits
from speakback.gateway.terms import DEFAULT_INSTRUCTIONS, terms_of
from speakback.turn.endpointing import CalibratedEndpointing


def settings(**sections: dict[str, object]) -> Settings:
    return Settings.model_validate(sections)


def test_the_defaults_make_a_whole_offer() -> None:
    terms = terms_of(Settings())
    assert terms.keys.is_open
    assert terms.limits.max_message_bytes == 1024 * 1024
    assert terms.offer.languages == ("en",)
    assert terms.offer.defaults.instructions == DEFAULT_INSTRUCTIONS


def test_what_is_configured_is_what_a_session_begins_with() -> None:
    terms = terms_of(
        settings(
            server={"api_key_hashes": ["0" * 64], "max_sessions": 3, "send_timeout_s": 1.5, "idle_timeout_s": 60.0},
            turn={"overrides": {"endpointing.least_ms": 123}},
            vad={"threshold": 0.7, "preroll_ms": 250},
            stt={"model": "base", "language": "de", "partial_interval_ms": 500},
            end_of_turn={"deadline_ms": 400},
            llm={"provider": "echo", "instructions": "Hm.", "max_tokens": 9, "temperature": 0.0},
            tts={"speed": 1.2},
        )
    )
    defaults = terms.offer.defaults
    assert (terms.max_sessions, terms.limits.send_timeout_s, terms.limits.idle_timeout_s) == (3, 1.5, 60.0)
    assert not terms.keys.accepts(None)
    assert isinstance(defaults.turn.endpointing, CalibratedEndpointing)
    assert defaults.turn.endpointing.least_ms == 123
    hearing = defaults.hearing
    assert (hearing.vad.threshold, hearing.preroll_ms, hearing.partial_interval_ms) == (0.7, 250, 500)
    assert hearing.score_within_ms == 400
    assert (defaults.language, defaults.instructions, defaults.max_tokens, defaults.temperature) == ("de", "Hm.", 9, 0)
    assert (terms.offer.model, terms.offer.speed, terms.offer.languages) == ("echo", 1.2, None)


@pytest.mark.parametrize("key", ["max_turn_ms", "stall_timeout_ms", "transcript_timeout_ms"])
def test_a_bound_of_nothing_stops_the_server(key: str) -> None:
    with pytest.raises(ConfigError, match=f"turn: {key} must be between"):
        terms_of(settings(turn={"overrides": {key: 0}}))


@pytest.mark.parametrize("turn", [{"strategy": "rapid"}, {"overrides": {"endpointing.sure": 1}}])
def test_a_strategy_that_does_not_exist_stops_the_server(turn: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="turn"):
        terms_of(settings(turn=turn))


def test_the_load_under_which_a_session_is_let_in_is_configured() -> None:
    asked: dict[str, object] = {
        "max_loop_lag_ms": 10.0,
        "max_queue_wait_ms": 20.0,
        "max_cpu_share": 0.5,
        "max_memory_mb": 2000,
    }
    limits = terms_of(settings(admission=asked | {"max_joins_per_s": 8.0})).load_limits
    assert limits == LoadLimits(loop_lag_ms=10, queue_wait_ms=20, cpu_share=0.5, memory_bytes=2e9, joins=4)
    assert terms_of(Settings()).load_limits.memory_bytes is None
    assert terms_of(settings(server={"workers": 3})).load_limits.workers == 3
