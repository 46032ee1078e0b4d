"""How often a session asks for a transcript, where the provider counts its requests."""

from dataclasses import replace

import pytest

from speakback.providers.errors import ProviderError
from speakback.providers.stt import Passes, Transcript
from speakback.audio.pcm import Samples
from speakback.session import notices as n
from tests.session.line import GRADED, LONG, on_the_line
from tests.session.scripted import BRIEF, QUESTION, ScriptedStt, scripted, says, talking, utterance

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])
