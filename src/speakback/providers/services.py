"""From the configuration to the adapters of services. Make them in a thread: they read this machine's certificates."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from speakback.config import Settings
from speakback.config.voices import elevenlabs_voices
from speakback.providers.errors import LASTING, ProviderError
from speakback.providers.llm import LanguageModel
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.providers.voice_set import VoiceSet
from speakback.providers.waits import UNREPORTED, WaitsReport

if TYPE_CHECKING:
    from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions

log = structlog.get_logger(__name__)


def region_of(name: str, settings: Settings) -> str | None:
    """Where a provider works, by its address; None: nowhere in particular, or on this machine."""
    from speakback.providers.adapters.elevenlabs import options

    if name not in ("elevenlabs", "elevenlabs-v3"):
        return None
    region = options.region_of(elevenlabs_url(settings))
    return region if region in options.REGION_HOSTS else None


def elevenlabs_url(settings: Settings) -> str:
    """The address that is set, or else that of the region."""
    from speakback.providers.adapters.elevenlabs.options import base_url_of

    voice = settings.elevenlabs
    return voice.base_url or base_url_of(None if voice.region == "default" else voice.region)


def groq_stt(settings: Settings, waits: WaitsReport = UNREPORTED) -> SpeechToText:
    """Groq's Whisper."""
    from speakback.providers.adapters.groq.speech_to_text import GroqSpeechToText, GroqSttOptions
    from speakback.providers.rate_limit import Plan, RateLimit, Turnstile

    groq = settings.groq
    options = GroqSttOptions(
        api_key=_secret(groq.api_key),
        model=groq.stt_model,
        base_url=groq.base_url,
        prompt=groq.prompt,
        partials=groq.partials,
    )
    turnstile = Turnstile(RateLimit(Plan(requests_a_minute=groq.requests_per_minute)))
    return GroqSpeechToText(options, turnstile, waits=waits)


def groq_llm(settings: Settings) -> LanguageModel:
    """The first language model of the configured ones that Groq offers. Raises `ProviderError` where it has none."""
    from speakback.providers.adapters.groq.chat import groq_chat
    from speakback.providers.adapters.openai_chat import OpenAiChat
    from speakback.providers.rate_limit import Plan, RateLimit, Turnstile

    groq = settings.groq
    key = _secret(groq.api_key)
    model, known = _chosen_model(settings, key)
    options = groq_chat(model, known_models=known)
    return OpenAiChat(groq.base_url, model, key, options, Turnstile(RateLimit(Plan())))


def openai_llm(settings: Settings) -> LanguageModel:
    """Any service that speaks OpenAI's chat completions."""
    from speakback.providers.adapters.openai_chat import OpenAiChat

    llm = settings.llm
    assert llm.base_url is not None, "the configuration refuses openai without a base_url"
    return OpenAiChat(llm.base_url, llm.model, None if llm.api_key is None else llm.api_key.get_secret_value())


def elevenlabs(settings: Settings) -> TextToSpeech:
    """ElevenLabs over its sockets for text to speech, or plain HTTP; each voice over sockets of its own."""
    from speakback.providers.adapters.elevenlabs.flash import ElevenLabs

    options = _voice_options(settings, settings.elevenlabs.model)
    own, *further = elevenlabs_voices(settings).items()
    voices: dict[str, TextToSpeech] = {own[0]: ElevenLabs(options)}
    voices |= {name: ElevenLabs(replace(options, voice_id=voice_id), ready=1) for name, voice_id in further}
    return _set_of("elevenlabs", voices)


def elevenlabs_v3(settings: Settings) -> TextToSpeech:
    """Eleven v3 over its dialogue sockets, which all its voices share."""
    from speakback.providers.adapters.elevenlabs.expressive import ElevenLabsExpressive

    first = ElevenLabsExpressive(_voice_options(settings, settings.elevenlabs.expressive_model))
    own, *further = elevenlabs_voices(settings).items()
    voices: dict[str, TextToSpeech] = {own[0]: first}
    return _set_of("elevenlabs-v3", voices | {name: first.with_voice(voice_id) for name, voice_id in further})


def _set_of(name: str, voices: Mapping[str, TextToSpeech]) -> TextToSpeech:
    """A single voice serves as it is."""
    return VoiceSet(name, voices, warms_all=False) if len(voices) > 1 else next(iter(voices.values()))


def _voice_options(settings: Settings, model: str) -> "ElevenLabsVoiceOptions":
    from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions, VoiceSettings

    voice = settings.elevenlabs
    return ElevenLabsVoiceOptions(
        api_key=_secret(voice.api_key),
        voice_id=voice.voice_id,
        model=model,
        base_url=elevenlabs_url(settings),
        output_format=voice.output_format,
        language=settings.stt.language,
        settings=VoiceSettings(
            stability=voice.stability,
            similarity_boost=voice.similarity_boost,
            style=voice.style,
            use_speaker_boost=voice.speaker_boost,
            speed=voice.speed,
        ),
        transport=voice.transport,
    )


def _chosen_model(settings: Settings, key: str) -> tuple[str, tuple[str, ...]]:
    """The model to ask for, and all that the service has.

    What is wrong at start is refused at start, unless a model of this machine can stand in until somebody mends it.
    """
    from speakback.providers.model_list import fetch_models, first_available

    groq = settings.groq
    known: tuple[str, ...] = ()
    try:
        known = asyncio.run(fetch_models(groq.base_url, key, role="llm", provider="groq"))
        return first_available(groq.llm_models, known, role="llm", provider="groq"), known
    except ProviderError as problem:
        if problem.failure in LASTING and settings.chain.last_resort == "none":
            raise
        log.warning("the models of a service are not known", problem=str(problem))
        return groq.llm_models[0], known


def _secret(key: SecretStr | None) -> str:
    assert key is not None, "the configuration refuses a service without its key"
    return key.get_secret_value()
