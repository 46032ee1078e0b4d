import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from speakback.audio.pcm import Samples
from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.stt import TimedWord, Transcript
from speakback.session.turn_audio import TurnAudio
from speakback.session.user_turn import (
    FIRST_PASS_EARLY_MS,
    FREEZE_AFTER_MS,
    SCORED_MS,
    SCORED_TAIL_MS,
    TRANSCRIBED_TAIL_MS,
    UserTurn,
    joined,
)
from speakback.timebase import EAR_HZ, TurnId
from tests.session.scripted import ANSWER, QUESTION, TEXTS, ScriptedStt, silence, sound

MS = EAR_HZ // 1000
_T = TypeVar("_T")


class ScriptedEndOfTurn:
    """Scores by how often it was asked; keeps what it heard."""

    name = "scripted"

    def __init__(self) -> None:
        self.heard: list[Samples] = []

    async def score(self, audio_16k: Samples) -> float:
        self.heard.append(audio_16k)
        return 0.9

    async def aclose(self) -> None:
        pass


def spawn(work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
    return asyncio.get_running_loop().create_task(work)


def turn_of(
    audio: TurnAudio, stt: ScriptedStt, *, start_ms: int = 0, end_of_turn: EndOfTurnModel | None = None
) -> UserTurn:
    return UserTurn(
        TurnId(1),
        "item_1",
        audio,
        onset=(start_ms + 100) * MS,
        start=start_ms * MS,
        stt=stt,
        end_of_turn=end_of_turn,
        language="en",
        spawn=spawn,
    )


def audio_of(*parts: Samples) -> TurnAudio:
    audio = TurnAudio()
    for part in parts:
        audio.append(part)
    return audio


async def test_a_pass_reads_from_the_turns_start_to_a_little_behind_its_end() -> None:
    stt = ScriptedStt()
    turn = turn_of(audio_of(sound(QUESTION, 3000)), stt, start_ms=200)
    transcript = await turn.transcribed_to(1000 * MS)
    assert transcript.text == TEXTS[QUESTION]
    assert len(stt.heard[0]) == (800 + TRANSCRIBED_TAIL_MS) * MS


async def test_a_pass_to_the_same_end_is_made_once() -> None:
    stt = ScriptedStt()
    turn = turn_of(audio_of(sound(QUESTION, 1000)), stt)
    first = turn.transcribed_to(500 * MS)
    assert turn.transcribed_to(500 * MS) is first
    await first
    assert turn.transcribed_to(500 * MS) is first
    assert len(stt.heard) == 1


async def test_a_pass_to_another_end_replaces_the_one_under_way() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    turn = turn_of(audio_of(sound(QUESTION, 1000)), stt)
    first = turn.transcribed_to(500 * MS)
    second = turn.transcribed_to(600 * MS)
    assert stt.gate is not None
    stt.gate.set()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert second.result().text == TEXTS[QUESTION]


async def test_a_partial_pass_is_due_after_so_much_new_speech_and_never_two_at_once() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    turn = turn_of(audio_of(sound(QUESTION, 3000)), stt)
    assert not turn.due_for_partial((799 - FIRST_PASS_EARLY_MS) * MS, 700)
    assert turn.due_for_partial((800 - FIRST_PASS_EARLY_MS) * MS, 700)
    reading = turn.transcribed_to(700 * MS)
    assert not turn.due_for_partial(2000 * MS, 700)
    assert stt.gate is not None
    stt.gate.set()
    await reading
    assert not turn.due_for_partial(1399 * MS, 700)
    assert turn.due_for_partial(1400 * MS, 700)


async def test_a_long_turn_is_frozen_at_a_pause_and_read_on_from_there() -> None:
    stt = ScriptedStt()
    audio = audio_of(sound(QUESTION, FREEZE_AFTER_MS), silence(200), sound(ANSWER, 2000))
    turn = turn_of(audio, stt)
    await turn.transcribed_to(FREEZE_AFTER_MS * MS)
    stt.heard.clear()
    turn.go_on()
    transcript = await turn.transcribed_to((FREEZE_AFTER_MS + 1000) * MS)
    assert transcript.text == f"{TEXTS[QUESTION]} {TEXTS[ANSWER]}"
    assert len(stt.heard[0]) == (1000 + TRANSCRIBED_TAIL_MS) * MS


async def test_a_short_turn_is_not_frozen() -> None:
    stt = ScriptedStt()
    turn = turn_of(audio_of(sound(QUESTION, 3000)), stt)
    await turn.transcribed_to(1000 * MS)
    turn.go_on()
    await turn.transcribed_to(2000 * MS)
    assert len(stt.heard[1]) == (2000 + TRANSCRIBED_TAIL_MS) * MS


@pytest.mark.parametrize("how", ["under way", "failed", "cancelled", "none"])
async def test_going_on_freezes_only_a_text_that_is_there(how: str) -> None:
    stt = ScriptedStt(gate=asyncio.Event(), failure=ValueError() if how == "failed" else None)
    turn = turn_of(audio_of(sound(QUESTION, FREEZE_AFTER_MS + 3000)), stt)
    reading = turn.transcribed_to(FREEZE_AFTER_MS * MS) if how != "none" else None
    assert stt.gate is not None
    if reading is not None and how == "failed":
        stt.gate.set()
        await asyncio.wait([reading])
    if reading is not None and how == "cancelled":
        turn.drop_pass()
        await asyncio.wait([reading])
    turn.go_on()
    stt.gate.set()
    stt.failure = None
    await turn.transcribed_to((FREEZE_AFTER_MS + 500) * MS)
    assert len(stt.heard[-1]) == (FREEZE_AFTER_MS + 500 + TRANSCRIBED_TAIL_MS) * MS
    if reading is not None and not reading.cancelled():
        await asyncio.wait([reading])


# ---- the evidence ---------------------------------------------------------------------------------


async def test_evidence_of_an_earlier_pause_does_not_count() -> None:
    turn = turn_of(TurnAudio(), ScriptedStt())
    turn.begin_pause(1)
    assert turn.weigh(1, acoustic=0.9) is not None
    turn.begin_pause(2)
    assert turn.weigh(1, acoustic=0.9) is None
    assert turn.weigh(2) is None


async def test_evidence_adds_up_and_is_void_when_the_voice_comes_back() -> None:
    turn = turn_of(TurnAudio(), ScriptedStt())
    turn.begin_pause(1)
    by_sound = turn.weigh(1, acoustic=0.9)
    by_both = turn.weigh(1, text="I want to go to the")
    assert by_sound is not None
    assert by_both is not None
    assert by_both < by_sound
    turn.go_on()
    assert turn.weigh(1) is None


@pytest.mark.parametrize(("start_ms", "end_ms", "heard_ms"), [(0, 1000, 1000 + SCORED_TAIL_MS), (0, 9900, SCORED_MS)])
async def test_the_sound_is_scored_up_to_a_little_behind_the_end(start_ms: int, end_ms: int, heard_ms: int) -> None:
    model = ScriptedEndOfTurn()
    turn = turn_of(audio_of(sound(QUESTION, 10_000)), ScriptedStt(), start_ms=start_ms, end_of_turn=model)
    assert await turn.score(end_ms * MS) == 0.9
    assert len(model.heard[0]) == heard_ms * MS


async def test_without_a_model_there_is_no_score() -> None:
    assert await turn_of(TurnAudio(), ScriptedStt()).score(0) is None


# ---- joining --------------------------------------------------------------------------------------


def heard(text: str, confidence: float | None, *, rejected: str | None = None) -> Transcript:
    words = tuple(TimedWord(word, 100 * i, 100 * i + 90) for i, word in enumerate(text.split()))
    return Transcript(text, words, confidence, rejected)


def test_joining_shifts_the_second_and_doubts_as_the_more_doubtful() -> None:
    whole = joined(heard("What time", 0.9), heard("is it?", 0.7), 2000)
    assert (whole.text, whole.confidence) == ("What time is it?", 0.7)
    assert [word.start_ms for word in whole.words] == [0, 100, 2000, 2100]
    assert [word.end_ms for word in whole.words] == [90, 190, 2090, 2190]


def test_joining_with_nothing_leaves_the_other_in_its_place() -> None:
    first, nothing = heard("What time", 0.9), heard("", None, rejected="noise")
    assert joined(first, nothing, 2000) == first
    assert [word.start_ms for word in joined(nothing, first, 2000).words] == [2000, 2100]
    assert joined(nothing, nothing, 2000).rejected == "noise"


def test_joining_knows_a_confidence_where_either_does() -> None:
    assert joined(heard("a", None), heard("b", 0.5), 0).confidence == 0.5
    assert joined(heard("a", None), heard("b", None), 0).confidence is None
