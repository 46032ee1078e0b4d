"""What is said of a run."""

from datetime import date

from speakback.emulators.contracts.all import CONTRACTS
from speakback.emulators.contracts.contract import Outcome, Verdict
from speakback.emulators.contracts.course import Result, Side
from speakback.emulators.contracts.report import announced, concluded, outcome_of, verified
from speakback.emulators.contracts.shape import Difference
from speakback.emulators.contracts.site import Address
from speakback.emulators.contracts.targets import Target

HOLDS, BROKEN = Outcome(Verdict.HOLDS), Outcome(Verdict.BROKEN, "no audio came")
DIFFERENCE = Difference("close", "1008", "1000")
LIVE = Target("groq", Address(base_url="https://api.groq.com/openai/v1", api_key="gsk_secret"))
ABSENT = Target("groq", None, "no key for Groq")


def test_the_emulator_is_never_passed_off_as_the_service() -> None:
    results = [Result(CONTRACTS[0], {Side.EMULATOR: HOLDS})]
    assert announced(ABSENT, CONTRACTS).startswith(
        "no key for Groq: runs against the emulator; nothing about the real service will be learnt"
    )
    assert concluded(ABSENT, results).startswith(
        "no key for Groq: ran against the emulator; nothing about the real service was learnt"
    )
    assert verified([ABSENT], results, date(2026, 11, 22)).endswith("| not yet |")


def test_the_costs_are_said_first() -> None:
    said = announced(LIVE, CONTRACTS)
    assert "https://api.groq.com/openai/v1" in said
    assert "20 s of audio, 1836 tokens at most" in said
    assert "secret" not in said


def test_what_was_held_live_is_told_with_its_differences() -> None:
    results = [
        Result(CONTRACTS[0], {Side.LIVE: HOLDS, Side.EMULATOR: HOLDS}),
        Result(CONTRACTS[1], {Side.LIVE: BROKEN, Side.EMULATOR: BROKEN}, (DIFFERENCE,)),
    ]
    said = concluded(LIVE, results)
    assert "1 holds, 1 does not hold, 0 were not run" in said
    assert said.endswith("Differences from the emulator: 1.")
    table = verified([LIVE], results, date(2026, 11, 22))
    assert "2026-11-22: holds; differences from the emulator: none |" in table
    assert "2026-11-22: does not hold: no audio came; differences from the emulator: 1 |" in table
    assert outcome_of(results[1]) == "does not hold: no audio came; emulator: does not hold: no audio came"
