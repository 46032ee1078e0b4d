import asyncio
import re
from collections.abc import Iterator

import pytest

from speakback.audio.artifacts import SentAudio, find_artifacts
from speakback.audio.resample import resample
from speakback.providers.adapters.piper import Piper, espeak_phonemes
from speakback.providers.adapters.whisper import Whisper
from speakback.providers.errors import ProviderError
from speakback.timebase import EAR_HZ, VOICE_HZ
from speakback.weights import resolve
from tests.providers.voices import REPLIES, assert_words_in_order, spoken


@pytest.fixture(scope="module")
def voice() -> Iterator[Piper]:
    voice = Piper()
    yield voice
    asyncio.run(voice.aclose())


@pytest.fixture(scope="module")
def ear() -> Iterator[Whisper]:
    ear = Whisper(resolve("whisper-tiny.en"), name="whisper")
    yield ear
    asyncio.run(ear.aclose())


@pytest.mark.parametrize(
    ("misaki", "espeak"),
    [
        ("həlˈO", "həlˈoʊ"),
        ("wˈɜɹld", "wˈɜːld"),
        ("fˈɔɹ", "fˈoːɹ"),
        ("wˈɔTəɹ", "wˈɔːɾɚ"),
        ("bˈY", "bˈɔɪ"),
        ("ʧˈɪldɹən", "tʃˈɪldɹən"),
        ("hˈæpi", "hˈæpi"),
        ("hi", "hiː"),
        ("sˈi", "sˈiː"),
        ("ju", "juː"),
        ("kˈɑɹ", "kˈɑːɹ"),
        ("…", ","),
    ],
)
def test_phonemes_are_spelled_as_espeak_spells_them(misaki: str, espeak: str) -> None:
    assert espeak_phonemes(misaki) == espeak


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_every_reply_is_spoken_word_for_word_and_without_artifacts(voice: Piper) -> None:
    for clauses in REPLIES[::2]:
        reply = await spoken(voice, *clauses)
        assert_words_in_order(reply, clauses)
        sent = [SentAudio(0, len(reply.audio_24k))]
        report = find_artifacts(reply.audio_24k, sent, reply.border_samples, " ".join(clauses))
        assert report.clean, (clauses, report)


@pytest.mark.timeout(60)
async def test_it_is_understood(voice: Piper, ear: Whisper) -> None:
    for sentence in (
        "Could you spell your last name for me, please?",
        "It is raining cats and dogs outside.",
        "The quick brown fox jumps over the lazy dog.",
    ):
        reply = await spoken(voice, sentence)
        heard = await ear.transcribe(resample(reply.audio_24k, VOICE_HZ, EAR_HZ), language="en")
        said, understood = (set(re.findall("[a-z]+", text.lower())) for text in (sentence, heard.text))
        assert len(said - understood) <= 1, heard.text


async def test_nothing_to_say_is_no_audio_and_nothing_pronounceable_is_an_error(voice: Piper) -> None:
    assert (await spoken(voice, "😀", "...")).chunks == []
    with pytest.raises(ProviderError, match="tts provider 'piper'"):
        await spoken(voice, "你好")


def test_a_speed_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ProviderError, match="between 0.5 and 2.0"):
        Piper(speed=0)
