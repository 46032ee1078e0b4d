"""What may be chosen for a conversation, as the drawer offers it: built once from the settings. Pure."""

from dataclasses import dataclass

from speakback.config import Settings
from speakback.config.roster import SERVICES, roster
from speakback.config.voices import PIPER_VOICE
from speakback.gateway.realtime.session_view import Offer
from speakback.providers.chain.entry import Entry
from speakback.providers.decisions import Role
from speakback.providers.services import region_of
from speakback.turn.strategies import STRATEGIES, Value
from speakback.web.sliders import Slider, sliders
from speakback.web.titles import STRATEGY_WORDS, model_of, title_of

EXPRESSIVE = "elevenlabs-v3"
"""The experiment. It is no provider of the list but a switch of its own, before the voice that stands in for it."""


@dataclass(frozen=True, slots=True)
class StrategyChoice:
    """A strategy with the numbers of it that a person would move, as they stand where nobody moves them."""

    name: str
    words: str
    """What it is like, in a sentence."""
    overrides: tuple[tuple[str, Value], ...]
    """What the configuration changes of it."""
    sliders: tuple[Slider, ...]


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """A provider that may be asked first."""

    name: str
    title: str
    """Whose it is, for people."""
    model: str


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """Who may serve one role; the first does where nobody chooses."""

    role: Role
    legend: str
    providers: tuple[ProviderChoice, ...]
    regions: tuple[str, ...]
    """Where they work. There is something to choose from two up."""
    entries: tuple[Entry[None], ...]
    """All that stand in the chain, for `ordered`."""

    def named(self, name: str) -> ProviderChoice:
        """That of the name, or the first where there is none."""
        return next((one for one in self.providers if one.name == name), self.providers[0])


@dataclass(frozen=True, slots=True)
class Expressive:
    """The experiment's state before any conversation."""

    title: str
    why_not: str
    """Why it cannot be asked for; empty: it can."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All that the drawer offers."""

    offer: Offer
    strategies: tuple[StrategyChoice, ...]
    """The server's own first."""
    roles: tuple[RoleChoice, ...]
    expressive: Expressive

    def strategy(self, name: str) -> StrategyChoice:
        """That of the name, or the server's own where there is none."""
        return next((one for one in self.strategies if one.name == name), self.strategies[0])

    def role(self, role: Role) -> RoleChoice:
        """The one role."""
        return next(one for one in self.roles if one.role == role)


def choices_of(settings: Settings, offer: Offer) -> Choices:
    """What these settings leave to be chosen; `offer` is what clients are told of them."""
    names = roster(settings)
    return Choices(
        offer=offer,
        strategies=_strategies(settings),
        roles=(
            _role("stt", "Speech to text", names.stt, settings),
            _role("llm", "Language model", names.llm, settings),
            _role("tts", "Speech", names.tts, settings),
        ),
        expressive=Expressive(model_of("tts", EXPRESSIVE, settings), _why_no_experiment(settings)),
    )


def _strategies(settings: Settings) -> tuple[StrategyChoice, ...]:
    own = settings.turn.strategy
    return tuple(
        _strategy(name, tuple(settings.turn.overrides.items()) if name == own else ())
        for name in (own, *(name for name in STRATEGIES if name != own))
    )


def _strategy(name: str, overrides: tuple[tuple[str, Value], ...]) -> StrategyChoice:
    return StrategyChoice(name, STRATEGY_WORDS[name], overrides, sliders(name, dict(overrides)))


def _role(role: Role, legend: str, names: tuple[str, ...], settings: Settings) -> RoleChoice:
    entries = tuple(
        Entry(name, None, region=region_of(name, settings), is_local=name not in SERVICES) for name in names
    )
    return RoleChoice(
        role,
        legend,
        tuple(_provider(role, name, settings) for name in names if name != EXPRESSIVE),
        tuple(sorted({entry.region for entry in entries if entry.region is not None})),
        entries,
    )


def _provider(role: Role, name: str, settings: Settings) -> ProviderChoice:
    return ProviderChoice(name, title_of(name, settings), model_of(role, name, settings))


def _why_no_experiment(settings: Settings) -> str:
    if EXPRESSIVE in roster(settings).tts:
        return ""
    section = settings.elevenlabs
    if settings.tts.provider not in ("auto", "elevenlabs"):
        return f"Not configured: the voice is {settings.tts.provider}'s (tts.provider)."
    missing = [
        *(["an API key of ElevenLabs"] if section.api_key is None else []),
        *([] if section.expressive else ["elevenlabs.expressive = true"]),
    ]
    return f"Not configured: it needs {' and '.join(missing)}."


def voice_title(provider: str, voice: str) -> str:
    """A voice's name for people: of this machine with its maker's, of a service as the configuration calls it."""
    if provider in SERVICES:
        return voice
    return f"{voice} ({'Piper' if voice == PIPER_VOICE else 'Hibari'})"
