"""The fixtures for other projects' tests, used as those would use them."""

from typing import TYPE_CHECKING

import elevenlabs
import groq
import httpx
import pytest

from tests.emulators.groq.wires import wav

if TYPE_CHECKING:  # pytest imports it, as it does for others
    from speakback.emulators.testing import ElevenLabsEmulator, GroqEmulator

pytest_plugins = ["speakback.emulators.testing"]


def client(emulator: "GroqEmulator") -> groq.Groq:
    return groq.Groq(api_key=emulator.api_key, base_url=emulator.base_url, max_retries=0)


def chat(blocking: groq.Groq) -> str | None:
    answer = blocking.chat.completions.create(
        model="openai/gpt-oss-20b", messages=[{"role": "user", "content": "Hello."}]
    )
    return answer.choices[0].message.content


def test_a_blocking_client_speaks_with_it(groq_emulator: "GroqEmulator") -> None:
    groq_emulator.hears("Good morning.")
    groq_emulator.writes("And to you.")
    with client(groq_emulator) as blocking:
        said = blocking.audio.transcriptions.create(file=("audio.wav", wav(0.5)), model="whisper-large-v3-turbo")
        assert said.text == " Good morning."
        assert chat(blocking) == "And to you."


def test_faults_are_set_and_taken_back(groq_emulator: "GroqEmulator") -> None:
    with client(groq_emulator) as blocking:
        groq_emulator.faults.set("429")
        with pytest.raises(groq.RateLimitError):
            chat(blocking)
        groq_emulator.faults.set("500")
        with pytest.raises(groq.InternalServerError):
            chat(blocking)
        groq_emulator.faults.set("")
        assert chat(blocking)


def test_both_kinds_of_addresses(groq_emulator: "GroqEmulator") -> None:
    assert groq_emulator.openai_base_url == f"{groq_emulator.base_url}/openai/v1"


def test_elevenlabs_speaks_to_a_blocking_client(elevenlabs_emulator: "ElevenLabsEmulator") -> None:
    with httpx.Client() as http:
        client = elevenlabs.ElevenLabs(
            api_key=elevenlabs_emulator.api_key, base_url=elevenlabs_emulator.base_url, httpx_client=http
        )
        voice = client.voices.get_all().voices[0]
        speech = client.text_to_speech.stream(voice.voice_id, text="Hello there.", output_format="pcm_24000")
        assert len(b"".join(speech)) > 24_000
