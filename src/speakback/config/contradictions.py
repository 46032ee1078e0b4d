"""Values that are each fine and cannot stand together. Pure: a settings object in, a sentence or nothing out."""

from collections.abc import Callable

from speakback.config.loopback import is_loopback
from speakback.config.roster import hears_only_english
from speakback.config.sections import Settings


def bind_problem(settings: Settings) -> str | None:
    """Why the server may not listen where it is told to: an open server stays on this machine.

    `localhost` counts as loopback; any other name may resolve to anything and does not.
    """
    server = settings.server
    if server.accepted_key_hashes or is_loopback(server.host):
        return None
    return (
        f'server.host is "{server.host}", which other machines can reach, and no API key is configured; with none '
        "configured the server binds to loopback only. Run `speakback key` and put the hash it prints into "
        "server.api_key_hashes, or set server.host to 127.0.0.1."
    )


def _service_problem(settings: Settings) -> str | None:
    llm = settings.llm
    missing = [name for name, value in (("llm.base_url", llm.base_url), ("llm.model", llm.model)) if not value]
    if llm.provider != "openai" or not missing:
        return None
    return f'llm.provider is "openai", which needs {" and ".join(missing)} to be set too.'


def _groq_problem(settings: Settings) -> str | None:
    asked = [name for name, section in (("stt", settings.stt), ("llm", settings.llm)) if section.provider == "groq"]
    if not asked or settings.groq.api_key is not None:
        return None
    return f'{asked[0]}.provider is "groq", which needs groq.api_key (GROQ_API_KEY) to be set too.'


def _elevenlabs_problem(settings: Settings) -> str | None:
    if settings.tts.provider != "elevenlabs" or settings.elevenlabs.api_key is not None:
        return None
    return 'tts.provider is "elevenlabs", which needs elevenlabs.api_key (ELEVENLABS_API_KEY) to be set too.'


def _hedge_problem(settings: Settings) -> str | None:
    chain = settings.chain
    if chain.hedge != "always" or chain.hedge_share == 1:
        return None
    return f'chain.hedge is "always", which doubles every request: set chain.hedge_share ({chain.hedge_share}) to 1.'


def _threshold_problem(settings: Settings) -> str | None:
    vad = settings.vad
    if vad.release_threshold <= vad.threshold:
        return None
    return f"vad.release_threshold ({vad.release_threshold}) must not be above vad.threshold ({vad.threshold})."


def _language_problem(settings: Settings) -> str | None:
    language = settings.stt.language
    if language == "en" or not hears_only_english(settings):
        return None
    return f'stt.language is "{language}", but stt.model "tiny.en" knows only English; set stt.model to "base".'


def _drain_problem(settings: Settings) -> str | None:
    server = settings.server
    if server.drain_notice_s < server.drain_s:
        return None
    return f"server.drain_notice_s ({server.drain_notice_s}) must be below server.drain_s ({server.drain_s})."


def _resume_problem(settings: Settings) -> str | None:
    resume = settings.resume
    if resume.store == "file" and resume.directory is None:
        return 'resume.store is "file", which needs resume.directory to be set too.'
    if resume.store == "redis" and resume.redis_url is None:
        return 'resume.store is "redis", which needs resume.redis_url (SPEAKBACK_RESUME__REDIS_URL) to be set too.'
    return None


def _context_problem(settings: Settings) -> str | None:
    llm = settings.llm
    if llm.max_tokens < llm.context_tokens:
        return None
    return f"llm.max_tokens ({llm.max_tokens}) must be below llm.context_tokens ({llm.context_tokens})."


_CHECKS: tuple[Callable[[Settings], str | None], ...] = (
    bind_problem,
    _service_problem,
    _groq_problem,
    _elevenlabs_problem,
    _hedge_problem,
    _threshold_problem,
    _language_problem,
    _context_problem,
    _drain_problem,
    _resume_problem,
)


def contradictions(settings: Settings) -> list[str]:
    """Every contradiction in `settings`, a sentence each."""
    return [problem for check in _CHECKS if (problem := check(settings)) is not None]
