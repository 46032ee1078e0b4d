"""How a reply goes out: not to a client that reads too slowly, and at the pace of its line. In virtual time."""

import asyncio

import pytest

from speakback.audio.line import KNOWN_AFTER, LEAST, USUAL
from speakback.session import notices as n
from speakback.session.reply import PROGRESS_EVERY_MS
from speakback.session.waiting import BEHIND_MS, Waiting
from speakback.timebase import VOICE_HZ, samples_to_ms
from tests.session.scripted import LONG, QUESTION, ScriptedTts, says, scripted, sent_samples, talking, utterance
from tests.session.test_reply import now_ms, reply_of

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

STALL_S = 5


async def test_for_a_client_that_is_behind_no_audio_is_made_ready_and_the_reply_stays_alive() -> None:
    waiting = Waiting(now_ms)
    told = reply_of(says(LONG), tts=ScriptedTts(word_ms=200), waiting=waiting)
    waiting.put(n.InputBufferCleared())
    running = asyncio.create_task(told.reply.run())
    await asyncio.sleep(STALL_S)
    sent_ms = samples_to_ms(sent_samples(told.notices), VOICE_HZ)
    assert BEHIND_MS <= sent_ms <= BEHIND_MS + 2 * USUAL.lead_ms
    assert told.signs.count("progressed") >= (STALL_S * 1000 - BEHIND_MS) // PROGRESS_EVERY_MS - 1
    await waiting.take()
    await running
    assert samples_to_ms(sent_samples(told.notices), VOICE_HZ) == 16 * 200
    assert told.reply.ledger.heard_text(now_ms()) == LONG


async def test_a_reply_to_a_client_that_is_behind_can_be_cut() -> None:
    waiting = Waiting(now_ms)
    told = reply_of(says(LONG), waiting=waiting)
    waiting.put(n.InputBufferCleared())
    running = asyncio.create_task(told.reply.run())
    await asyncio.sleep(1)
    running.cancel()
    told.reply.cut(20, 0)
    await asyncio.wait([running])
    assert told.reply.ledger.all_sent


async def test_what_a_session_learns_of_its_line_counts_for_the_next_reply() -> None:
    async with talking(scripted(says(LONG), says(LONG)), name="sess_line") as client:
        sizes_ms: list[set[int]] = []
        for _ in range(2):
            client.session.append_audio(utterance(QUESTION))
            sent: list[n.ReplyAudioSent] = []
            for _ in range(KNOWN_AFTER + 3):
                sent.append(await client.until(n.ReplyAudioSent))
                told_ms = samples_to_ms(sent_samples(list(sent)), VOICE_HZ)
                client.session.acknowledge_playback(sent[0].item_id, max(told_ms - 40, 0), min(told_ms, 40))
            sizes_ms.append({samples_to_ms(len(notice.audio_24k), VOICE_HZ) for notice in sent})
            await client.until(n.ReplyEnded)
    assert sizes_ms == [{USUAL.message_ms, LEAST.message_ms}, {LEAST.message_ms}]


async def test_once_a_reply_was_measured_its_audio_is_let_go() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        measured = await client.until(n.LatencyMeasured)
        assert measured.latency.artifacts is not None
        (ledger,) = client.session._replies._ledgers.values()
        assert ledger.sent_samples
        assert not len(ledger.sent_audio())
